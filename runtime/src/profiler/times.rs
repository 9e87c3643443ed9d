//! The times of actions, and the table of them.

use super::action::{HookOwner, Region};
use crate::counted::counted;
use crate::hook::Hook;
use crate::table;
use comfy_table::CellAlignment;
use std::time::Duration;

/// The number and the time of the calls of an action, [`RunContext::action_times`](crate::RunContext::action_times).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActionTime {
    /// The name: `[LightningModule]Classifier.training_step` for a hook, `[Callback]ModelCheckpoint.on_train_batch_end` for that of a
    /// callback, `train_dataloader_next` for a part of the loops, or the name of a region of [`ctx.profile`](crate::Context::profile).
    pub name: String,
    /// The number of calls.
    pub calls: u64,
    /// The time of all calls.
    pub total: Duration,
    /// The part of `total` that was not spent in other actions.
    pub own: Duration,
    /// The time of all calls on a CUDA device; `None` if it was not measured, as for actions that compute on the host only.
    pub device: Option<Duration>,
}

impl ActionTime {
    /// Returns the mean time of a call.
    pub fn mean(&self) -> Duration {
        self.total.checked_div(u32::try_from(self.calls).unwrap_or(u32::MAX)).unwrap_or_default()
    }
}

/// What was measured of an action, in nanoseconds.
#[derive(Clone, Copy, Default)]
pub(super) struct Measured {
    pub(super) calls: u64,
    pub(super) total: u64,
    pub(super) own: u64,
    pub(super) device: Option<Duration>,
}

/// The place of an action in [`Times`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Region(Region),
    /// The hook of an owner, by its index.
    Hook(usize, Hook),
    /// A user's region, by its index.
    Named(usize),
}

impl Key {
    /// Whether the action gives work to the device, whose time is measured. Only these are, as an event takes about a microsecond.
    pub(super) fn is_on_device(self) -> bool {
        use Hook::{Backward, OptimizerStep, PredictStep, TestStep, TrainingStep, ValidationStep};
        match self {
            Self::Region(region) => matches!(region, Region::TrainingBatch | Region::Transfer),
            Self::Hook(_, hook) => {
                matches!(hook, TrainingStep | Backward | OptimizerStep | ValidationStep | TestStep | PredictStep)
            }
            Self::Named(_) => true,
        }
    }
}

/// The times of all actions. A lookup must cost little, as a step has dozens of actions: hooks and regions are indices of arrays.
pub(super) struct Times {
    /// The name of the type of the run's module.
    module: &'static str,
    regions: [Measured; Region::ALL.len()],
    owners: Vec<(HookOwner, Vec<Measured>)>,
    named: Vec<(String, Measured)>,
}

impl Times {
    pub(super) fn new(module: &'static str) -> Self {
        Self { module, regions: Default::default(), owners: Vec::new(), named: Vec::new() }
    }

    /// Returns the key of an owner's hook.
    pub(super) fn hook(&mut self, owner: HookOwner, hook: Hook) -> Key {
        let index = self.owners.iter().position(|(known, _)| *known == owner).unwrap_or_else(|| {
            self.owners.push((owner, vec![Measured::default(); Hook::ALL.len()]));
            self.owners.len() - 1
        });
        Key::Hook(index, hook)
    }

    /// Returns the key of a user's region.
    pub(super) fn named(&mut self, name: &str) -> Key {
        let index = self.named.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.named.push((name.to_owned(), Measured::default()));
            self.named.len() - 1
        });
        Key::Named(index)
    }

    fn measured(&mut self, key: Key) -> &mut Measured {
        match key {
            Key::Region(region) => &mut self.regions[region as usize],
            Key::Hook(owner, hook) => &mut self.owners[owner].1[hook as usize],
            Key::Named(index) => &mut self.named[index].1,
        }
    }

    /// Adds the time of a device to an action that [`add`](Self::add) adds.
    pub(super) fn add_device(&mut self, key: Key, time: Duration) {
        let device = &mut self.measured(key).device;
        *device = Some(device.unwrap_or_default() + time);
    }

    pub(super) fn add(&mut self, key: Key, total: u64, own: u64) {
        let measured = self.measured(key);
        measured.calls += 1;
        measured.total += total;
        measured.own += own;
    }

    pub(super) fn region(&self, region: Region) -> Measured {
        self.regions[region as usize]
    }

    /// Returns what was measured of each hook, over all owners.
    pub(super) fn hooks(&self) -> impl Iterator<Item = (Hook, Measured)> {
        self.owners.iter().flat_map(|(_, hooks)| Hook::ALL.iter().copied().zip(hooks.iter().copied()))
    }

    pub(super) fn name(&self, key: Key) -> String {
        match key {
            Key::Region(region) => region.name().to_owned(),
            Key::Hook(owner, hook) => format!("{}.{hook}", self.owners[owner].0.name(self.module)),
            Key::Named(index) => self.named[index].0.clone(),
        }
    }

    /// Returns the actions that were called, those with the largest times first.
    pub(super) fn all(&self) -> Vec<ActionTime> {
        let regions = Region::ALL.iter().map(|region| (Key::Region(*region), self.region(*region)));
        let hooks = self.owners.iter().enumerate().flat_map(|(owner, (_, hooks))| {
            Hook::ALL.iter().map(move |hook| (Key::Hook(owner, *hook), hooks[*hook as usize]))
        });
        let named = self.named.iter().enumerate().map(|(index, (_, measured))| (Key::Named(index), *measured));
        let called = regions.chain(hooks).chain(named).filter(|(_, measured)| measured.calls > 0);
        let mut times: Vec<ActionTime> = called
            .map(|(key, Measured { calls, total, own, device })| ActionTime {
                name: self.name(key),
                calls,
                total: Duration::from_nanos(total),
                own: Duration::from_nanos(own),
                device,
            })
            .collect();
        times.sort_by(|one, other| other.total.cmp(&one.total).then_with(|| one.name.cmp(&other.name)));
        times
    }
}

