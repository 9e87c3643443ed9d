//! The observer of a run: it is called at the beginning and the end of each action.

use super::Profiler;
use super::action::{HookOwner, Region};
use super::advice::{Loading, advice};
use super::device_times::DeviceTimes;
use super::hook_calls::HookCalls;
use super::shares::{OTHER, PartTimes, part_of, part_times, shares};
use super::times::{ActionTime, Key, Times, table};
use super::trace::{FinishedTrace, Trace};
use crate::file_error::FileError;
use crate::hook::Hook;
use crate::native::{DeviceEvent, steady_nanos};
use crate::run_location::RunLocation;
use crate::stage::RunningStage;
use std::path::Path;
use std::time::Duration;
use tch::Device;

/// Measures the actions of a run and writes down its hooks, as configured.
pub(crate) struct Recorder {
    module: &'static str,
    profiler: Option<Profiler>,
    /// Whether times are measured.
    measures: bool,
    hooks: Option<HookCalls>,
    times: Times,
    trace: Option<Trace>,
    /// The times of the device, in the simple profiler's run on a GPU.
    device: Option<DeviceTimes>,
    /// The actions that are running, each within the one before.
    open: Vec<Open>,
    began: u64,
    ended: Option<u64>,
    /// The time from which shares are counted, and what was measured before.
    shares_from: (u64, PartTimes),
    /// The times of the user's regions, by the part of the time to which they belong.
    named: PartTimes,
    loading: Option<Loading>,
}

/// A running action.
struct Open {
    key: Key,
    began: u64,
    /// The time of the actions within it that have ended.
    inner: u64,
    /// The begin on the device, if that is measured.
    event: Option<DeviceEvent>,
}

/// The number of actions around one that has begun.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "an action that is not ended contains all later ones"]
pub(crate) struct OpenAction(usize);

