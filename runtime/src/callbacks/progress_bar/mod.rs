//! Displays progress: as bars on a terminal, otherwise as a line per epoch.

mod line;

use crate::bar_text;
use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::module::{Callback, LightningModule};
use crate::number::Number;
use crate::stage::{RunningStage, Stage};
use crate::terminal;
use anyhow::Result;
use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressState, ProgressStyle};
use line::BarLine;
use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The minimum time between two reads of the bar's metrics from the device.
const REFRESH: Duration = Duration::from_millis(200);

/// The minimum time between two updates of a bar, which is drawn ten times a second: each formats its line, and it would be done for nothing
/// in the steps between.
const UPDATE: Duration = Duration::from_millis(100);

/// The columns of a terminal that does not know its own.
const COLUMNS: usize = 80;

/// Displays progress on stderr: as bars if that is a terminal, otherwise as one plain line per epoch. Messages and the output of
/// [`ctx.print`](crate::RunContext::print) appear above the bars. Lightning's
/// [`TQDMProgressBar`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.TQDMProgressBar.html).
///
/// The bar of an epoch has its number and that of the last epoch, both from 0 as in [`ctx.current_epoch`](crate::RunContext::current_epoch), the batches, the time until its end, the rate, the time until the end of the run, and the values
/// logged with [`prog_bar`](crate::context::LogEntry::prog_bar). While a validation runs, it has a bar of its own below. `validate`, `test`
/// and `predict` have one bar. In a narrow terminal, the less important parts are missing.
///
/// `println!` writes at the cursor, which is at the end of the bar: that bar stays, with the text after it, and is drawn again below. A program
/// cannot know of that text without taking over stdout, as the [`dashboard`](field@crate::TrainerConfig::dashboard) does, which shows it among
/// the messages. Print with [`ctx.print`](crate::RunContext::print), [`messages::print`](crate::messages::print) or events of `tracing`.
#[derive(Debug)]
pub struct ProgressBar {
    /// The bar of the training epoch.
    training: Option<OpenBar>,
    /// The bar of a validation, a test or a prediction.
    evaluation: Option<OpenBar>,
    is_terminal: bool,
    refreshed: Instant,
    shown: Arc<Mutex<Shown>>,
    epoch_began: Instant,
    /// When training began in this run, with the number of batches at that time.
    began: (Instant, usize),
    /// The epoch whose line is pending: its metrics are complete only when the next one begins.
    ended: Option<Ended>,
}

/// What the bar of an epoch shows, apart from its batches.
#[derive(Debug, Default)]
struct Shown {
    run_left: Option<Duration>,
    metrics: Vec<String>,
}

#[derive(Debug)]
struct Ended {
    epoch: usize,
    took: Duration,
}

/// A bar on the terminal.
#[derive(Debug)]
struct OpenBar {
    bar: Bar,
    /// The number of completed batches.
    done: u64,
    updated: Option<Instant>,
}

impl OpenBar {
    /// Counts a batch.
    fn advance(&mut self) {
        self.done += 1;
        let now = Instant::now();
        if self.updated.is_none_or(|updated| now.saturating_duration_since(updated) >= UPDATE) {
            self.updated = Some(now);
            self.update();
        }
    }

