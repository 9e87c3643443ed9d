//! A training for the tests of resumed runs: `distributed_resume --processes 2 …`. Rank R writes `rankR.json` into the working directory.

mod classifier;

use clap::Parser;
use classifier::{Classifier, Points, Stream, Trace};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use tch_lightning::callbacks::{
    BackboneFinetuning, DeviceStatsMonitor, ExponentialMovingAverage, GradientAccumulationScheduler, GradientMonitor,
    LearningRateMonitor, ModelCheckpoint, OnExceptionCheckpoint, PredictionWriter, SaveLast, StochasticWeightAveraging,
    ThroughputMonitor, Timer, WriteInterval, WritePredictions,
};
use tch_lightning::checkpoint::SaveRequest;
use tch_lightning::data::{DistributedSampler, SequentialSampler};
use tch_lightning::prelude::*;
use tch_lightning::trainer::{BatchSizeFinder, LearningRateFinder};
use tch_lightning::{Every, Loaders, RunContext, messages, seed_everything};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    processes: usize,
    /// The checkpoint to resume from.
    #[arg(long)]
    ckpt_path: Option<PathBuf>,
    #[arg(long, default_value_t = 48)]
    samples: i64,
    /// The samples of a batch of one process.
    #[arg(long, default_value_t = 4)]
    batch_size: usize,
    #[arg(long, default_value_t = 3)]
    epochs: i64,
    #[arg(long, default_value_t = 2)]
    accumulate: usize,
    #[arg(long)]
    killed_in: Option<usize>,
    /// Whether to choose no seed.
    #[arg(long)]
    unseeded: bool,
    /// What the samples come from: a stream, or a sampler that divides them.
    #[arg(long)]
    from: Option<String>,
    #[arg(long)]
    drop_last: bool,
    #[arg(long)]
    limit: Option<usize>,
    #[arg(long)]
    fails_in: Option<usize>,
    #[arg(long)]
    interrupted_in: Option<usize>,
    #[arg(long)]
    callback: Vec<String>,
    /// Another checkpoint to test after the training, which does nothing else then.
    #[arg(long)]
    then_test: Option<String>,
    /// What to do instead of a training.
    #[arg(long)]
    instead: Option<String>,
}

/// Writes a checkpoint after each batch, and after each epoch.
struct Saves;

#[lightning_callback]
impl Saves {
    fn on_train_batch_end(&self, ctx: &mut Context) {
        let path = format!("batch{}.ckpt", ctx.total_batches());
        ctx.save_checkpoint(SaveRequest::new(path));
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        let path = format!("epoch{}.ckpt", ctx.current_epoch());
        ctx.save_checkpoint(SaveRequest::new(path));
    }
}

/// Counts the samples of its process.
#[derive(Default)]
struct Counter {
    sum: i64,
}

#[lightning_callback]
impl Counter {
    fn on_train_batch_end(&mut self, batch: &classifier::Batch) {
        self.sum += batch.0.sum(Kind::Int64).int64_value(&[]);
    }

    fn state_dict(&self) -> serde_json::Value {
        self.sum.into()
    }

    fn load_state_dict(&mut self, state_dict: &serde_json::Value) {
        self.sum = state_dict.as_i64().unwrap_or_default();
    }
}

/// Writes the numbers of the predicted samples to a file of its process.
struct Writer;

impl PredictionWriter<Classifier> for Writer {
    fn write_on_epoch_end(&mut self, ctx: &mut RunContext, _: &mut Classifier, predictions: &[Vec<i64>]) -> Result<()> {
        let path = format!("predictions_{}.json", ctx.rank().global);
        Ok(fs::write(path, serde_json::to_vec(&predictions.concat())?)?)
    }
}

/// The callback with this name.
fn with_callback(trainer: Trainer<Classifier>, name: &str) -> Trainer<Classifier> {
    let kept = || ModelCheckpoint::new().dirpath("kept").save_top_k(-1);
    match name {
        "best" => trainer.callback(kept().monitor("val_loss").save_top_k(2).save_last(SaveLast::Link)),
        "own_best" => trainer.callback(kept().monitor("own_loss").save_top_k(1).save_last(SaveLast::Copy)),
        "by_steps" => trainer.callback(kept().every(Every::OptimizerSteps(2))),
        "by_time" => trainer.callback(kept().every(Every::Time(Duration::from_millis(40)))),
        "on_exception" => trainer.callback(OnExceptionCheckpoint::new("kept")),
        "ema" => trainer.callback(ExponentialMovingAverage::new(0.9)),
        "swa" => trainer.callback(StochasticWeightAveraging::new(0.005).swa_epoch_start(1)),
        "rates" => trainer.callback(LearningRateMonitor::new()),
        "throughput" => {
            let count = |batch: &classifier::Batch| usize::try_from(batch.0.size()[0]).unwrap_or_default();
            trainer.callback(ThroughputMonitor::new().batch_size_fn(count).window_size(2))
        }
        "device" => trainer.callback(DeviceStatsMonitor::new()),
        "gradients" => trainer.callback(GradientMonitor::new()),
        "finetuning" => trainer.callback(BackboneFinetuning::new("first.**").unfreeze_backbone_at_epoch(1)),
        "accumulation" => trainer.callback(GradientAccumulationScheduler::new([(0, 1), (1, 3)])),
        "timer" => trainer.callback(Timer::new().duration(Duration::from_millis(300))),
        other => panic!("there is no callback `{other}`"),
    }
}

