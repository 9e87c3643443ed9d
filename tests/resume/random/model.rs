//! The modules that a plan trains: one whose optimizer the trainer steps, and one that steps two by itself.

use super::plan::{Asked, Kind, Plan, Saves};
use crate::resume::{Points, Trace, Weights, weights_of};
use std::path::{Path, PathBuf};
use tch_lightning::data::{IterableDataset, WorkerInfo};
use tch_lightning::prelude::*;
use tch_lightning::schedule::LrSchedulerConfig;
use tch_lightning::{
    Error, Every, LightningModule, RunContext,
    callbacks::{
        BackboneFinetuning, EarlyStopping, ExponentialMovingAverage, GradientAccumulationScheduler,
        LearningRateMonitor, ModelCheckpoint, StochasticWeightAveraging,
    },
    checkpoint::SaveRequest,
    module::ScheduledOptimizer,
    seed_everything,
    trainer::EndReason,
};

/// The last line of a run that a hook has stopped.
pub const STOPPED: &str = "stopped";

/// Samples of a batch.
const BATCH: i64 = 4;

/// Two layers with a batch norm and dropout between them.
struct Net {
    vs: nn::VarStore,
    backbone: nn::Linear,
    norm: nn::BatchNorm,
    head: nn::Linear,
    plan: Plan,
    trace: Trace,
    folder: PathBuf,
}

impl Net {
    fn new(plan: &Plan, trace: &Trace, folder: &Path) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let backbone = nn::linear(vs.root() / "backbone" / "linear", 4, 8, nn::LinearConfig::default());
        let norm = nn::batch_norm1d(vs.root() / "backbone" / "norm", 8, nn::BatchNormConfig::default());
        let head = nn::linear(vs.root() / "head", 8, 3, nn::LinearConfig::default());
        Self { vs, backbone, norm, head, plan: plan.clone(), trace: trace.clone(), folder: folder.to_owned() }
    }

    fn loss(&self, (points, classes): &Points, train: bool) -> Tensor {
        let hidden = self.norm.forward_t(&self.backbone.forward(points), train).relu().dropout(0.2, train);
        self.head.forward(&hidden).cross_entropy_for_logits(classes)
    }

    fn train_loader(&self, ctx: &RunContext) -> Result<DataLoader<Points>> {
        self.trace.load("train_dataloader", ctx.current_epoch());
        let samples = self.plan.batches as i64 * BATCH;
        let loader = if self.plan.is_stream {
            DataLoader::iterable_with_workers(Stream(samples), self.plan.workers)
        } else {
            DataLoader::with_workers(crate::resume::points(samples, 0.0)?, self.plan.workers)
                .shuffle(self.plan.shuffles)
        };
        Ok(loader.batch_size(BATCH as usize).seed(7))
    }

    fn val_loader(&self, ctx: &RunContext) -> Result<DataLoader<Points>> {
        self.trace.load("val_dataloader", ctx.current_epoch());
        Ok(DataLoader::new(crate::resume::points(10, 1000.0)?).batch_size(4))
    }

    /// The loss of the running batch, for training and for the log.
    fn training_loss(&self, ctx: &mut Context, batch: &Points, batch_idx: usize) -> Tensor {
        let loss = self.loss(batch, true);
        ctx.log("batch", ctx.total_batches());
        ctx.log("train_loss", &loss).on_epoch(true);
        if self.plan.bad_loss == Some((ctx.current_epoch(), batch_idx)) { loss * f64::NAN } else { loss }
    }

    fn begin_epoch(&self, ctx: &mut Context<tch_lightning::context::phase::Epoch>) -> Result<()> {
        if let Some(epoch) = self.plan.freezes {
            for parameter in [&self.backbone.ws, self.backbone.bs.as_ref().unwrap_or(&self.backbone.ws)] {
                let _ = parameter.set_requires_grad(epoch != ctx.current_epoch());
            }
        }
        self.set_accumulation(ctx, None)
    }

    fn set_accumulation(&self, ctx: &mut RunContext, batch: Option<usize>) -> Result<()> {
        if let Some(accumulates) = self.plan.accumulates
            && (accumulates.epoch, accumulates.batch) == (ctx.current_epoch(), batch)
        {
            ctx.set_accumulate_grad_batches(accumulates.batches)?;
        }
        Ok(())
    }

    fn end_batch(&self, ctx: &mut Context, batch_idx: usize) -> Result<()> {
        self.trace.line(format!("module after batch {batch_idx}"));
        self.set_accumulation(ctx, Some(batch_idx))?;
        if self.plan.stops_at == Some((ctx.current_epoch(), batch_idx)) {
            ctx.stop();
        }
        Ok(())
    }

    fn optimizer(&self) -> ScheduledOptimizer {
        let optimizer = match self.plan.optimizer {
            0 => Sgd::new(0.1).momentum(0.9).into_optimizer(),
            1 => AdamW::new(0.02).into_optimizer(),
            _ => Adam::new(0.02).over("head.**").group("backbone.**", Adam::new(0.01)).into_optimizer(),
        };
        let Some(schedule) = self.plan.scheduler else { return optimizer };
        let mut config = if schedule.is_plateau {
            LrSchedulerConfig::from(ReduceLrOnPlateau::default().patience(0).threshold(10.0))
                .monitor("train_loss")
                .strict(false)
        } else {
            LrSchedulerConfig::from(StepLr::new(2).gamma(0.7))
        };
        config = config.frequency(schedule.frequency);
        if schedule.by_step {
            config = config.interval(tch_lightning::schedule::Interval::Step);
        }
        if let Some(every) = schedule.every {
            config = config.every(every);
        }
        optimizer.lr_scheduler(config)
    }

    fn checkpoints(&self) -> ModelCheckpoint {
        let checkpoints = crate::resume::checkpoints(&self.folder);
        match self.plan.saves {
            Saves::Every(Every::Epochs(_)) | Saves::TrainEpoch | Saves::Asked(_) => {
                checkpoints.save_on_train_epoch_end(true)
            }
            Saves::Every(every) => checkpoints.every(every),
            Saves::Validation => checkpoints.save_on_train_epoch_end(false),
        }
    }

    fn callbacks<M>(&self, by_module: bool) -> Vec<Box<dyn Callback<M>>>
    where
        M: LightningModule<Batch = Points>,
    {
        let mut callbacks: Vec<Box<dyn Callback<M>>> = Vec::new();
        for planned in self.plan.callbacks.iter().filter(|planned| planned.by_module == by_module) {
            callbacks.push(match planned.kind {
                Kind::ModelCheckpoint => match self.plan.saves {
                    Saves::Asked(hook) => Box::new(Asking { folder: self.folder.clone(), hook }),
                    _ => Box::new(self.checkpoints()),
                },
                Kind::EarlyStopping(patience, of_training) => Box::new(
                    EarlyStopping::new(if of_training { "train_loss" } else { "val_loss" })
                        .patience(patience)
                        .min_delta(0.05)
                        .strict(false)
                        .restore_best(patience % 2 == 1),
                ),
                Kind::ExponentialMovingAverage(steps) => {
                    Box::new(ExponentialMovingAverage::new(0.9).update_every_n_steps(steps))
                }
                Kind::StochasticWeightAveraging(epoch) => {
                    Box::new(StochasticWeightAveraging::new(0.05).swa_epoch_start(epoch))
                }
                Kind::BackboneFinetuning(epoch) => {
                    Box::new(BackboneFinetuning::new("backbone.**").unfreeze_backbone_at_epoch(epoch))
                }
                Kind::GradientAccumulationScheduler(epoch, batches) => {
                    Box::new(GradientAccumulationScheduler::new([(epoch, batches)]))
                }
                Kind::LearningRateMonitor => Box::new(LearningRateMonitor::new()),
            });
        }
        callbacks
    }
}

