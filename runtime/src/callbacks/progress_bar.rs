//! Displays progress: as a bar on a terminal, otherwise as a line per epoch.

use crate::context::phase::{Epoch, Outside};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::module::{Callback, LightningModule};
use crate::number::Number;
use crate::stage::{RunningStage, Stage};
use crate::terminal;
use anyhow::Result;
use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The minimum time between two reads of the bar's metrics from the device.
const REFRESH: Duration = Duration::from_millis(200);

/// Displays progress on stderr: as a bar if that is a terminal, otherwise as one plain line per epoch. Messages and the output
/// of [`ctx.print`](crate::RunContext::print) appear above the bar.
/// Lightning's [`TQDMProgressBar`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.TQDMProgressBar.html).
#[derive(Debug)]
pub struct ProgressBar {
    bar: Option<Bar>,
    is_terminal: bool,
    refreshed: Instant,
    /// The length of the longest list of metrics so far: shorter ones are padded, so that the bar keeps its width.
    metrics_width: usize,
    epoch_began: Instant,
    /// The epoch whose line is pending: its metrics are complete only when the next one begins.
    ended: Option<Ended>,
}

#[derive(Debug)]
struct Ended {
    epoch: usize,
    took: Duration,
}

impl Default for ProgressBar {
    fn default() -> Self {
        Self::new()
    }
}

impl ProgressBar {
    /// Creates the callback.
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            bar: None,
            is_terminal: std::io::stderr().is_terminal(),
            refreshed: now,
            metrics_width: 0,
            epoch_began: now,
            ended: None,
        }
    }

    /// Draws a bar for this number of batches, or their count alone if the number is unknown.
    fn open(&mut self, what: String, batches: Option<usize>) {
        if !self.is_terminal {
            return;
        }
        let bar = Bar::with_draw_target(batches.map(|batches| batches as u64), ProgressDrawTarget::hidden());
        let count = batches.map_or_else(
            || "{pos}".to_owned(),
            |batches| format!("{{wide_bar}} {{pos:>{}}}/{{len}}", batches.to_string().len()),
        );
        let template = format!("{{prefix}} {count} {{elapsed:>4}} {{speed:>10.dim}} {{msg}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.with_key("speed", |state: &ProgressState, text: &mut dyn fmt::Write| {
            let _ = write!(text, "{:.1}/s", state.per_sec());
        }));
        bar.set_prefix(what);
        bar.set_message(" ".repeat(self.metrics_width));
        self.bar = Some(terminal::add_bar(bar));
    }

    /// Displays the bar of the current epoch, at the current batch.
    fn begin_epoch(&mut self, ctx: &RunContext) {
        self.epoch_began = Instant::now();
        self.open(format!("epoch {}", ctx.current_epoch() + 1), ctx.num_training_batches());
        if let Some(bar) = &self.bar {
            bar.set_position(if ctx.is_mid_epoch() { ctx.progress().batches_ready() as u64 } else { 0 });
        }
    }

    fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            terminal::remove_bar(&bar);
        }
    }

    fn advance(&mut self, ctx: &RunContext) {
        let Some(bar) = &self.bar else { return };
        bar.inc(1);
        if self.refreshed.elapsed() >= REFRESH {
            let metrics = metrics(ctx);
            self.metrics_width = self.metrics_width.max(metrics.chars().count());
            bar.set_message(padded(&metrics, self.metrics_width));
            self.refreshed = Instant::now();
        }
    }

    fn write_ended(&mut self, ctx: &RunContext) {
        let Some(Ended { epoch, took }) = self.ended.take() else { return };
        let epochs = ctx.config().epochs().map(|epochs| epochs.to_string()).unwrap_or_default();
        let (width, slash) = (epochs.len(), if epochs.is_empty() { "" } else { "/" });
        let (epoch, step, seconds) = (epoch + 1, ctx.global_step(), took.as_secs_f64());
        let mut line = format!("epoch {epoch:>width$}{slash}{epochs}  step {step:>5}  {seconds:.1} s");
        let metrics = metrics(ctx);
        if !metrics.is_empty() {
            let _ = write!(line, "  {metrics}");
        }
        terminal::say(line);
    }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

fn metrics(ctx: &RunContext) -> String {
    let metrics = ctx.progress_bar_metrics().into_iter();
    metrics.map(|(name, value)| format!("{name} {}", Number(value))).collect::<Vec<_>>().join("  ")
}

impl<M: LightningModule> Callback<M> for ProgressBar {
    fn name(&self) -> &'static str {
        "ProgressBar"
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, _: Stage) -> Result<()> {
        // discards the pending line of a failed run
        self.ended = None;
        Ok(())
    }

    fn on_train_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        if ctx.is_mid_epoch() {
            self.begin_epoch(ctx);
        }
        Ok(())
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.write_ended(ctx);
        self.begin_epoch(ctx);
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context,
        _: &mut M,
        _: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        self.advance(ctx);
        Ok(())
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.close();
        self.ended = Some(Ended { epoch: ctx.current_epoch(), took: self.epoch_began.elapsed() });
        Ok(())
    }

    fn on_train_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.write_ended(ctx);
        Ok(())
    }

    fn on_sanity_check_start(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.open("sanity check:".to_owned(), None);
        Ok(())
    }

    fn on_validation_batch_end(
        &mut self,
        ctx: &mut Context,
        _: &mut M,
        _: &M::ValidationOutput,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        match &self.bar {
            Some(bar) if ctx.sanity_checking() => bar.inc(1),
            _ => {}
        }
        Ok(())
    }

    fn on_sanity_check_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.close();
        Ok(())
    }

    fn on_validation_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        match &self.bar {
            Some(bar) if ctx.running_stage() == RunningStage::Validating => {
                bar.set_message(padded("validating", self.metrics_width));
            }
            _ => {}
        }
        Ok(())
    }

    fn on_exception(&mut self, _: &mut Context<Outside>, _: &mut M, _: &Error) -> Result<()> {
        self.close();
        Ok(())
    }
}
