//! Which metrics share a chart: those of training and validation, and the values per step and per epoch.

use indexmap::{IndexMap, IndexSet};

/// A metric of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) metric: String,
    /// The part of the name that differs from the other members', such as `train` or `train step`.
    pub(crate) variant: String,
    pub(crate) loop_: Loop,
    pub(crate) is_step: bool,
}

/// The loop whose values a metric has, by the prefix of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loop {
    Train,
    Val,
    Test,
}

/// The section of the page in which a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Metrics,
    /// The values of `LearningRateMonitor`.
    LearningRates,
    /// The values of `ThroughputMonitor` and `DeviceStatsMonitor`.
    System,
}

/// The metrics of one chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) section: Section,
    pub(crate) members: Vec<Member>,
}

const PREFIXES: [(&str, Loop); 6] = [
    ("train", Loop::Train),
    ("training", Loop::Train),
    ("val", Loop::Val),
    ("valid", Loop::Val),
    ("validation", Loop::Val),
    ("test", Loop::Test),
];

/// Returns the charts of metrics, those of losses first.
pub(crate) fn groups(metrics: &IndexSet<&str>) -> Vec<Group> {
    let mut by_title: IndexMap<String, Vec<Member>> = IndexMap::new();
    for metric in metrics {
        let (name, per) = without_suffix(metric, metrics);
        let (title, prefix) = without_prefix(name);
        let words: Vec<&str> = prefix.map(|(word, _)| word).into_iter().chain(per).collect();
        let member = Member {
            metric: (*metric).to_owned(),
            variant: words.join(" "),
            loop_: prefix.map_or(Loop::Train, |(_, of)| of),
            is_step: per == Some("step"),
        };
        by_title.entry(title.to_owned()).or_default().push(member);
    }
    let mut groups: Vec<Group> = by_title.into_iter().map(|(title, members)| group(title, members)).collect();
    groups.sort_by_key(|group| !group.title.to_lowercase().contains("loss"));
    groups
}

fn group(title: String, mut members: Vec<Member>) -> Group {
    let section = match members.first().map_or("", |member| &member.metric) {
        name if name.starts_with("lr-") => Section::LearningRates,
        name if name.starts_with("DeviceStatsMonitor.") || name.contains('|') => Section::System,
        _ => Section::Metrics,
    };
    members.sort_by_key(|member| (member.loop_, !member.is_step));
    // a chart of one metric has its name
    let title = match members.as_mut_slice() {
        [alone] => {
            alone.variant.clear();
            alone.metric.clone()
        }
        _ => title,
    };
    Group { title, section, members }
}

/// Removes `_step` or `_epoch` from a metric that was logged with both.
fn without_suffix<'a>(metric: &'a str, metrics: &IndexSet<&str>) -> (&'a str, Option<&'static str>) {
    let suffixes = [("_step", "_epoch", "step"), ("_epoch", "_step", "epoch")];
    let found = suffixes.into_iter().find_map(|(suffix, other, word)| {
        let name = metric.strip_suffix(suffix)?;
        metrics.contains(format!("{name}{other}").as_str()).then_some((name, Some(word)))
    });
    found.unwrap_or((metric, None))
}

/// Removes `train_`, `val/` and the like.
fn without_prefix(name: &str) -> (&str, Option<(&str, Loop)>) {
    let end = name.find(['_', '/', '.', '-']).unwrap_or(0);
    let found = PREFIXES.iter().find(|(prefix, _)| *prefix == &name[..end]);
    match found {
        Some((prefix, of)) if end + 1 < name.len() => (&name[end + 1..], Some((prefix, *of))),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_training_and_validation_share_a_chart() {
        let metrics = ["val_acc", "train_loss_step", "train_loss_epoch", "val_loss", "lr-SGD", "train_", "grad_step"];
        let groups = groups(&metrics.into_iter().collect());
        let titles: Vec<(&str, Section)> = groups.iter().map(|group| (group.title.as_str(), group.section)).collect();
        let of = |name| (name, Section::Metrics);
        let expected = [of("loss"), of("val_acc"), ("lr-SGD", Section::LearningRates), of("train_"), of("grad_step")];
        assert_eq!(titles, expected);
        let variants: Vec<&str> = groups[0].members.iter().map(|member| member.variant.as_str()).collect();
        assert_eq!(variants, ["train step", "train epoch", "val"]);
    }
}
