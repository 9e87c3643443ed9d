//! The cost per logged name, for increasing numbers of names: it does not grow with their number.

use std::time::Instant;
use tch_lightning::prelude::*;
use tch_lightning::{
    Loaders,
    loggers::{CsvLogger, LoggedAt, Logger, Record},
};

const NAMES: [usize; 4] = [10, 100, 1_000, 10_000];
const STEPS: usize = 20;

struct Names {
    vs: nn::VarStore,
    layer: nn::Linear,
    names: Vec<String>,
    /// The end of the first step, whose one-time work is not counted.
    began: Option<Instant>,
}

#[lightning_module]
impl Names {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = self.layer.forward(batch).square().mean(Kind::Float);
        for name in &self.names {
            ctx.log(name, &loss).on_epoch(true).prog_bar();
        }
        loss
    }

    fn on_train_batch_start(&mut self, batch_idx: usize) {
        if batch_idx == 1 {
            self.began = Some(Instant::now());
        }
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

/// Returns the microseconds per name of a step that logs this many names and writes a row of them.
fn step(names: usize) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
    let mut module = Names { vs, layer, names: (0..names).map(|name| format!("name_{name}")).collect(), began: None };
    let config = TrainerConfig {
        max_epochs: Some(1),
        log_every_n_steps: 1,
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        default_root_dir: folder.path().to_owned(),
        ..TrainerConfig::default()
    };
    let rows = Tensor::ones([STEPS as i64 + 1, 1], (Kind::Float, Device::Cpu));
    let loader = DataLoader::new(TensorDataset::new(rows)?);
    Trainer::new(config).fit(&mut module, Loaders::train(loader))?;
    let took = module.began.map(|began| began.elapsed()).unwrap_or_default();
    Ok(took.as_secs_f64() * 1e6 / (STEPS * names) as f64)
}

/// Returns the microseconds per column of writing a row of a CSV file.
fn row(columns: usize) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let metrics: Vec<(String, f64)> = (0..columns).map(|column| (format!("name_{column}"), 0.5)).collect();
    let mut logger = CsvLogger::new(folder.path());
    logger.log(&Record::Scalars(&metrics), &LoggedAt::new(0, None))?;
    let began = Instant::now();
    (1..=STEPS).try_for_each(|step| logger.log(&Record::Scalars(&metrics), &LoggedAt::new(step, None)))?;
    Ok(began.elapsed().as_secs_f64() * 1e6 / (STEPS * columns) as f64)
}

fn main() -> Result<()> {
    tch::set_num_threads(1);
    println!("what a logged name costs, microseconds for each");
    println!("{:>8} {:>28} {:>24}", "names", "a step, logged to CSV", "a row of CSV alone");
    for names in NAMES {
        println!("{names:>8} {:>28.3} {:>24.3}", step(names)?, row(names)?);
    }
    Ok(())
}
