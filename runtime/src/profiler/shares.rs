//! What the time of a run is spent on, in a few parts.

use super::action::Region;
use super::times::{Key, Times};
use crate::hook::Hook;

/// The parts, in the order of a step.
const PARTS: [&str; 9] = [
    "data wait",
    "transfer",
    "forward",
    "backward",
    "optimizer",
    "logging",
    "checkpoint",
    "validation",
    "callbacks, other",
];

/// The index of the last part, of which everything is that is not measured as another one.
pub(super) const OTHER: usize = PARTS.len() - 1;

/// The time of each part.
pub(super) type PartTimes = [u64; PARTS.len()];

/// Returns the time of each part so far. Actions count without those within them, so that no time counts twice. `named` are the times of the
/// user's regions, by the part of the action around each.
pub(super) fn part_times(times: &Times, named: &PartTimes) -> PartTimes {
    let mut parts = *named;
    for region in Region::ALL {
        parts[of_region(region)] += times.region(region).own;
    }
    for (hook, measured) in times.hooks() {
        parts[of_hook(hook)] += measured.own;
    }
    parts
}

/// Returns the share of each part of `whole` nanoseconds, in which the times grew from `before` to `now`, without those that took none.
pub(super) fn shares(before: &PartTimes, now: &PartTimes, whole: u64) -> Vec<(&'static str, f64)> {
    let mut parts: PartTimes = std::array::from_fn(|part| now[part].saturating_sub(before[part]));
    let measured: u64 = parts[..OTHER].iter().sum();
    parts[OTHER] = whole.saturating_sub(measured);
    let share = |time: u64| time as f64 / whole.max(1) as f64;
    PARTS.into_iter().zip(parts).filter(|(_, time)| *time > 0).map(|(part, time)| (part, share(time))).collect()
}

/// Returns the index of the part to which the time of an action belongs; `None` for a user's region, which belongs to that of the action
/// around it.
pub(super) fn part_of(key: Key) -> Option<usize> {
    match key {
        Key::Region(region) => Some(of_region(region)),
        Key::Hook(_, hook) => Some(of_hook(hook)),
        Key::Named(_) => None,
    }
}

fn of_region(region: Region) -> usize {
    match region {
        Region::FirstBatch | Region::NextBatch => 0,
        Region::Transfer => 1,
        Region::Logging => 5,
        Region::Checkpoint => 6,
        Region::Validation | Region::SanityCheck | Region::ValidationBatch => 7,
        Region::TrainingBatch | Region::TestBatch | Region::PredictBatch => OTHER,
    }
}

fn of_hook(hook: Hook) -> usize {
    match hook {
        Hook::TrainDataloader => 0,
        Hook::OnBeforeBatchTransfer | Hook::TransferBatchToDevice | Hook::OnAfterBatchTransfer => 1,
        Hook::TrainingStep => 2,
        Hook::Backward | Hook::OnBeforeBackward | Hook::OnAfterBackward => 3,
        Hook::OptimizerStep
        | Hook::OptimizerZeroGrad
        | Hook::OnBeforeZeroGrad
        | Hook::OnBeforeOptimizerStep
        | Hook::ConfigureGradientClipping
        | Hook::LrSchedulerStep => 4,
        Hook::OnSaveCheckpoint | Hook::StateDict => 6,
        Hook::ValDataloader
        | Hook::ValidationStep
        | Hook::OnValidationStart
        | Hook::OnValidationEnd
        | Hook::OnValidationEpochStart
        | Hook::OnValidationEpochEnd
        | Hook::OnValidationBatchStart
        | Hook::OnValidationBatchEnd => 7,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::super::action::HookOwner;
    use super::*;

    #[test]
    fn shares_add_up_to_the_run() {
        let mut times = Times::new("Model");
        let mut hook = |owner, hook, own| {
            let key = times.hook(owner, hook);
            times.add(key, own, own);
        };
        hook(HookOwner::Module("Model"), Hook::TrainingStep, 30);
        hook(HookOwner::Module("Model"), Hook::Backward, 20);
        hook(HookOwner::Callback("Watch"), Hook::OnBeforeOptimizerStep, 5);
        hook(HookOwner::Callback("Watch"), Hook::OnTrainBatchEnd, 5);
        times.add(Key::Region(Region::NextBatch), 25, 25);
        times.add(Key::Region(Region::TrainingBatch), 60, 0);
        let none = PartTimes::default();
        let shares = shares(&none, &part_times(&times, &none), 100);
        let expected =
            [("data wait", 0.25), ("forward", 0.3), ("backward", 0.2), ("optimizer", 0.05), ("callbacks, other", 0.2)];
        assert_eq!(shares, expected);
    }
}
