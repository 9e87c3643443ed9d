//! Logged values by name, as they are read after a run or in a hook.

use crate::json_float::JsonFloat;
use crate::number::Number;
use indexmap::IndexMap;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;

/// Logged values by name, as [`Trainer::validate`](crate::Trainer::validate) and
/// [`callback_metrics`](crate::RunContext::callback_metrics) return them: one for all loaders, where Lightning returns a dictionary for each.
///
/// ```
/// use tch_lightning::trainer::Metrics;
///
/// let metrics = Metrics::from([("val_loss", 0.25), ("val_acc", 0.875)]);
/// assert_eq!(metrics["val_acc"], 0.875);
/// assert_eq!(metrics.get("train_acc"), None);
/// for (name, value) in &metrics {
///     println!("{name}: {value}");
/// }
/// assert_eq!(metrics.to_string(), "val_loss 0.2500, val_acc 0.8750");
/// ```
///
/// Indexing with another name panics, and the message lists the names:
///
/// ```should_panic
/// # use tch_lightning::trainer::Metrics;
/// # let metrics = Metrics::from([("val_loss", 0.25), ("val_acc", 0.875)]);
/// // `val_accc` was not logged: did you mean `val_acc`? It can be one of `val_loss`, `val_acc`
/// metrics["val_accc"];
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Metrics(IndexMap<String, f64>);

impl Metrics {
    /// The value of this name, if one was logged.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Whether a value of this name was logged.
    pub fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The names with their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was logged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The name of a metric, in the brackets of [`Metrics`]: a `&str` or a `&String`.
#[diagnostic::on_unimplemented(
    message = "metrics have names, and `{Self}` is not one [TL0006]",
    label = "write the name of a metric: `metrics[\"val_loss\"]`",
    note = "the metrics of all loaders are in one value: in place of `metrics[0][\"val_loss\"]` in Lightning's Python, write `metrics[\"val_loss\"]`"
)]
pub trait MetricName {
    /// The type of a metric's value, `f64`.
    // not that of `Metrics`: after a wrong name, the compiler reports no mistake in what is done with the value
    type Value;

    /// The value of this name.
    #[track_caller]
    fn value(self, metrics: &Metrics) -> &Self::Value;
}

#[diagnostic::do_not_recommend]
impl<N: AsRef<str> + ?Sized> MetricName for &N {
    type Value = f64;

    #[track_caller]
    fn value(self, metrics: &Metrics) -> &f64 {
        let name = self.as_ref();
        match metrics.0.get(name) {
            Some(value) => value,
            None => panic!("`{name}` was not logged: {}", instead_of(name, metrics.keys())),
        }
    }
}

impl<N: MetricName> Index<N> for Metrics {
    type Output = N::Value;

    #[track_caller]
    fn index(&self, name: N) -> &N::Value {
        name.value(self)
    }
}

/// Returns which of the logged names can be written in place of one that was not logged.
pub(crate) fn instead_of<'a>(name: &str, logged: impl Iterator<Item = &'a str>) -> String {
    let logged: Vec<&str> = logged.collect();
    if logged.is_empty() {
        return "nothing was".to_owned();
    }
    let names: Vec<String> = logged.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    match similar(name, logged) {
        Some(similar) => format!("did you mean `{similar}`? It can be one of {names}"),
        None => format!("it can be one of {names}"),
    }
}

/// Returns the logged name of which `name` may be a misspelling: one edit in four characters at most.
pub(crate) fn similar<'a>(name: &str, logged: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = logged.into_iter().map(|logged| (strsim::damerau_levenshtein(name, logged), logged));
    let (distance, logged) = distances.min()?;
    (distance * 4 <= name.chars().count()).then_some(logged)
}

impl<N: Into<String>> FromIterator<(N, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (N, f64)>>(metrics: I) -> Self {
        Self(metrics.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<N: Into<String>, const LEN: usize> From<[(N, f64); LEN]> for Metrics {
    fn from(metrics: [(N, f64); LEN]) -> Self {
        metrics.into_iter().collect()
    }
}

impl From<Metrics> for BTreeMap<String, f64> {
    fn from(metrics: Metrics) -> Self {
        metrics.into_iter().collect()
    }
}

impl IntoIterator for Metrics {
    type Item = (String, f64);
    type IntoIter = std::vec::IntoIter<(String, f64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().collect::<Vec<_>>().into_iter()
    }
}

impl<'a> IntoIterator for &'a Metrics {
    type Item = (&'a str, f64);
    type IntoIter = std::vec::IntoIter<(&'a str, f64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter().collect::<Vec<_>>().into_iter()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The names with their values as the progress bar shows them.
impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {}", Number(value))?;
        }
        Ok(())
    }
}

/// A map, in which NaN and infinities are texts.
impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(name, value)| (name, JsonFloat(value))))
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Metrics;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of metrics")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
                let mut metrics = Metrics::default();
                while let Some((name, JsonFloat(value))) = map.next_entry::<String, _>()? {
                    metrics.0.insert(name, value);
                }
                Ok(metrics)
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics::from([("val_loss", 0.25), ("val_acc", 0.875)])
    }

    #[test]
    fn metrics_are_found_by_their_names() {
        let (metrics, name) = (metrics(), "val_acc".to_owned());
        assert_eq!((metrics["val_loss"], metrics[&name], metrics.get("lr")), (0.25, 0.875, None));
        assert_eq!((metrics.len(), metrics.contains_key("val_acc")), (2, true));
    }

    #[test]
    fn metrics_keep_their_order() {
        assert_eq!(metrics().keys().collect::<Vec<_>>(), ["val_loss", "val_acc"]);
        assert_eq!(metrics().into_iter().collect::<Vec<_>>(), [("val_loss".into(), 0.25), ("val_acc".into(), 0.875)]);
        assert_eq!(format!("{:?}", metrics()), r#"{"val_loss": 0.25, "val_acc": 0.875}"#);
    }

    #[test]
    fn missing_name_is_answered_with_the_names() {
        let message = |metrics: Metrics, name: &str| {
            let caught = std::panic::catch_unwind(|| metrics[name]).unwrap_err();
            caught.downcast_ref::<String>().unwrap().clone()
        };
        let misspelled = "`val_accc` was not logged: did you mean `val_acc`? It can be one of `val_loss`, `val_acc`";
        assert_eq!(message(metrics(), "val_accc"), misspelled);
        let other = "`lr` was not logged: it can be one of `val_loss`, `val_acc`";
        assert_eq!(message(metrics(), "lr"), other);
        assert_eq!(message(Metrics::default(), "lr"), "`lr` was not logged: nothing was");
    }

    #[test]
    fn metrics_survive_json() {
        let metrics = Metrics::from([("loss", f64::INFINITY), ("acc", 0.1)]);
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"loss":"inf","acc":0.1}"#);
        assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), metrics);
    }
}
