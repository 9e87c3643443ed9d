//! A generated program that fails on demand, for the tests that look at it from outside.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;
use tch_lightning::metrics::Mean;
use tch_lightning::prelude::*;
use tch_lightning::{
    Every,
    callbacks::{EarlyStopping, ModelCheckpoint, MonitorMode, OnExceptionCheckpoint},
    loggers::CsvLogger,
};

#[derive(Args, Serialize, Deserialize)]
struct Hparams {
    /// What each step does: `none`, `slow`, `stuck`, `nan` or `shape`
    #[arg(long, default_value = "none")]
    fault: String,
    /// Where the checkpoint of a run that fails is written
    #[arg(long)]
    crashes: Option<String>,
    /// Where the module's own checkpoints are written
    #[arg(long)]
    keeps: Option<String>,
    /// Which value the module's early stopping looks at
    #[arg(long)]
    early_stopping: Option<String>,
    /// The learning rate
    #[arg(long, default_value_t = 0.01)]
    lr: f64,
    /// A number that nothing depends on
    #[arg(long, default_value_t = 1.0)]
    limit: f64,
    /// The layer's outputs
    #[arg(long)]
    width: i64,
}

struct Faulty {
    vs: nn::VarStore,
    layer: nn::Linear,
    metric: Mean,
    hparams: Hparams,
}

#[lightning_module]
impl Faulty {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 4, hparams.width, nn::LinearConfig::default());
        Self { vs, layer, metric: Mean::new(), hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<Tensor> {
        let loss = self.step(batch);
        ctx.log("train_loss", &loss).on_epoch(true);
        self.metric.update(&loss)?;
        if from_environment("METRIC_AT") == Some(batch_idx) {
            ctx.log("metric", &self.metric).on_step(false).on_epoch(true);
        }
        Ok(loss)
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor) {
        if let Some(milliseconds) = from_environment("SLOW_VALIDATION") {
            tell();
            sleep(Duration::from_millis(milliseconds));
        }
        ctx.log("val_loss", self.layer.forward(batch).square().mean(Kind::Float));
    }

    fn test_step(&self, batch: &Tensor) {
        let _ = self.step(batch);
    }

    fn predict_step(&self, batch: &Tensor) -> Tensor {
        self.step(batch)
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }

    fn configure_callbacks(&self) -> (Option<OnExceptionCheckpoint>, Option<ModelCheckpoint>, Option<EarlyStopping>) {
        let Hparams { crashes, keeps, early_stopping, .. } = &self.hparams;
        let checkpoints = |folder| ModelCheckpoint::new().dirpath(folder).save_top_k(-1).every(Every::Batches(1));
        (
            crashes.as_ref().map(OnExceptionCheckpoint::new),
            keeps.as_ref().map(checkpoints),
            early_stopping.as_ref().map(|monitor| EarlyStopping::new(monitor).patience(2)),
        )
    }

    fn step(&self, batch: &Tensor) -> Tensor {
        let loss = self.layer.forward(batch).square().mean(Kind::Float);
        if self.hparams.fault != "none" {
            tell();
        }
        match self.hparams.fault.as_str() {
            "slow" => sleep(Duration::from_millis(2)),
            "stuck" => sleep(Duration::MAX),
            "nan" => return loss * f64::NAN,
            "shape" => return batch.matmul(batch),
            _ => {}
        }
        loss
    }
}

/// Tells whoever waits that a step has begun.
fn tell() {
    println!("step");
    let _ = std::io::stdout().flush();
}

#[derive(Args, Serialize, Deserialize)]
struct DataHparams {
    /// Batches in an epoch
    #[arg(long, default_value_t = 5)]
    batches: i64,
}

struct Ones {
    hparams: DataHparams,
}

/// Rows of ones, one of which cannot be read in any time.
#[derive(Clone)]
struct Hanging {
    rows: TensorDataset<Tensor>,
    at: usize,
}

impl Dataset for Hanging {
    type Sample = Tensor;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn get_item(&self, index: usize) -> Result<Tensor> {
        if self.at == index {
            tell();
            sleep(Duration::MAX);
        }
        self.rows.get_item(index)
    }
}

/// A number in the environment, where a test has set it.
fn from_environment<N: std::str::FromStr>(name: &str) -> Option<N> {
    std::env::var(name).ok()?.parse().ok()
}

#[lightning_datamodule]
impl Ones {
    fn new(hparams: DataHparams) -> Self {
        Self { hparams }
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader(from_environment("HANGS_AT"))
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader(from_environment("VALIDATION_HANGS_AT"))
    }

    fn test_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader(None)
    }

    fn predict_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader(from_environment("HANGS_AT"))
    }

    /// Where a sample hangs, two workers read them.
    fn loader(&self, hangs_at: Option<usize>) -> Result<DataLoader<Tensor>> {
        let rows = TensorDataset::new(Tensor::ones([2 * self.hparams.batches, 4], (Kind::Float, Device::Cpu)))?;
        Ok(match hangs_at {
            Some(at) => DataLoader::with_workers(Hanging { rows, at }, 2).batch_size(2),
            None => DataLoader::new(rows).batch_size(2),
        })
    }
}

/// Trains twice, and then does something else, in which a signal finds it.
fn train_and_continue() -> Result<()> {
    let hparams = || Hparams {
        fault: "none".to_owned(),
        crashes: None,
        keeps: None,
        early_stopping: None,
        lr: 0.1,
        limit: 1.0,
        width: 1,
    };
    for _ in 0..2 {
        let config =
            TrainerConfig { fast_dev_run: true.into(), enable_progress_bar: false, ..TrainerConfig::default() };
        let mut data = Ones { hparams: DataHparams { batches: 2 } };
        Trainer::new(config).fit(&mut Faulty::new(hparams()), &mut data)?;
    }
    tell();
    sleep(Duration::MAX);
    Ok(())
}

/// Prints the end of each epoch.
struct Announcer;

#[lightning_callback]
impl Announcer {
    fn on_train_epoch_end(&self, ctx: &mut Context) {
        println!("epoch {} of {:?}", ctx.current_epoch(), ctx.config().max_epochs);
    }
}

/// The program with loggers, callbacks and defaults of its own.
fn built() -> ExitCode {
    let defaults = TrainerConfig { max_epochs: Some(3), enable_progress_bar: false, ..TrainerConfig::default() };
    if let Ok(built @ ("best" | "best weights")) = std::env::var("BUILT").as_deref() {
        let checkpoint = ModelCheckpoint::new().save_weights_only(built == "best weights");
        // each epoch is worse than the one before
        let best = checkpoint.clone().monitor("val_loss").mode(MonitorMode::Max);
        let newest = checkpoint.filename("newest-{epoch}");
        return Faulty::program::<Ones>().trainer_defaults(defaults).callback(best).callback(newest).run();
    }
    Faulty::program::<Ones>()
        .trainer_defaults(defaults)
        .callback(Announcer)
        .callbacks((Announcer, None::<EarlyStopping>))
        .logger(CsvLogger::new("one"))
        .logger(CsvLogger::new("other"))
        .run()
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    if std::env::var_os("ABORT_ON_PANICS").is_some() {
        tch_lightning::__testing::abort_on_panics();
    }
    if std::env::var_os("BUILT").is_some() {
        return built();
    }
    if std::env::args().nth(1).is_some_and(|verb| verb == "train-and-continue") {
        return if train_and_continue().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    Faulty::main::<Ones>()
}
