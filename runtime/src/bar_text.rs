//! The texts of progress bars.

use std::fmt::Display;
use std::time::Duration;

/// Returns a time as a clock shows it: `1:05`, `2:00:09`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Returns the part that is done of a whole, if the whole is known: ` 3/12`.
pub(crate) fn count<N: Display>(done: N, whole: Option<N>) -> String {
    match whole.map(|whole| whole.to_string()) {
        Some(whole) => format!("{done:>width$}/{whole}", width = whole.len()),
        None => done.to_string(),
    }
}

/// Returns an epoch with the last one of the run, both from 0 as in `ctx.current_epoch()`, errors, logs and the names of checkpoints:
/// ` 3/11`. Lightning's `RichProgressBar` counts in this way.
pub(crate) fn epoch(epoch: usize, max_epochs: Option<usize>) -> String {
    count(epoch, max_epochs.map(|epochs| epochs.saturating_sub(1)))
}

/// Returns the number of the cells of a bar that are filled.
pub(crate) fn filled(ratio: f64, cells: usize) -> usize {
    ((ratio.clamp(0.0, 1.0) * cells as f64).round() as usize).min(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoch_is_counted_from_zero() {
        assert_eq!([epoch(0, Some(1)), epoch(2, Some(12)), epoch(7, None)], ["0/0", " 2/11", "7"]);
    }

    #[test]
    fn clock_has_hours_from_the_first_on() {
        assert_eq!(
            [5, 65, 3600, 7209].map(|seconds| clock(Duration::from_secs(seconds))),
            ["0:05", "1:05", "1:00:00", "2:00:09"]
        );
    }
}
