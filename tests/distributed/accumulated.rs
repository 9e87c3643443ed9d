//! A module that accumulates gradients by hand, whose training is known to be the same in one process and in several.

use super::Results;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tch_lightning::checkpoint::SaveRequest;
use tch_lightning::data::{DistributedSampler, SequentialSampler};
use tch_lightning::module::TrainingContext;
use tch_lightning::prelude::*;
use tch_lightning::trainer::NonFiniteLoss;

/// Two layers, and a branch around the first. Each window has two backward passes in a step, or three in as many batches.
pub struct Accumulated {
    vs: nn::VarStore,
    first: nn::Linear,
    second: nn::Linear,
    branch: nn::Linear,
    /// What the run does differently, with the number of processes where that matters: `skips_2`.
    scenario: String,
    /// Whether one process trains on the whole batches.
    is_whole: bool,
}

const SAMPLES: i64 = 72;
/// The samples of all processes in a batch.
const BATCH: i64 = 8;
/// The batches of a window.
const WINDOW: usize = 3;
/// The longest time for another process.
const LONGEST: Duration = Duration::from_secs(20);

impl Accumulated {
    /// Creates the module with the same weights in each process, and a buffer that rank 0 sends before a step.
    pub fn new(scenario: &str, is_whole: bool) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer =
            |name: &str, inputs, outputs| nn::linear(vs.root() / name, inputs, outputs, nn::LinearConfig::default());
        let (first, second, branch) = (layer("first", 5, 7), layer("second", 7, 1), layer("branch", 5, 7));
        _ = vs.root().zeros_no_train("steps", &[1]);
        tch::no_grad(|| {
            for (_, mut weights) in vs.variables().into_iter().filter(|(_, weights)| weights.requires_grad()) {
                let values = Tensor::arange(weights.numel() as i64, (Kind::Float, Device::Cpu)).sin() * 0.4;
                weights.copy_(&values.view_as(&weights));
            }
        });
        Self { vs, first, second, branch, scenario: scenario.to_owned(), is_whole }
    }

    fn weights(&self) -> Result<BTreeMap<String, Vec<f32>>> {
        let parameters = self.vs.variables().into_iter().filter(|(_, tensor)| tensor.requires_grad());
        parameters.map(|(name, tensor)| Ok((name, Vec::try_from(tensor.flatten(0, -1))?))).collect()
    }

    fn is(&self, scenario: &str) -> bool {
        self.scenario == scenario
    }

    fn spans_batches(&self) -> bool {
        ["windows", "resumed", "stop", "ahead", "static_graph", "nan", "step_of_local_gradients"]
            .contains(&self.scenario.as_str())
    }

    fn loss(&self, (x, y): &Rows, with_branch: bool) -> Tensor {
        let mut hidden = self.first.forward(x);
        if with_branch {
            hidden += self.branch.forward(x);
        }
        self.second.forward(&hidden.tanh()).mse_loss(y, tch::Reduction::Mean)
    }

    /// The loss of the first pass of a step, or nothing in a process that skips it.
    fn first_loss(&self, rank: usize, rows: &Rows, batch_idx: usize) -> Option<Tensor> {
        let Some(processes) = self.scenario.strip_prefix("skips_").and_then(|number| number.parse::<i64>().ok()) else {
            return Some(self.loss(rows, true));
        };
        let skips = |rank: i64| rank == 1 && batch_idx % 2 == 1;
        if !self.is_whole {
            return (!skips(rank as i64)).then(|| self.loss(rows, true));
        }
        // each process has every n-th sample
        let of_rank = |rank: i64| {
            let part = |tensor: &Tensor| tensor.slice(0, rank, None, processes);
            self.loss(&(part(&rows.0), part(&rows.1)), true) / processes as f64
        };
        (0..processes).filter(|rank| !skips(*rank)).map(of_rank).reduce(|one, other| one + other)
    }

    /// A step with two passes, of the halves of the batch.
    fn step_in_halves(&mut self, ctx: &mut TrainingContext<'_, Self>, rows: &Rows, batch_idx: usize) -> Result<()> {
        let (x, y) = (rows.0.chunk(2, 0), rows.1.chunk(2, 0));
        let (one, other) = ((x[0].shallow_clone(), y[0].shallow_clone()), (x[1].shallow_clone(), y[1].shallow_clone()));
        ctx.optimizer(0).zero_grad()?;
        let rank = ctx.rank().global;
        if let Some(loss) = self.first_loss(rank, &one, batch_idx) {
            ctx.no_sync(|ctx| ctx.manual_backward(self, &loss))?;
        }
        let loss = self.loss(&other, !self.is("unused"));
        ctx.manual_backward(self, &loss)?;
        Ok(ctx.manual_step(self, 0)?)
    }

    /// A batch of a window.
    fn accumulate(&mut self, ctx: &mut TrainingContext<'_, Self>, rows: &Rows, batch_idx: usize) -> Result<()> {
        let mut loss = self.loss(rows, true) / WINDOW as f64;
        let is_second = ctx.rank().global == 1;
        if self.is("nan") && is_second && batch_idx == 1 {
            loss *= f64::NAN;
        }
        if !(batch_idx + 1).is_multiple_of(WINDOW) {
            let (waits, stops) = (self.is("ahead") && is_second && batch_idx == 0, self.is("stop") && is_second);
            return ctx.no_sync(|ctx| {
                if waits {
                    wait_for("ahead")?;
                }
                if stops {
                    ctx.stop_because("one process has seen enough");
                }
                ctx.manual_backward(self, &loss)?;
                if self.is("step_of_local_gradients") {
                    ctx.manual_step(self, 0)?;
                }
                Ok(())
            });
        }
        if self.is("ahead") && ctx.is_global_zero() {
            // after two batches whose passes rank 1 has not begun yet
            fs::write("ahead", "")?;
        }
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, 0)?;
        Ok(ctx.optimizer(0).zero_grad()?)
    }
}