/// Asks for checkpoints, as a callback of the user's may, wherever it stands in the list.
struct Asking {
    folder: PathBuf,
    hook: Asked,
}

impl Asking {
    fn ask(&self, ctx: &mut RunContext, hook: Asked) {
        if hook != self.hook || ctx.sanity_checking() {
            return;
        }
        let name = format!("{}-{}.ckpt", ctx.current_epoch(), ctx.total_batches());
        ctx.save_checkpoint(SaveRequest::new(self.folder.join(name)));
    }
}

#[lightning_callback]
impl Asking {
    fn on_train_epoch_start(&self, ctx: &mut Context) {
        self.ask(ctx, Asked::TrainEpochStart);
    }

    fn on_train_batch_start(&self, ctx: &mut Context) {
        self.ask(ctx, Asked::TrainBatchStart);
    }

    fn on_train_batch_end(&self, ctx: &mut Context) {
        self.ask(ctx, Asked::TrainBatchEnd);
    }

    fn on_validation_epoch_start(&self, ctx: &mut Context) {
        self.ask(ctx, Asked::ValidationEpochStart);
    }

    fn on_validation_batch_end(&self, ctx: &mut Context) {
        self.ask(ctx, Asked::ValidationBatchEnd);
    }

    fn on_validation_end(&self, ctx: &mut Context) {
        self.ask(ctx, Asked::ValidationEnd);
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        self.ask(ctx, Asked::TrainEpochEnd);
    }
}

