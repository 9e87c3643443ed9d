//! A generated program whose processes do not call the same operations: `CASE` says how. The time at which the first of them begins to differ
//! is appended to the file `fault`.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tch_lightning::checkpoint::SaveRequest;
use tch_lightning::context::RunContext;
use tch_lightning::metrics::Mean;
use tch_lightning::prelude::*;
use tch_lightning::strategy::SyncBatchNorm;

#[derive(Args, Serialize, Deserialize)]
struct Hparams {}

fn is(case: &str) -> bool {
    std::env::var("CASE").is_ok_and(|given| given == case)
}

/// Whether this is rank 1, before the processes are connected.
fn is_rank_1() -> bool {
    std::env::var("RANK").is_ok_and(|rank| rank == "1")
}

fn freeze(layer: &nn::Linear) {
    let bias = layer.bs.as_ref().expect("the layer has a bias");
    let _ = bias.shallow_clone().requires_grad_(false);
}

/// Writes down the time at which the processes begin to differ.
fn note_time() -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(writeln!(OpenOptions::new().create(true).append(true).open("fault")?, "{now}")?)
}

struct Disagreeing {
    vs: nn::VarStore,
    layer: nn::Linear,
    norm: Option<SyncBatchNorm>,
    mean: Mean,
}

impl Disagreeing {
    fn create() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "layer", 4, 1, nn::LinearConfig::default());
        if is("frozen parameter") && is_rank_1() {
            freeze(&layer);
        }
        let config = nn::BatchNormConfig { affine: false, ..nn::BatchNormConfig::default() };
        let norm =
            is("norm on one").then(|| SyncBatchNorm::convert(nn::batch_norm1d(vs.root() / "norm", 4, config), config));
        Self { vs, layer, norm, mean: Mean::new() }
    }

    /// The loss, of a layer whose input all processes may normalize together.
    fn loss(&self, ctx: &RunContext, batch: &Tensor, batch_idx: usize) -> Tensor {
        let norm = self.norm.as_ref().filter(|_| batch_idx != 2 || ctx.is_global_zero());
        let batch = norm.map_or_else(|| batch.shallow_clone(), |norm| norm.forward_t(batch, true));
        self.layer.forward(&batch).square().mean(Kind::Float)
    }
}

fn rows(batches: i64) -> Result<DataLoader<Tensor>> {
    let rows = Tensor::arange(8 * batches, (Kind::Float, Device::Cpu)).sin().f_view([2 * batches, 4])?;
    Ok(DataLoader::new(TensorDataset::new(rows)?).batch_size(1))
}