fn main() -> Result<()> {
    tch_lightning::__testing::skip_static_destructors();
    messages::init();
    let arguments = Arguments::parse();
    if !arguments.unseeded {
        seed_everything(7);
    }
    let trace = Trace::default();
    let mut config = TrainerConfig::default()
        .devices(arguments.processes)
        .max_epochs(arguments.epochs)
        .accumulate_grad_batches(arguments.accumulate)
        .log_every_n_steps(1)
        .logger(false)
        .enable_checkpointing(false)
        .enable_model_summary(false)
        .enable_progress_bar(false);
    if let Some(limit) = arguments.limit {
        config = config.limit_train_batches(limit);
    }
    let mut classifier = Classifier::new(&trace);
    classifier.killed_in = arguments.killed_in;
    classifier.fails_in = arguments.fails_in;
    classifier.interrupted_in = arguments.interrupted_in;
    let mut trainer = Trainer::new(config).logger(trace.clone()).callback(Counter::default()).callback(Saves);
    for name in &arguments.callback {
        trainer = with_callback(trainer, name);
    }
    if let Some(path) = &arguments.ckpt_path {
        trainer = trainer.ckpt_path(path);
    }
    let training = match arguments.from.as_deref() {
        Some("stream") => DataLoader::iterable(Stream(Points(arguments.samples))),
        Some("sampler") => {
            let rank = std::env::var("RANK").ok().and_then(|rank| rank.parse().ok()).unwrap_or(0);
            let order = SequentialSampler::new(usize::try_from(arguments.samples)?);
            let own = DistributedSampler::new(order, rank, arguments.processes)?;
            DataLoader::new(Points(arguments.samples)).sampler(own)
        }
        _ => DataLoader::with_workers(Points(arguments.samples), 1).shuffle(true).drop_last(arguments.drop_last),
    };
    let training = training.batch_size(arguments.batch_size);
    match arguments.instead.as_deref() {
        Some("predict") => {
            let write = WritePredictions::new(Writer).write_interval(WriteInterval::Epoch);
            let loader = DataLoader::new(Points(arguments.samples)).batch_size(arguments.batch_size);
            trainer.callback(write).predict(&mut classifier, Loaders::evaluation(loader))?;
            return Ok(());
        }
        Some("lr_find") => {
            trainer.lr_find(&mut classifier, Loaders::train(training), &LearningRateFinder::new())?;
            return Ok(());
        }
        Some("scale_batch_size") => {
            let data = |size| Ok(Loaders::train(DataLoader::new(Points(8)).batch_size(size)));
            trainer.scale_batch_size(&mut classifier, data, &BatchSizeFinder::new())?;
            return Ok(());
        }
        _ => {}
    }
    let validation = DataLoader::new(Points(16)).batch_size(4);
    trainer.fit(&mut classifier, Loaders::train(training).with_validation(validation))?;
    let (epoch, global_step) = (trainer.context().current_epoch(), trainer.context().global_step());
    let kept = trainer.find_callback::<ModelCheckpoint>();
    let paths = kept.map(|kept| [kept.best_model_path(), kept.last_model_path()].map(|path| path.map(Path::to_owned)));
    let mut tested = None;
    if let Some(path) = arguments.then_test {
        trainer = trainer.ckpt_path(path.as_str());
        let loader = DataLoader::new(Points(16)).batch_size(4);
        let metrics = trainer.test(&mut classifier, Loaders::evaluation(loader))?;
        tested = Some((trainer.context().ckpt_path().map(Path::to_owned), metrics));
    }
    let counted = trainer.find_callback::<Counter>().map(|counter| counter.sum);
    let ctx = trainer.context();
    let metrics = ctx.callback_metrics().into_iter().map(|(name, value)| (name, format!("{:016x}", value.to_bits())));
    let results = json!({
        "weights": classifier.weights(),
        "metrics": metrics.collect::<std::collections::BTreeMap<_, _>>(),
        "losses": *trace.losses.borrow(),
        "samples": *trace.samples.borrow(),
        "rows": *trace.rows.borrow(),
        "counted": counted,
        "epoch": epoch,
        "global_step": global_step,
        "paths": paths,
        "tested": tested,
    });
    Ok(fs::write(format!("rank{}.json", ctx.rank().global), results.to_string())?)
}