    fn update(&self) {
        self.bar.set_position(self.done);
    }
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
            training: None,
            evaluation: None,
            is_terminal: std::io::stderr().is_terminal(),
            refreshed: now,
            shown: Arc::default(),
            epoch_began: now,
            began: (now, 0),
            ended: None,
        }
    }

    /// Opens a bar for this number of batches, or a count if the number is unknown. Returns none if stderr is not a terminal, or shows the
    /// dashboard.
    fn open(
        &self,
        label: String,
        batches: Option<usize>,
        done: usize,
        shown: Option<&Arc<Mutex<Shown>>>,
    ) -> Option<OpenBar> {
        if !self.is_terminal || terminal::is_taken() {
            return None;
        }
        let bar = Bar::with_draw_target(batches.map(|batches| batches as u64), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{line}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let shown = shown.cloned().unwrap_or_default();
        bar.set_style(style.with_key("line", move |state: &ProgressState, text: &mut dyn fmt::Write| {
            let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let line = BarLine::of(&label, state, shown.run_left, &shown.metrics);
            let _ = text.write_str(&line.text(terminal::width().map_or(COLUMNS, usize::from)));
        }));
        let done = done as u64;
        bar.set_position(done);
        bar.reset_eta();
        Some(OpenBar { bar: terminal::add_bar(bar), done, updated: None })
    }

    /// Displays the bar of the current epoch, at the current batch.
    fn open_epoch(&mut self, ctx: &RunContext) {
        let done = if ctx.is_mid_epoch() { ctx.progress().batches_ready() } else { 0 };
        let label = format!("epoch {}", bar_text::epoch(ctx.current_epoch(), ctx.config().epoch_limit()).trim_start());
        self.training = self.open(label, ctx.num_training_batches(), done, Some(&self.shown));
    }

    fn begin_epoch(&mut self, ctx: &RunContext) {
        self.epoch_began = Instant::now();
        self.open_epoch(ctx);
    }

    fn close(&mut self) {
        self.close_evaluation();
        if let Some(training) = self.training.take() {
            terminal::remove_bar(&training.bar);
        }
    }

    fn open_evaluation(&mut self, ctx: &RunContext) {
        if let Some(training) = &self.training {
            training.update();
        }
        let label = match ctx.running_stage() {
            RunningStage::SanityChecking => "sanity check",
            RunningStage::Training | RunningStage::Validating => "validation",
            RunningStage::Testing => "test",
            RunningStage::Predicting => "prediction",
        };
        self.evaluation = self.open(label.to_owned(), ctx.evaluation_batches(), 0, None);
    }

    fn close_evaluation(&mut self) {
        if let Some(evaluation) = self.evaluation.take() {
            terminal::remove_bar(&evaluation.bar);
        }
    }

    fn advance_evaluation(&mut self) {
        if let Some(evaluation) = &mut self.evaluation {
            evaluation.advance();
        }
    }

    fn advance(&mut self, ctx: &RunContext) {
        if !self.is_terminal || terminal::is_taken() {
            return;
        }
        match &mut self.training {
            Some(training) => training.advance(),
            // the dashboard had the terminal, and was closed
            None => self.open_epoch(ctx),
        }
        if self.refreshed.elapsed() >= REFRESH {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            *shown = Shown { run_left: self.run_left(ctx), metrics: metrics(ctx) };
            drop(shown);
            self.refreshed = Instant::now();
        }
    }

    /// The time until the end of the run at its speed so far, with validations.
    fn run_left(&self, ctx: &RunContext) -> Option<Duration> {
        let (since, before) = self.began;
        let done = ctx.total_batches().checked_sub(before).filter(|done| *done > 0)?;
        let epochs = ctx.config().epoch_limit().filter(|epochs| *epochs > 1)?.checked_sub(ctx.current_epoch())?;
        let left = (epochs * ctx.num_training_batches()?).saturating_sub(ctx.progress().batches_ready());
        Duration::try_from_secs_f64(since.elapsed().as_secs_f64() / done as f64 * left as f64).ok()
    }

    fn write_ended(&mut self, ctx: &RunContext) {
        let Some(Ended { epoch, took }) = self.ended.take().filter(|_| !terminal::is_taken()) else { return };
        let epoch = bar_text::epoch(epoch, ctx.config().epoch_limit());
        let (step, seconds) = (ctx.global_step(), took.as_secs_f64());
        let mut line = format!("epoch {epoch}  step {step:>5}  {seconds:.1} s");
        for metric in metrics(ctx) {
            let _ = write!(line, "  {metric}");
        }
        terminal::say(line);
    }
}

/// Returns the values for the bar. Waits for the device.
fn metrics(ctx: &RunContext) -> Vec<String> {
    let metrics = ctx.progress_bar_metrics().into_iter();
    metrics.map(|(name, value)| format!("{name} {}", Number(value))).collect()
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
        self.began = (Instant::now(), ctx.total_batches());
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
        ctx: &mut Context<Step>,
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

    fn on_validation_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.open_evaluation(ctx);
        Ok(())
    }

    fn on_validation_batch_end(
        &mut self,
        _: &mut Context<Step>,
        _: &mut M,
        _: &M::ValidationOutput,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.advance_evaluation();
        Ok(())
    }

    fn on_validation_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.close_evaluation();
        Ok(())
    }

    fn on_test_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.open_evaluation(ctx);
        Ok(())
    }

    fn on_test_batch_end(
        &mut self,
        _: &mut Context<Step>,
        _: &mut M,
        _: &M::TestOutput,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.advance_evaluation();
        Ok(())
    }

    fn on_test_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.close_evaluation();
        Ok(())
    }

    fn on_predict_start(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.open_evaluation(ctx);
        Ok(())
    }

    fn on_predict_batch_end(
        &mut self,
        _: &mut Context<Outside>,
        _: &mut M,
        _: &M::Prediction,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.advance_evaluation();
        Ok(())
    }

    fn on_predict_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.close_evaluation();
        Ok(())
    }

    fn on_exception(&mut self, _: &mut Context<Outside>, _: &mut M, _: &Error) -> Result<()> {
        self.close();
        Ok(())
    }
}