/// Points in their order.
#[derive(Clone)]
struct Stream(i64);

impl IterableDataset for Stream {
    type Sample = Points;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = Result<Points>> {
        worker.share(0..self.0).map(|n| {
            let (points, classes) = crate::resume::rows(1, n as f64);
            Ok((points.squeeze_dim(0), classes.squeeze_dim(0)))
        })
    }
}

struct Automatic(Net);

#[lightning_module]
impl Automatic {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn configure_callbacks(&mut self) -> Vec<Box<dyn Callback<Self>>> {
        self.0.callbacks(true)
    }

    fn configure_optimizers(&self) -> ScheduledOptimizer {
        self.0.optimizer()
    }

    fn train_dataloader(&self, ctx: &mut Context) -> Result<DataLoader<Points>> {
        self.0.train_loader(ctx)
    }

    fn val_dataloader(&self, ctx: &mut Context) -> Result<DataLoader<Points>> {
        self.0.val_loader(ctx)
    }

    fn on_train_epoch_start(&self, ctx: &mut Context) -> Result<()> {
        self.0.begin_epoch(ctx)
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Points, batch_idx: usize) -> Tensor {
        self.0.training_loss(ctx, batch, batch_idx)
    }

    fn on_train_batch_end(&self, ctx: &mut Context, batch_idx: usize) -> Result<()> {
        self.0.end_batch(ctx, batch_idx)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Points) {
        ctx.log("val_loss", self.0.loss(batch, false));
    }
}

struct Manual(Net);

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn configure_callbacks(&mut self) -> Vec<Box<dyn Callback<Self>>> {
        self.0.callbacks(true)
    }

    fn configure_optimizers(&self) -> Optimizers {
        (Adam::new(0.02).over("head.**"), Sgd::new(0.1).over("backbone.**")).into()
    }

    fn train_dataloader(&self, ctx: &mut Context) -> Result<DataLoader<Points>> {
        self.0.train_loader(ctx)
    }

    fn val_dataloader(&self, ctx: &mut Context) -> Result<DataLoader<Points>> {
        self.0.val_loader(ctx)
    }

    fn on_train_epoch_start(&self, ctx: &mut Context) -> Result<()> {
        let optimizer = ctx.current_epoch() % 2;
        ctx.toggle_optimizer(optimizer);
        self.0.begin_epoch(ctx)
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Points, batch_idx: usize) -> Result<()> {
        let loss = self.0.training_loss(ctx, batch, batch_idx);
        let optimizer = ctx.current_epoch() % 2;
        ctx.manual_backward(self, &loss)?;
        // gradients are gathered over batches, also beyond the end of an epoch
        if ctx.total_batches().is_multiple_of(3) {
            ctx.manual_step(self, optimizer)?;
            ctx.optimizer(optimizer).zero_grad()?;
        }
        Ok(())
    }

    fn on_train_batch_end(&self, ctx: &mut Context, batch_idx: usize) -> Result<()> {
        self.0.end_batch(ctx, batch_idx)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Points) {
        ctx.log("val_loss", self.0.loss(batch, false));
    }
}

/// Trains by a plan, from the beginning or after a checkpoint, with checkpoints in `folder`. `seed` decides the first weights and the
/// dropout. Returns the weights.
pub fn train(plan: &Plan, seed: i64, trace: &Trace, folder: &Path, after: Option<&Path>) -> Result<Weights, Error> {
    seed_everything(seed);
    let net = Net::new(plan, trace, folder);
    if plan.is_manual {
        let mut module = Manual(net);
        let mut trainer = trainer(plan, &module.0, after);
        trainer.fit(&mut module, ())?;
        note_stop(&trainer, trace);
        Ok(weights_of(&module.0.vs))
    } else {
        let mut module = Automatic(net);
        let mut trainer = trainer(plan, &module.0, after);
        trainer.fit(&mut module, ())?;
        note_stop(&trainer, trace);
        Ok(weights_of(&module.0.vs))
    }
}

fn note_stop<M: LightningModule>(trainer: &Trainer<M>, trace: &Trace) {
    if matches!(trainer.context().end_reason(), Some(EndReason::Stopped(_))) {
        trace.line(STOPPED.to_owned());
    }
}

fn trainer<M>(plan: &Plan, net: &Net, after: Option<&Path>) -> Trainer<M>
where
    M: LightningModule<Batch = Points>,
{
    let trainer = Trainer::new(plan.config.clone()).logger(net.trace.clone()).callback(net.trace.clone());
    let trainer = trainer.callbacks(net.callbacks(false));
    match after {
        Some(checkpoint) => trainer.ckpt_path(checkpoint),
        None => trainer,
    }
}
