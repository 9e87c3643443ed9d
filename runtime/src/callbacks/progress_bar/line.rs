//! The line of a bar, for the columns that the terminal has.

use crate::bar_text::{clock, count, filled};
use console::style;
use indicatif::ProgressState;
use std::time::Duration;

/// The shortest and the longest bar.
const LEAST_CELLS: usize = 5;
const MOST_CELLS: usize = 30;

/// What a bar shows. Where the terminal has too few columns for all, the less important parts are missing.
pub(super) struct BarLine<'a> {
    pub(super) label: &'a str,
    pub(super) done: u64,
    /// The number of batches, if it is known.
    pub(super) batches: Option<u64>,
    pub(super) left: Option<Duration>,
    /// Batches per second.
    pub(super) rate: f64,
    /// The time until the end of the run.
    pub(super) run_left: Option<Duration>,
    /// The metrics with their values.
    pub(super) metrics: &'a [String],
}

impl<'a> BarLine<'a> {
    pub(super) fn of(label: &'a str, state: &ProgressState, run_left: Option<Duration>, metrics: &'a [String]) -> Self {
        let batches = state.len();
        Self {
            label,
            done: state.pos(),
            batches,
            left: batches.filter(|_| state.pos() > 0).map(|_| state.eta()),
            rate: state.per_sec(),
            run_left,
            metrics,
        }
    }

    /// Returns the line, which is shorter than this number of columns: a cursor in the last one would begin another line.
    pub(super) fn text(&self, columns: usize) -> String {
        let count = count(self.done, self.batches);
        let mut free = columns.saturating_sub(self.label.chars().count() + 1 + count.chars().count() + 1);
        let mut takes = |text: &str| {
            let width = text.chars().count() + 2;
            let fits = width <= free;
            free -= if fits { width } else { 0 };
            fits
        };
        let left = self.left.map(|left| format!("{} left", estimate(left))).filter(|left| takes(left));
        let has_bar = self.batches.is_some() && takes(&" ".repeat(LEAST_CELLS - 1));
        let metrics: Vec<&String> = self.metrics.iter().take_while(|metric| takes(metric)).collect();
        let rate = rate(self.rate).filter(|rate| takes(rate));
        let run_left = self.run_left.map(|left| format!("run {} left", estimate(left))).filter(|left| takes(left));
        let cells = if has_bar { (LEAST_CELLS + free).min(MOST_CELLS) } else { 0 };
        let mut line = self.label.to_owned();
        if cells > 0 {
            line.push(' ');
            line.push_str(&self.bar(cells));
        }
        line.push(' ');
        line.push_str(&count);
        for part in left.iter().chain(&rate).chain(&run_left).chain(metrics) {
            line.push_str("  ");
            line.push_str(part);
        }
        line
    }

    fn bar(&self, cells: usize) -> String {
        let ratio = self.batches.map_or(0.0, |batches| self.done as f64 / batches.max(1) as f64);
        let filled = filled(ratio, cells);
        let (full, empty) = ("━".repeat(filled), "─".repeat(cells - filled));
        format!("{}{}", style(full).for_stderr().cyan(), style(empty).for_stderr().dim())
    }
}

/// Returns an estimated time to the nearest second.
fn estimate(time: Duration) -> String {
    clock(Duration::from_secs(time.as_secs_f64().round() as u64))
}

/// Returns a rate with its unit, which is that of the larger number: `12.5 batches/s`, `2.5 s/batch`.
fn rate(batches_per_second: f64) -> Option<String> {
    match batches_per_second {
        rate if rate >= 1.0 => Some(format!("{rate:.1} batches/s")),
        rate if rate > 0.0 => Some(format!("{:.1} s/batch", rate.recip())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(columns: usize) -> String {
        let metrics = ["train_loss 0.5012".to_owned(), "val_acc 0.9100".to_owned()];
        let line = BarLine {
            label: "epoch 1/4",
            done: 12,
            batches: Some(45),
            left: Some(Duration::from_millis(1300)),
            rate: 26.04,
            run_left: Some(Duration::from_secs(75)),
            metrics: &metrics,
        };
        console::strip_ansi_codes(&line.text(columns)).into_owned()
    }

    #[test]
    fn line_is_shorter_than_the_terminal() {
        for columns in 16..200 {
            assert!(text(columns).chars().count() < columns, "{columns}: {}", text(columns));
        }
        assert_eq!(text(1), "epoch 1/4 12/45");
    }

    #[test]
    fn line_has_the_most_important_parts_in_few_columns() {
        assert_eq!(text(30), "epoch 1/4 12/45  0:01 left");
        assert_eq!(text(40), "epoch 1/4 ━━━───────── 12/45  0:01 left");
        assert_eq!(text(60), "epoch 1/4 ━━━────────── 12/45  0:01 left  train_loss 0.5012");
        let all = "epoch 1/4 ━━━━━━━━────────────────────── 12/45  0:01 left  26.0 batches/s  run 1:15 left  train_loss 0.5012  \
                   val_acc 0.9100";
        assert_eq!(text(150), all);
    }

    #[test]
    fn rate_has_the_unit_of_the_larger_number() {
        assert_eq!(rate(12.345).unwrap(), "12.3 batches/s");
        assert_eq!(rate(0.4).unwrap(), "2.5 s/batch");
        assert_eq!((rate(0.0), rate(f64::NAN)), (None, None));
    }
}