impl Recorder {
    /// Returns the observer of a run of `module`, the name of a type, on `device`; `None` if nothing is to be observed.
    pub(crate) fn begin(
        module: &'static str,
        device: Device,
        profiler: Option<Profiler>,
        measures: bool,
        hooks: Option<&Path>,
    ) -> Result<Option<Self>, FileError> {
        if !measures && hooks.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            module,
            profiler,
            measures,
            hooks: hooks.map(HookCalls::create).transpose()?,
            times: Times::new(module),
            trace: match profiler {
                Some(Profiler::Trace(schedule)) => Some(Trace::new(schedule)),
                _ => None,
            },
            device: match (profiler, device) {
                (Some(Profiler::Simple), Device::Cuda(index)) => Some(DeviceTimes::of(index)),
                _ => None,
            },
            open: Vec::new(),
            began: steady_nanos(),
            ended: None,
            shares_from: (steady_nanos(), PartTimes::default()),
            named: PartTimes::default(),
            loading: None,
        }))
    }

    pub(crate) fn enter_hook(
        &mut self,
        hook: Hook,
        owner: HookOwner,
        at: RunLocation,
        stage: RunningStage,
    ) -> OpenAction {
        if let Some(hooks) = &mut self.hooks {
            hooks.write(hook, owner, self.module, at, stage);
        }
        self.enter(|times| times.hook(owner, hook))
    }

    pub(crate) fn enter_region(&mut self, region: Region) -> OpenAction {
        self.enter(|_| Key::Region(region))
    }

    pub(crate) fn enter_named(&mut self, name: &str) -> OpenAction {
        self.enter(|times| times.named(name))
    }

    /// Begins an action, unless only hooks are written down.
    fn enter(&mut self, key: impl FnOnce(&mut Times) -> Key) -> OpenAction {
        if !self.measures {
            return OpenAction(0);
        }
        let key = key(&mut self.times);
        let around = OpenAction(self.open.len());
        let event = self.device.as_mut().filter(|_| key.is_on_device()).and_then(DeviceTimes::begin);
        self.open.push(Open { key, began: steady_nanos(), inner: 0, event });
        around
    }

    /// Ends an action, with those within it that a panic left open.
    pub(crate) fn leave(&mut self, OpenAction(around): OpenAction) {
        if self.open.len() <= around {
            return;
        }
        let now = steady_nanos();
        while self.open.len() > around {
            let Some(Open { key, began, inner, event }) = self.open.pop() else { return };
            let total = now.saturating_sub(began);
            if let Some(outer) = self.open.last_mut() {
                outer.inner += total;
            }
            let own = total.saturating_sub(inner);
            self.times.add(key, total, own);
            if part_of(key).is_none() {
                let around = self.open.iter().rev().find_map(|open| part_of(open.key));
                self.named[around.unwrap_or(OTHER)] += own;
            }
            if let (Some(device), Some(event)) = (&mut self.device, event) {
                device.end(key, event, &mut self.times);
            }
            if let Some(trace) = &mut self.trace {
                trace.add(key, began, now);
            }
        }
    }

    /// Tells what loads the training batches, for the advice: not on a GPU, which may compute while the host waits.
    pub(crate) fn set_loading(&mut self, workers: Option<usize>) {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.loading = Some(Loading { workers, processors });
    }

    /// Begins a step of a trace's schedule. Returns the trace that ends before it, if one does.
    pub(crate) fn begin_step(&mut self) -> Option<FinishedTrace> {
        let trace = self.trace.as_mut()?;
        trace.begin_step(&self.times)
    }

    /// Ends the run. Returns the trace that the end of the run cuts short, if one is running.
    pub(crate) fn end(&mut self) -> Option<FinishedTrace> {
        self.leave(OpenAction(0));
        if let Some(device) = &mut self.device {
            device.finish(&mut self.times);
        }
        self.ended.get_or_insert_with(steady_nanos);
        self.trace.as_mut()?.end(&self.times)
    }

    pub(crate) fn times(&self) -> Vec<ActionTime> {
        self.times.all()
    }

    /// Begins the time of [`shares`](Self::shares).
    #[cfg(feature = "dashboard")]
    pub(crate) fn begin_shares(&mut self) {
        self.shares_from = (steady_nanos(), part_times(&self.times, &self.named));
    }

    /// Returns the shares of the time since `begin_shares` by what it was spent on.
    pub(crate) fn shares(&self) -> Vec<(&'static str, f64)> {
        let (from, before) = &self.shares_from;
        shares(before, &part_times(&self.times, &self.named), steady_nanos().saturating_sub(*from))
    }

    /// Returns the table of the simple profiler, and the advice.
    pub(crate) fn summary(&self) -> Option<(String, Option<String>)> {
        let run = self.ended.unwrap_or_else(steady_nanos).saturating_sub(self.began);
        let of_simple = self.profiler == Some(Profiler::Simple);
        of_simple.then(|| (table(&self.times(), Duration::from_nanos(run)), advice(&self.times, run, self.loading)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    #[test]
    fn regions_of_the_user_belong_to_the_part_around_them() {
        let mut recorder = Recorder::begin("Model", Device::Cpu, None, true, None).unwrap().unwrap();
        let at = RunLocation { stage: crate::stage::Stage::Fit, epoch: None, batch_idx: None };
        let step = recorder.enter_hook(Hook::TrainingStep, HookOwner::Module("Model"), at, RunningStage::Training);
        let (outer, inner) = (recorder.enter_named("augment"), recorder.enter_named("crop"));
        sleep(Duration::from_millis(20));
        [inner, outer, step].into_iter().for_each(|open| recorder.leave(open));
        let shares = recorder.shares();
        let parts: Vec<&str> = shares.iter().map(|(part, _)| *part).collect();
        assert_eq!(parts, ["forward", "callbacks, other"]);
        assert!(recorder.named.iter().sum::<u64>() >= 20_000_000);
    }
}
