use std::fmt;
use std::str::FromStr;

/// The steps of a run that a trace records: those of PyTorch's
/// [`torch.profiler.schedule`](https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.schedule).
///
/// After `skip_first` steps, each repetition waits, warms up, and then records its `active` steps. A step is a training batch with what
/// follows until the next one, such as validation; in the other verbs, it is a batch. `repeat` is 1 by default, where PyTorch's 0 repeats
/// until the end of the run.
///
/// ```
/// use tch_lightning::profiler::TraceSchedule;
///
/// let schedule = TraceSchedule { active: 2, repeat: 2, ..TraceSchedule::default() };
/// let recorded: Vec<usize> = (0..20).filter(|step| schedule.records(*step)).collect();
/// assert_eq!(recorded, [2, 3, 6, 7]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceSchedule {
    /// The steps before the first repetition; 0 by default.
    pub skip_first: usize,
    /// The steps of each repetition in which nothing happens; 1 by default.
    pub wait: usize,
    /// The steps after those in which operators are observed, but not recorded, so that the cost of starting is not in the trace; 1 by
    /// default.
    pub warmup: usize,
    /// The recorded steps; 3 by default, and at least 1.
    pub active: usize,
    /// The number of repetitions, each with a file of its own; 1 by default, and 0 for as many as the run has.
    pub repeat: usize,
}

impl Default for TraceSchedule {
    fn default() -> Self {
        Self { skip_first: 0, wait: 1, warmup: 1, active: 3, repeat: 1 }
    }
}

/// What a trace does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Off,
    WarmUp,
    /// Recording, in this repetition from 0.
    Active(usize),
}

impl TraceSchedule {
    /// Whether the step, from 0, is recorded.
    pub fn records(&self, step: usize) -> bool {
        matches!(self.phase(step), Phase::Active(_))
    }

    /// Returns the first recorded step.
    pub(super) fn first(&self) -> usize {
        self.skip_first.saturating_add(self.wait).saturating_add(self.warmup)
    }

    pub(super) fn phase(&self, step: usize) -> Phase {
        let cycle = self.wait.saturating_add(self.warmup).saturating_add(self.active).max(1);
        let Some(step) = step.checked_sub(self.skip_first) else { return Phase::Off };
        let (repetition, step) = (step / cycle, step % cycle);
        match step.checked_sub(self.wait) {
            _ if self.repeat > 0 && repetition >= self.repeat => Phase::Off,
            None => Phase::Off,
            Some(step) if step < self.warmup => Phase::WarmUp,
            Some(_) => Phase::Active(repetition),
        }
    }
}

impl FromStr for TraceSchedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut schedule = Self::default();
        for part in text.split(',') {
            let number =
                part.split_once('=').and_then(|(name, number)| Some((name.trim(), number.trim().parse().ok()?)));
            match number {
                Some(("skip_first", steps)) => schedule.skip_first = steps,
                Some(("wait", steps)) => schedule.wait = steps,
                Some(("warmup", steps)) => schedule.warmup = steps,
                Some(("active", 0)) => return Err("`active` is 0: a trace needs at least one step".to_owned()),
                Some(("active", steps)) => schedule.active = steps,
                Some(("repeat", times)) => schedule.repeat = times,
                _ => {
                    return Err(format!(
                        "`{part}` is not part of a schedule: write skip_first, wait, warmup, active or repeat with a number, such as \
                         active=5"
                    ));
                }
            }
        }
        Ok(schedule)
    }
}

/// The numbers that differ from the default, such as `wait=10,active=5`.
impl fmt::Display for TraceSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |one: &Self| {
            [
                ("skip_first", one.skip_first),
                ("wait", one.wait),
                ("warmup", one.warmup),
                ("active", one.active),
                ("repeat", one.repeat),
            ]
        };
        let differing = of(self).into_iter().zip(of(&Self::default())).filter(|(own, default)| own != default);
        let numbers: Vec<String> = differing.map(|((name, number), _)| format!("{name}={number}")).collect();
        f.write_str(&numbers.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The phases of the first steps, a letter for each.
    fn phases(schedule: &str) -> String {
        let schedule: TraceSchedule = schedule.parse().unwrap();
        let letter = |step| match schedule.phase(step) {
            Phase::Off => '.',
            Phase::WarmUp => 'w',
            Phase::Active(_) => 'A',
        };
        (0..16).map(letter).collect()
    }

    #[test]
    fn phases_are_those_of_torch() {
        // torch.profiler.schedule(skip_first=…, wait=…, warmup=…, active=…, repeat=…)(step) for steps 0 to 15
        assert_eq!(phases("repeat=0"), ".wAAA.wAAA.wAAA.");
        assert_eq!(phases("repeat=1"), ".wAAA...........");
        assert_eq!(phases("skip_first=3,wait=0,warmup=2,active=1,repeat=2"), "...wwAwwA.......");
        assert_eq!(phases("wait=0,warmup=0,active=2,repeat=0"), "AAAAAAAAAAAAAAAA");
    }
}
