//! A random training: intervals in all units, callbacks in any order, schedules, stops, and hooks that set things.

use fastrand::Rng;
use tch_lightning::{
    Every, TrainerConfig,
    precision::Precision,
    trainer::{BatchLimit, NonFiniteLoss, ValCheckInterval},
};

/// What is trained, and how. It is printed where a resumed run differs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The trainer's configuration.
    pub config: TrainerConfig,
    /// The training batches that the loader has.
    pub batches: usize,
    /// Whether the loader is a stream that does not know its length.
    pub is_stream: bool,
    /// The loader's worker threads.
    pub workers: usize,
    /// Whether the batches are shuffled.
    pub shuffles: bool,
    /// The optimizer's number in `model.rs`.
    pub optimizer: usize,
    /// The scheduler, if there is one.
    pub scheduler: Option<Schedule>,
    /// The callbacks, in the order in which they are added.
    pub callbacks: Vec<Planned>,
    /// When checkpoints are written.
    pub saves: Saves,
    /// The batch after which a hook stops the training: epoch and batch.
    pub stops_at: Option<(usize, usize)>,
    /// Where a hook sets `accumulate_grad_batches`, and to what.
    pub accumulates: Option<Accumulates>,
    /// The epoch at whose start a hook freezes the backbone, until the next one.
    pub freezes: Option<usize>,
    /// The epoch and the batch whose loss is NaN, so that its step is skipped.
    pub bad_loss: Option<(usize, usize)>,
    /// Whether the module steps two optimizers by itself, and toggles them over whole epochs.
    pub is_manual: bool,
}

/// Another number of batches to accumulate.
#[derive(Clone, Copy, Debug)]
pub struct Accumulates {
    /// From this epoch on.
    pub epoch: usize,
    /// From after this batch on, or from the epoch's start.
    pub batch: Option<usize>,
    /// The number.
    pub batches: usize,
}

/// A scheduler with when it steps.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Whether it watches the training loss.
    pub is_plateau: bool,
    /// Every how many steps or epochs.
    pub frequency: usize,
    /// Whether it counts steps rather than epochs.
    pub by_step: bool,
    /// The clock, in place of the two.
    pub every: Option<Every>,
}

/// A callback with who adds it.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// The callback.
    pub kind: Kind,
    /// Whether the module configures it.
    pub by_module: bool,
}

/// The callbacks that keep a state or change the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Writes the checkpoints.
    ModelCheckpoint,
    /// Watches the validation loss or the training loss, with this patience.
    EarlyStopping(usize, bool),
    /// Averages, by steps.
    ExponentialMovingAverage(usize),
    /// Averages from this epoch on, counted from 1.
    StochasticWeightAveraging(usize),
    /// Unfreezes in this epoch.
    BackboneFinetuning(usize),
    /// Accumulates more batches from an epoch on.
    GradientAccumulationScheduler(usize, usize),
    /// Logs the rates.
    LearningRateMonitor,
}

/// When checkpoints are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Saves {
    /// On a clock.
    Every(Every),
    /// After validation.
    Validation,
    /// After training epochs.
    TrainEpoch,
    /// When a callback of the user's asks for them.
    Asked(Asked),
}

/// The hook in which a callback asks for checkpoints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Asked {
    /// `on_train_epoch_start`
    TrainEpochStart,
    /// `on_train_batch_start`
    TrainBatchStart,
    /// `on_train_batch_end`
    TrainBatchEnd,
    /// `on_validation_epoch_start`
    ValidationEpochStart,
    /// `on_validation_batch_end`
    ValidationBatchEnd,
    /// `on_validation_end`
    ValidationEnd,
    /// `on_train_epoch_end`
    TrainEpochEnd,
}

fn maybe<T>(rng: &mut Rng, one_in: usize, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    (rng.usize(0..one_in) == 0).then(|| value(rng))
}

fn clock(rng: &mut Rng, up_to: usize) -> Every {
    let count = rng.usize(1..=up_to);
    match rng.usize(0..3) {
        0 => Every::Batches(count),
        1 => Every::OptimizerSteps(count),
        _ => Every::Epochs(count.min(3)),
    }
}

