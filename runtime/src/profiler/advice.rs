//! The sentence about the part of a run that can be avoided.

use super::action::Region;
use super::times::{Measured, Times};

/// The share from which a part is worth a sentence.
const LARGE: f64 = 0.1;

/// The batches from which their mean says something about a step.
const ENOUGH_BATCHES: u64 = 5;

/// The nanoseconds from which the share of a part of a run says something: a shorter run consists of its set-up.
const LONG_ENOUGH: u64 = 1_000_000_000;

/// What is known of the loader of the training batches.
#[derive(Clone, Copy)]
pub(super) struct Loading {
    /// The number of its workers; `None` if it consists of several loaders.
    pub(super) workers: Option<usize>,
    /// The processors of the machine.
    pub(super) processors: usize,
}

/// Returns a sentence about the largest part of a run of `run` nanoseconds that can be avoided, if one is large.
pub(super) fn advice(times: &Times, run: u64, loading: Option<Loading>) -> Option<String> {
    let share = |part: u64, of: u64| part as f64 / of.max(1) as f64;
    let (waiting, batch) = (times.region(Region::NextBatch), times.region(Region::TrainingBatch));
    // the first batch of an epoch is another region, so that there are fewer later ones than steps
    let mean = |measured: Measured| measured.total / measured.calls.max(1);
    let waits = share(mean(waiting), mean(waiting) + mean(batch));
    let of_run = |part: u64| share(part, run) * f64::from(u8::from(run >= LONG_ENOUGH));
    let (checkpoints, logging) =
        (of_run(times.region(Region::Checkpoint).own), of_run(times.region(Region::Logging).own));
    let parts = [
        loading.filter(|_| waiting.calls >= ENOUGH_BATCHES).map(|loading| (waits, of_waiting(waits, loading))),
        Some((checkpoints, of_checkpoints(checkpoints))),
        Some((logging, of_logging(logging))),
    ];
    let large = parts.into_iter().flatten().filter(|(share, _)| *share >= LARGE);
    large.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, sentence)| sentence)
}

/// Returns how many workers hide the waiting. Let a step wait for the share `waits` of its time, and `n` workers read. Each worker takes
/// `n` steps for a batch, or, without workers, the calling thread takes the waiting itself. To have one batch ready after each step without
/// waiting, which takes `1 - waits` of the time, `n / (1 - waits)` workers are needed, or `waits / (1 - waits)`, rounded up. This
/// assumes that workers do not slow one another down, as they do if they compute and there are more of them than processors.
fn needed(waits: f64, workers: usize) -> usize {
    let busy = if workers == 0 { waits } else { workers as f64 };
    // the quotient of a whole number of workers may be rounded up by its last bit
    (busy / (1.0 - waits).max(f64::EPSILON) - 1e-9).ceil() as usize
}

fn of_waiting(waits: f64, Loading { workers, processors }: Loading) -> String {
    let percent = waits * 100.0;
    let Some(workers) = workers else {
        return format!("{percent:.0} % of a step waits for data: give the loaders more workers");
    };
    let needed = needed(waits, workers);
    let more = needed.saturating_sub(workers).max(1);
    let would =
        if more == 1 { "1 more worker would hide it".to_owned() } else { format!("{more} more workers would hide it") };
    if needed <= processors {
        format!("{percent:.0} % of a step waits for data: {would}")
    } else {
        format!(
            "{percent:.0} % of a step waits for data: {would}, if samples are waited for and not computed, as this machine has \
             {processors} processors"
        )
    }
}

fn of_checkpoints(share: f64) -> String {
    format!("{:.0} % of the run writes checkpoints: `async_checkpointing` writes them in a thread", share * 100.0)
}

fn of_logging(share: f64) -> String {
    format!("{:.0} % of the run writes logs: a larger `log_every_n_steps` writes fewer rows", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::times::Key;
    use super::*;

    const LOADING: Loading = Loading { workers: Some(2), processors: 16 };

    fn said(waiting: u64, batch: u64, checkpoint: u64, loading: Option<Loading>) -> Option<String> {
        let mut times = Times::new("Model");
        // milliseconds, in a run of 1 s
        let [waiting, batch, checkpoint] = [waiting, batch, checkpoint].map(|time| time * 1_000_000);
        for _ in 0..10 {
            times.add(Key::Region(Region::NextBatch), waiting, waiting);
            times.add(Key::Region(Region::TrainingBatch), batch, batch - checkpoint);
            times.add(Key::Region(Region::Checkpoint), checkpoint, checkpoint);
        }
        advice(&times, 10 * (waiting + batch), loading)
    }

    #[test]
    fn waiting_names_the_workers_that_hide_it() {
        // two workers that give a batch each 100 need 200 for one: without waiting, a step takes 39, and 200 / 39 is 5.1
        let said = |workers| said(61, 39, 0, Some(Loading { workers, processors: 16 })).unwrap();
        assert_eq!(said(Some(2)), "61 % of a step waits for data: 4 more workers would hide it");
        // the calling thread takes 61 for a batch
        assert_eq!(said(Some(0)), "61 % of a step waits for data: 2 more workers would hide it");
        assert_eq!(said(None), "61 % of a step waits for data: give the loaders more workers");
    }

    #[test]
    fn waiting_names_the_processors_if_there_are_too_few() {
        let said = said(90, 10, 0, Some(Loading { workers: Some(1), processors: 4 })).unwrap();
        assert_eq!(
            said,
            "90 % of a step waits for data: 9 more workers would hide it, if samples are waited for and not computed, as this machine \
             has 4 processors"
        );
    }

    #[test]
    fn nothing_is_said_of_small_parts_and_of_a_gpu() {
        assert_eq!(said(5, 95, 0, Some(LOADING)), None);
        assert_eq!(said(61, 39, 0, None), None);
    }

    #[test]
    fn largest_part_is_named() {
        assert_eq!(
            said(20, 80, 60, Some(LOADING)).unwrap(),
            "60 % of the run writes checkpoints: `async_checkpointing` writes them in a thread"
        );
    }
}
