//! A generated program that fails on demand, in one of its processes: `FAULT` says what happens, `FAULT_AT` where, and `FAULT_RANK` on which
//! rank. The time of the fault, in milliseconds since 1970, is appended to the file `fault`.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::Write;
use std::process::{ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tch_lightning::data::{IterableDataset, Sampler, WorkerInfo};
use tch_lightning::metrics::Mean;
use tch_lightning::prelude::*;
use tch_lightning::strategy::Rank;
use tch_lightning::{messages, strategy::StrategyConfig};

#[derive(Args, Serialize, Deserialize)]
struct Hparams {
    /// The layer's outputs
    #[arg(long, default_value_t = 1)]
    width: i64,
}

struct Faulty {
    vs: nn::VarStore,
    layer: nn::Linear,
    values: Mean,
}

fn from_environment(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn number(name: &str) -> Option<usize> {
    from_environment(name).parse().ok()
}

/// Whether this rank fails here.
fn is_here(rank: Rank, place: &str) -> bool {
    let is_first = from_environment("FAULT_ONCE").is_empty() || !std::path::Path::new("fault").exists();
    from_environment("FAULT_AT") == place && number("FAULT_RANK") == Some(rank.global) && is_first
}

fn signal(name: &str) {
    let _ = std::process::Command::new("kill").args([name, &std::process::id().to_string()]).status();
}

/// Starts a program that lives longer than this one, and is not one of those that the test waits for.
fn start_child() -> Result<()> {
    let mut command = std::process::Command::new("sleep");
    command.arg("40").env_remove("TOKEN_OF_TEST").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn()?;
    Ok(())
}

/// Writes down the time of the fault.
fn note_time() -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(writeln!(OpenOptions::new().create(true).append(true).open("fault")?, "{now}")?)
}

/// Fails in the way of `FAULT`.
fn fail() -> Result<()> {
    note_time()?;
    match from_environment("FAULT").as_str() {
        "error" => anyhow::bail!("this hook fails on purpose"),
        "panic" => panic!("this hook panics on purpose"),
        "exit" => std::process::exit(3),
        "abort" => std::process::abort(),
        "kill" => signal("-KILL"),
        "child" => {
            start_child()?;
            anyhow::bail!("this hook fails on purpose");
        }
        "killed with child" => {
            start_child()?;
            signal("-KILL");
        }
        "stop" => signal("-STOP"),
        "term" => signal("-TERM"),
        "int" => signal("-INT"),
        // until the test releases it
        "hold" => {
            while !std::path::Path::new("released").exists() {
                sleep(Duration::from_millis(5));
            }
        }
        // until it is ended from outside
        "sleep" => sleep(Duration::from_secs(1_000)),
        _ => {}
    }
    Ok(())
}

#[lightning_module]
impl Faulty {
    fn new(hparams: Hparams) -> Self {
        let rank = number("RANK").unwrap_or_default();
        // models that differ
        let width = hparams.width + if from_environment("FAULT") == "shapes" { rank as i64 } else { 0 };
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 4, width, nn::LinearConfig::default());
        Self { vs, layer, values: Mean::new() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<Tensor> {
        if number("SHOW_SAMPLES").is_some() {
            let samples: Vec<String> =
                Vec::<i64>::try_from(batch.f_select(1, 0)?)?.iter().map(i64::to_string).collect();
            println!("samples on rank {}: {}", ctx.rank().global, samples.join(" "));
        }
        sleep(Duration::from_millis(number("SLOW").unwrap_or(5) as u64));
        let mut loss = self.layer.forward(&(batch / 100.0)).square().mean(Kind::Float);
        let is_in_epoch = ctx.current_epoch() == number("FAULT_EPOCH").unwrap_or_default();
        if batch_idx == 3 && is_in_epoch && is_here(ctx.rank(), "training") {
            fail()?;
            match from_environment("FAULT").as_str() {
                "nan" => loss *= f64::NAN,
                "names" => _ = ctx.log("another", &loss).sync_dist(true),
                _ => {}
            }
        }
        if batch_idx == 4 && is_here(ctx.rank(), "batch 4") {
            loss *= f64::NAN;
        }
        if from_environment("FAULT") == "names" {
            ctx.log("loss", &loss).sync_dist(true);
        }
        Ok(loss)
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) -> Result<()> {
        let (epoch, rank, step) = (ctx.current_epoch(), ctx.rank().global, ctx.global_step());
        println!("threads on rank {rank}: {}", tch::get_num_threads());
        println!(
            "epoch {epoch} on rank {rank}: step {step}, weights {:?}",
            Vec::<f32>::try_from(self.layer.ws.flatten(0, -1))?
        );
        Ok(())
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<()> {
        if batch_idx == 1 && is_here(ctx.rank(), "validation") {
            fail()?;
        }
        sleep(Duration::from_millis(number("SLOW_VALIDATION").unwrap_or(0) as u64));
        self.evaluate(ctx, batch)
    }

    fn test_step(&self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        self.evaluate(ctx, batch)
    }

    fn predict_step(&self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<Tensor> {
        sleep(Duration::from_millis(number("SLOW").unwrap_or(5) as u64));
        if batch_idx == 1 && is_here(ctx.rank(), "prediction") {
            fail()?;
        }
        Ok(self.layer.forward(batch))
    }

    fn on_save_checkpoint(&self, ctx: &mut Context) -> Result<()> {
        if ctx.global_step() > 3 && is_here(ctx.rank(), "checkpoint") {
            fail()?;
        }
        Ok(())
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.01)
    }

    /// Logs the mean of the data, and the number of samples, each over all ranks.
    fn evaluate(&self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        let values = batch.f_select(1, 0)?;
        self.values.update(&values)?;
        ctx.log("mean_metric", &self.values);
        ctx.log("mean", values.mean(Kind::Float)).sync_dist(true);
        ctx.log("samples", batch.size()[0] as f64).reduce(Reduction::Sum).sync_dist(true);
        Ok(())
    }
}

#[derive(Args, Serialize, Deserialize)]
struct DataHparams {
    /// Samples
    #[arg(long, default_value_t = 64)]
    samples: i64,
    /// Workers of the stream; a dataset is read without
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Whether the samples are a stream
    #[arg(long)]
    stream: bool,
}

struct Rows {
    hparams: DataHparams,
}

/// The numbers below a limit as rows, of which each rank may have its own number.
#[derive(Clone)]
struct Numbers {
    below: i64,
}

impl IterableDataset for Numbers {
    type Sample = Tensor;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = Result<Tensor>> {
        let is_faulty = from_environment("FAULT_AT") == "stream"
            && number("FAULT_RANK") == Some(number("RANK").unwrap_or_default());
        let kind = from_environment("FAULT");
        let of_worker: Vec<i64> = worker.share(0..self.below).collect();
        let length = if is_faulty && kind == "short" { of_worker.len() / 2 } else { of_worker.len() };
        of_worker.into_iter().take(length).enumerate().map(move |(position, number)| {
            if is_faulty && position == if kind == "short" { length - 1 } else { 3 } {
                fail()?;
            }
            Ok(Tensor::full([4], number as f64, (Kind::Float, Device::Cpu)))
        })
    }
}

#[lightning_datamodule]
impl Rows {
    fn new(hparams: DataHparams) -> Self {
        Self { hparams }
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn test_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn predict_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn loader(&self) -> Result<DataLoader<Tensor>> {
        let DataHparams { mut samples, workers, stream } = self.hparams;
        if stream {
            return Ok(DataLoader::iterable_with_workers(Numbers { below: samples }, workers).batch_size(2));
        }
        // ranks with numbers of samples of their own
        if from_environment("FAULT") == "uneven" {
            samples -= 6 * number("RANK").unwrap_or_default() as i64;
        }
        let rows = Tensor::arange(samples, (Kind::Float, Device::Cpu)).f_unsqueeze(1)?.f_expand([samples, 4], false)?;
        let loader = DataLoader::new(TensorDataset::new(rows)?).batch_size(2);
        // one rank without a batch
        if from_environment("FAULT") == "empty" && number("FAULT_RANK") == Some(number("RANK").unwrap_or_default()) {
            return Ok(loader.sampler(OneSample).drop_last(true));
        }
        Ok(loader)
    }
}

/// A sampler of the first sample.
struct OneSample;

impl Sampler for OneSample {
    fn len(&self) -> usize {
        1
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        vec![0]
    }
}

/// Trains, tests and trains again in one program.
fn several_verbs() -> Result<()> {
    messages::init();
    let config = TrainerConfig::default()
        .devices(2_usize)
        .strategy("ddp".parse::<StrategyConfig>().map_err(anyhow::Error::msg)?)
        .max_epochs(1)
        .logger(false)
        .enable_checkpointing(false)
        .enable_progress_bar(false)
        .enable_model_summary(false);
    let mut data = Rows { hparams: DataHparams { samples: 16, workers: 0, stream: false } };
    let mut module = Faulty::new(Hparams { width: 1 });
    for _ in 0..2 {
        let mut trainer = Trainer::new(config.clone());
        trainer.fit(&mut module, &mut data)?;
        let metrics = trainer.test(&mut module, &mut data)?;
        println!("{} on rank {}: {metrics:?}", std::process::id(), trainer.context().rank().global);
    }
    if number("FAULT_RANK") == number("RANK") {
        // after all runs, rank 0 being fine
        std::process::exit(number("EXIT").unwrap_or_default() as i32);
    }
    Ok(())
}

/// Trains in the orders of random samplers that the trainer does not divide. `seed` seeds each rank before that.
fn undivided(seed: Option<usize>) -> Result<()> {
    messages::init();
    if let Some(seed) = seed {
        tch_lightning::seed_everything(seed as i64);
    }
    let config = TrainerConfig::default()
        .devices(2_usize)
        .strategy("ddp".parse::<StrategyConfig>().map_err(anyhow::Error::msg)?)
        .max_epochs(1)
        .use_distributed_sampler(false)
        .logger(false)
        .enable_checkpointing(false)
        .enable_progress_bar(false)
        .enable_model_summary(false);
    let rows = Rows { hparams: DataHparams { samples: 16, workers: 0, stream: false } };
    let loaders = tch_lightning::Loaders::train(rows.loader()?.shuffle(true));
    Ok(Trainer::new(config).fit(&mut Faulty::new(Hparams { width: 1 }), loaders)?)
}

/// Another program, for one of the ranks.
struct Other {
    vs: nn::VarStore,
}

#[lightning_module]
impl Other {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        batch.mean(Kind::Float)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([4, 4], (Kind::Float, Device::Cpu)))?))
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.01)
    }
}