impl Plan {
    /// The plan of this number. Some make no sense, which `fit` says.
    pub fn random(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let batches = rng.usize(2..=7);
        let is_manual = rng.usize(0..5) == 0;
        let callbacks = callbacks(rng, is_manual);
        let unfreezes = callbacks.iter().any(|planned| matches!(planned.kind, Kind::BackboneFinetuning(_)));
        let is_stream = rng.usize(0..4) == 0;
        Self {
            config: config(rng, batches, is_manual),
            batches,
            is_stream,
            workers: if rng.usize(0..4) == 0 { 2 } else { 0 },
            shuffles: !is_stream && rng.bool(),
            optimizer: rng.usize(0..3),
            scheduler: maybe(rng, 2, schedule),
            callbacks,
            saves: match rng.usize(0..5) {
                0 => Saves::Validation,
                1 => Saves::TrainEpoch,
                4 => Saves::Asked(asked(rng)),
                2 => Saves::Every(Every::Batches(1)),
                _ => Saves::Every(clock(rng, 3)),
            },
            stops_at: maybe(rng, 5, |rng| (rng.usize(0..3), rng.usize(0..batches))),
            accumulates: maybe(rng, 4, |rng| accumulates(rng, batches)).filter(|_| !is_manual),
            freezes: maybe(rng, 4, |rng| rng.usize(0..3)).filter(|_| !is_manual && !unfreezes),
            bad_loss: maybe(rng, 4, |rng| (rng.usize(0..3), rng.usize(0..batches))),
            is_manual,
        }
    }
}

fn asked(rng: &mut Rng) -> Asked {
    let all = [
        Asked::TrainEpochStart,
        Asked::TrainBatchStart,
        Asked::TrainBatchEnd,
        Asked::ValidationEpochStart,
        Asked::ValidationBatchEnd,
        Asked::ValidationEnd,
        Asked::TrainEpochEnd,
    ];
    all[rng.usize(0..all.len())]
}

fn accumulates(rng: &mut Rng, batches: usize) -> Accumulates {
    Accumulates { epoch: rng.usize(0..2), batch: maybe(rng, 2, |rng| rng.usize(0..batches)), batches: rng.usize(1..=3) }
}

fn config(rng: &mut Rng, batches: usize, is_manual: bool) -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(rng.i64(2..=4)),
        max_steps: maybe(rng, 6, |rng| rng.i64(1..=12)),
        min_epochs: maybe(rng, 4, |rng| rng.usize(1..=4)),
        min_steps: maybe(rng, 6, |rng| rng.usize(1..=12)),
        limit_train_batches: maybe(rng, 4, |rng| BatchLimit::Batches(rng.usize(1..=batches + 1)))
            .unwrap_or(BatchLimit::ALL),
        val_check_interval: match rng.usize(0..4) {
            0 => ValCheckInterval::EPOCH_END,
            1 => ValCheckInterval::Fraction(0.5),
            _ => ValCheckInterval::Every(clock(rng, 4)),
        },
        check_val_every_n_epoch: maybe(rng, 6, |_| None).unwrap_or_else(|| Some(rng.usize(1..=2))),
        reload_dataloaders_every_n_epochs: rng.usize(0..=3),
        accumulate_grad_batches: if is_manual || rng.bool() { 1 } else { rng.usize(2..=4) },
        gradient_clip_val: maybe(rng, 4, |_| 0.1).filter(|_| !is_manual),
        log_every_n_steps: rng.usize(1..=4),
        precision: if rng.usize(0..6) == 0 { Precision::BFloat16Mixed } else { Precision::default() },
        async_checkpointing: rng.usize(0..4) == 0,
        on_non_finite_loss: NonFiniteLoss::SkipStep,
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

fn schedule(rng: &mut Rng) -> Schedule {
    Schedule {
        is_plateau: rng.usize(0..3) == 0,
        frequency: rng.usize(1..=3),
        by_step: rng.bool(),
        every: maybe(rng, 2, |rng| clock(rng, 4)),
    }
}

/// A module that toggles its optimizers has no parameters to unfreeze.
fn callbacks(rng: &mut Rng, is_manual: bool) -> Vec<Planned> {
    let all = [
        Kind::EarlyStopping(rng.usize(1..=3), rng.bool()),
        Kind::ExponentialMovingAverage(rng.usize(1..=2)),
        Kind::StochasticWeightAveraging(rng.usize(1..=3)),
        Kind::BackboneFinetuning(rng.usize(0..=2)),
        Kind::GradientAccumulationScheduler(rng.usize(0..=2), rng.usize(1..=3)),
        Kind::LearningRateMonitor,
    ];
    let mut kinds = vec![Kind::ModelCheckpoint];
    let is_possible = |kind: &Kind| !is_manual || !matches!(kind, Kind::BackboneFinetuning(_));
    kinds.extend(all.into_iter().filter(is_possible).filter(|_| rng.usize(0..3) == 0));
    rng.shuffle(&mut kinds);
    kinds.into_iter().map(|kind| Planned { kind, by_module: rng.bool() }).collect()
}