type Rows = (Tensor, Tensor);

fn wait_for(file: &str) -> Result<()> {
    let begun = Instant::now();
    while !Path::new(file).exists() {
        anyhow::ensure!(begun.elapsed() < LONGEST, "rank 0 waits for the passes of rank 1");
        sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[lightning_module(automatic_optimization = false)]
impl Accumulated {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<()> {
        if self.spans_batches() {
            self.accumulate(ctx, batch, batch_idx)
        } else {
            self.step_in_halves(ctx, batch, batch_idx)
        }
    }

    fn on_train_batch_end(&self, ctx: &mut Context) {
        // in an open window
        if self.is("windows") && ctx.total_batches() == 5 {
            ctx.save_checkpoint(SaveRequest::new("open.ckpt"));
        }
    }

    fn train_dataloader(&mut self, ctx: &mut Context) -> Result<DataLoader<Rows>> {
        let x = (Tensor::arange(SAMPLES * 5, (Kind::Float, Device::Cpu)).view([SAMPLES, 5]) * 0.37).sin();
        let y = (x.sum_dim_intlist([1].as_slice(), true, Kind::Float) * 1.3).cos();
        let (rank, size) = (ctx.rank().global, ctx.world_size());
        let loader = DataLoader::new(TensorDataset::new((x, y))?);
        if self.is_whole {
            return Ok(loader.batch_size(BATCH as usize));
        }
        // batch k of all processes together is batch k of one process
        let samples = DistributedSampler::new(SequentialSampler::new(SAMPLES as usize), rank, size)?;
        Ok(loader.batch_size(BATCH as usize / size).sampler(samples))
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.05).momentum(0.9)
    }
}

/// Trains, and returns the weights of this rank.
pub fn run(mut module: Accumulated, config: TrainerConfig) -> Result<Results> {
    let mut trainer = Trainer::new(config.on_non_finite_loss(NonFiniteLoss::SkipStep));
    if module.is("resumed") {
        trainer = trainer.ckpt_path("open.ckpt");
    }
    trainer.fit(&mut module, ())?;
    let ctx = trainer.context();
    let results = json!({ "weights": module.weights()?, "steps": ctx.global_step(), "batches": ctx.total_batches() });
    Ok((ctx.rank().global, results))
}