fn other_program() -> Result<()> {
    let strategy = "{name: ddp, timeout: 5s}".parse::<StrategyConfig>().map_err(anyhow::Error::msg)?;
    let config = TrainerConfig::default().max_epochs(1).strategy(strategy);
    let config = config.enable_progress_bar(false).enable_model_summary(false);
    Ok(Trainer::new(config).fit(&mut Other { vs: nn::VarStore::new(Device::Cpu) }, ())?)
}

fn ended(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    if from_environment("FAULT") == "early_exit" && number("FAULT_RANK") == number("RANK") {
        return ExitCode::from(number("EXIT").unwrap_or_default() as u8);
    }
    if from_environment("FAULT") == "program" && number("RANK") == Some(1) {
        return ended(other_program());
    }
    if from_environment("FAULT") == "several_verbs" {
        return ended(several_verbs());
    }
    if from_environment("FAULT") == "unseeded" {
        return ended(undivided(None));
    }
    if from_environment("FAULT") == "seed_of_each_rank" {
        return ended(undivided(Some(1 + number("RANK").unwrap_or_default())));
    }
    let defaults = TrainerConfig::default().max_epochs(3).enable_progress_bar(false).enable_model_summary(false);
    Faulty::program::<Rows>().trainer_defaults(defaults).run()
}
