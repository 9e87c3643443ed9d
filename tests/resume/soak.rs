//! Trains a tiny model for very long, and fails if the memory grows: `soak 1000000`.

use anyhow::{Context as _, Result, ensure};
use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{Every, Loaders, callbacks::ModelCheckpoint, trainer::ValCheckInterval};

type Rows = (Tensor, Tensor);

struct Line {
    vs: nn::VarStore,
    layer: nn::Linear,
}

impl Line {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "layer", 4, 1, nn::LinearConfig::default());
        Self { vs, layer }
    }

    fn loss(&self, (x, y): &Rows) -> Tensor {
        self.layer.forward(x).mse_loss(y, tch::Reduction::Mean)
    }
}

#[lightning_module]
impl Line {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Tensor {
        let loss = self.loss(batch);
        ctx.log("train_loss", &loss).on_epoch(true);
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Rows) {
        ctx.log("val_loss", self.loss(batch));
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(1e-3)
    }
}

/// Looks at the memory every so many steps.
struct Watch {
    every: usize,
    resident: Rc<RefCell<Vec<f64>>>,
}

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&self, ctx: &mut Context) -> Result<()> {
        let step = ctx.global_step();
        if step.is_multiple_of(self.every) || step == self.every / 10 {
            let resident = resident_megabytes()?;
            println!("step {step}: {resident:.1} MB resident");
            self.resident.borrow_mut().push(resident);
        }
        Ok(())
    }
}

fn resident_megabytes() -> Result<f64> {
    let status =
        fs::read_to_string("/proc/self/status").context("the resident size is read from /proc, as Linux has it")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no resident size in /proc")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

fn main() -> Result<()> {
    let steps: usize = std::env::args().nth(1).context("say how many steps: soak 1000000")?.parse()?;
    tch::set_num_threads(1);
    let folder = tempfile::tempdir()?;
    let resident = Rc::default();
    let x = Tensor::randn([4000, 4], (Kind::Float, Device::Cpu));
    let y = x.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
    let rows = TensorDataset::new((x, y))?;
    let mut trainer = Trainer::new(TrainerConfig {
        max_steps: i64::try_from(steps).ok(),
        default_root_dir: folder.path().to_owned(),
        val_check_interval: ValCheckInterval::Every(Every::Batches(500)),
        log_every_n_steps: 100,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    })
    .callback(ModelCheckpoint::new().every(Every::OptimizerSteps(10_000)))
    .callback(Watch { every: steps / 2, resident: Rc::clone(&resident) });
    let training = DataLoader::with_workers(rows.clone(), 1).batch_size(4).shuffle(true);
    let validation = DataLoader::new(rows).batch_size(100);
    trainer.fit(&mut Line::new(), Loaders::train(training).with_validation(validation))?;
    let resident = resident.borrow();
    let [start, .., end] = resident.as_slice() else { bail!("the run was too short to look at its memory") };
    ensure!(*end < start * 1.05, "the memory grew from {start:.1} to {end:.1} MB");
    println!("memory is flat over {steps} steps");
    Ok(())
}