/// The share of the run below which an action is added up with others.
const SMALL: f64 = 1e-3;

/// Returns the table of actions of a run that took `run`.
pub(super) fn table(times: &[ActionTime], run: Duration) -> String {
    let columns = ["Action", "Mean", "Calls", "Total", "%", "Own", "Own %", "Device"];
    // the last column is that of a device
    let columns = if times.iter().any(|time| time.device.is_some()) { &columns[..] } else { &columns[..7] };
    let mut table = table::with_header(columns.iter().copied());
    let share = |time: Duration| time.as_secs_f64() / run.as_secs_f64().max(f64::MIN_POSITIVE);
    let percent = |time: Duration| format!("{:.1}", share(time) * 100.0);
    let calls: u64 = times.iter().map(|time| time.calls).sum();
    let measured: Duration = times.iter().map(|time| time.own).sum();
    table.add_row([
        "Total".to_owned(),
        "-".to_owned(),
        calls.to_string(),
        shown(run),
        "100.0".to_owned(),
        shown(measured),
        percent(measured),
    ]);
    let (large, small): (Vec<_>, Vec<_>) = times.iter().partition(|time| share(time.total) >= SMALL);
    for time in large {
        table.add_row(
            [
                time.name.clone(),
                shown(time.mean()),
                time.calls.to_string(),
                shown(time.total),
                percent(time.total),
                shown(time.own),
                percent(time.own),
                time.device.map(shown).unwrap_or_default(),
            ]
            .into_iter()
            .take(columns.len()),
        );
    }
    if !small.is_empty() {
        let own: Duration = small.iter().map(|time| time.own).sum();
        let calls: u64 = small.iter().map(|time| time.calls).sum();
        let name = format!("{} below 0.1 %", counted(small.len(), "action"));
        table.add_row([name, "-".to_owned(), calls.to_string(), shown(own), percent(own), shown(own), percent(own)]);
    }
    for column in 1..columns.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Returns a time with a unit and two decimals, such as `1.25 ms`.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        _ if seconds >= 1.0 => format!("{seconds:.2} s"),
        _ if seconds >= 1e-3 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{:.2} µs", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_actions_are_added_up_in_the_last_row() {
        let time = |name: &str, calls, total, own| ActionTime {
            name: name.to_owned(),
            calls,
            total: Duration::from_micros(total),
            own: Duration::from_micros(own),
            device: None,
        };
        let times = [
            time("a", 4, 800_000, 500_000),
            time("b", 2, 300_000, 300_000),
            time("c", 9, 900, 900),
            time("d", 1, 50, 50),
        ];
        let table = table(&times, Duration::from_secs(1));
        let rows: Vec<Vec<&str>> =
            table.lines().map(|line| line.trim_matches(['|', ' ']).split_whitespace().collect()).collect();
        let find = |first: &str| rows.iter().find(|row| row.first() == Some(&first)).unwrap().join(" ");
        assert_eq!(find("Total"), "Total - 16 1.00 s 100.0 800.95 ms 80.1");
        assert_eq!(find("a"), "a 200.00 ms 4 800.00 ms 80.0 500.00 ms 50.0");
        assert_eq!(find("2"), "2 actions below 0.1 % - 10 950.00 µs 0.1 950.00 µs 0.1");
    }

    #[test]
    fn times_of_a_device_have_a_column() {
        let mut times = Times::new("Model");
        let step = times.hook(HookOwner::Module("Model"), Hook::TrainingStep);
        let (end, region) = (times.hook(HookOwner::Module("Model"), Hook::OnTrainBatchEnd), times.named("loss"));
        for key in [step, end, region] {
            times.add(key, 4_000_000, 4_000_000);
        }
        for _ in 0..2 {
            times.add_device(step, Duration::from_millis(3));
        }
        assert_eq!([step, end, region].map(Key::is_on_device), [true, false, true]);
        let devices: Vec<_> = times.all().into_iter().map(|time| time.device).collect();
        assert_eq!(devices.into_iter().flatten().collect::<Vec<_>>(), [Duration::from_millis(6)]);
        let table = table(&times.all(), Duration::from_millis(12));
        let row = |name: &str| table.lines().find(|line| line.contains(name)).unwrap().trim_matches(['|', ' ']);
        assert!(row("Action").ends_with("Own %    Device"), "{table}");
        assert!(
            row("training_step").ends_with("33.3   6.00 ms") && row("on_train_batch_end").ends_with("33.3"),
            "{table}"
        );
    }
}