#[lightning_module]
impl Disagreeing {
    fn new(_hparams: Hparams) -> Self {
        Self::create()
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<Tensor> {
        let rank = ctx.rank().global;
        let differs = batch_idx == 2;
        if differs && is("barrier in a step of one") && rank == 0 {
            note_time()?;
            ctx.barrier()?;
        }
        if differs && is("swallowed") && rank == 0 {
            note_time()?;
            let _ = ctx.barrier();
            // is not held up by the others, which have ended
            sleep(Duration::from_millis(100));
        }
        if is("other name") {
            let name = if rank == 0 { "loss" } else { "lossy" };
            ctx.log(name, 1.0).on_step(true).on_epoch(true).sync_dist(true);
        }
        if is("changed parameter") {
            ctx.log("own", 1.0).on_step(false).on_epoch(true);
        }
        if is("log on one") && rank == 0 {
            ctx.log("loss_of_one", 1.0).on_step(false).on_epoch(true).sync_dist(true);
        }
        if is("metric on one") {
            self.mean.update(&batch.mean(Kind::Float))?;
            if rank == 1 {
                ctx.log("mean_of_one", &self.mean).on_step(false).on_epoch(true);
            }
        }
        if differs && is("norm on one") {
            note_time()?;
        }
        Ok(self.loss(ctx, batch, batch_idx))
    }

    fn on_train_epoch_start(&self, ctx: &mut Context) {
        if is("frozen in an epoch") && ctx.current_epoch() == 1 && ctx.rank().global == 1 {
            freeze(&self.layer);
        }
    }

    fn on_train_batch_end(&self, ctx: &mut Context) -> Result<()> {
        let rank = ctx.rank().global;
        if is("changed parameter") && ctx.batch_idx() == Some(2) && rank == 1 {
            note_time()?;
            let _ = tch::no_grad(|| self.layer.ws.shallow_clone().f_add_scalar_(1.0))?;
        }
        let at = if is("save in another batch") { 1 + rank } else { 1 };
        if ctx.batch_idx() == Some(at) && ((is("save on one") && rank == 1) || is("save in another batch")) {
            note_time()?;
            ctx.save_checkpoint(SaveRequest::new("asked_for.ckpt"));
        }
        Ok(())
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) -> Result<()> {
        let rank = ctx.rank().global;
        let options = (Kind::Float, Device::Cpu);
        note_time()?;
        if is("shapes") {
            drop(ctx.all_gather(&Tensor::zeros([2, 3 + rank as i64 % 2], options))?);
        }
        if is("dtypes") {
            let kind = if rank == 0 { Kind::Float } else { Kind::Int64 };
            drop(ctx.all_gather(&Tensor::zeros([2], (kind, Device::Cpu)))?);
        }
        if (is("barrier on one") || is("barrier in two hooks")) && rank == 0 {
            ctx.barrier()?;
        }
        if is("barrier on the last") && rank + 1 == ctx.world_size() {
            ctx.barrier()?;
        }
        if is("gather on one") && rank == 1 {
            ctx.gather(rank)?;
        }
        if is("two operations") {
            match rank {
                0 => ctx.barrier()?,
                _ => drop(ctx.all_gather(&Tensor::zeros([2], options))?),
            }
        }
        if is("log at the end of one") && rank == 0 {
            ctx.log("end_of_one", 1.0).sync_dist(true);
        }
        if is("held up before a barrier") {
            if rank == 1 {
                sleep(Duration::from_secs(1_000));
            }
            ctx.barrier()?;
        }
        if is("all") {
            let all = ctx.all_gather(&Tensor::full([1, 2], rank as f64, options))?;
            let names: Vec<HashMap<String, usize>> = ctx.gather(HashMap::from([("x".repeat(100 * rank), rank)]))?;
            let of_zero = ctx.broadcast("y".repeat(3 + rank))?;
            ctx.barrier()?;
            let lengths: Vec<usize> = names.iter().flat_map(|names| names.keys().map(String::len)).collect();
            let sum = all.sum(Kind::Float).double_value(&[]);
            println!("rank {rank}: sum {sum}, {:?}, lengths {lengths:?}, {of_zero}", all.size());
        }
        Ok(())
    }

    fn validation_step(&self, _batch: &Tensor) {}

    fn on_validation_epoch_end(&self, ctx: &mut Context) -> Result<()> {
        if is("barrier in two hooks") && ctx.rank().global == 1 && !ctx.sanity_checking() {
            ctx.barrier()?;
        }
        Ok(())
    }

    fn on_fit_end(&self, ctx: &mut Context) -> Result<()> {
        if is("broadcast after the fit of one") && ctx.is_global_zero() {
            note_time()?;
            ctx.broadcast(1)?;
        }
        Ok(())
    }

    fn configure_optimizers(&self) -> ScheduledOptimizer {
        match is_rank_1() {
            true if is("learning rate") => Sgd::new(0.5).into_optimizer(),
            true if is("algorithm") => AdamW::new(0.01).into_optimizer(),
            true if is("scheduler") => Sgd::new(0.01).lr_scheduler(StepLr::new(1)),
            _ => Sgd::new(0.01).into_optimizer(),
        }
    }
}

struct Rows;

#[lightning_datamodule]
impl Rows {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        match is_rank_1() {
            true if is("samples") => rows(4),
            true if is("batch size") => Ok(rows(5)?.batch_size(2)),
            _ => rows(5),
        }
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        rows(if is("validation samples") && is_rank_1() { 3 } else { 2 })
    }
}

/// The same with manual optimization.
struct Manual(Disagreeing);

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn new(_hparams: Hparams) -> Self {
        Self(Disagreeing::create())
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<()> {
        let loss = self.0.loss(ctx, batch, batch_idx);
        ctx.manual_backward(self, &loss)?;
        // after the last batch, the others agree on whether to stop
        if is("backward on one") && batch_idx == 4 && ctx.is_global_zero() {
            note_time()?;
            let loss = self.0.layer.forward(batch).square().mean(Kind::Float);
            ctx.manual_backward(self, &loss)?;
        }
        if is("step on one") && batch_idx == 2 && !ctx.is_global_zero() {
            return note_time();
        }
        ctx.manual_step(self, 0)?;
        Ok(ctx.optimizer(0).zero_grad()?)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.01)
    }
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    let defaults = TrainerConfig::default().max_epochs(2).enable_progress_bar(false).enable_model_summary(false);
    if is("backward on one") || is("step on one") {
        return Manual::program::<Rows>().trainer_defaults(defaults).run();
    }
    Disagreeing::program::<Rows>().trainer_defaults(defaults).run()
}
