//! A generated program whose steps take a while, for the tests of the dashboard and of `watch`.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;
use tch_lightning::prelude::*;

#[derive(Args, Serialize, Deserialize)]
struct Hparams {
    /// The milliseconds that a step takes
    #[arg(long, default_value_t = 5)]
    pause: u64,
    /// The step in which the run waits until the file `continue` exists
    #[arg(long)]
    wait_in: Option<usize>,
    /// The step in which the run fails
    #[arg(long)]
    fail_in: Option<usize>,
    /// How the process ends in the third step: `exit`, or `abort` as libtorch does after an exception that nothing catches
    #[arg(long, default_value = "")]
    end: String,
    /// Whether drawing the dashboard panics from the third step on
    #[arg(long)]
    panic: bool,
    /// Whether the third step panics, and panics abort
    #[arg(long)]
    abort: bool,
}

struct Slow {
    vs: nn::VarStore,
    net: nn::Linear,
    hparams: Hparams,
}

type Rows = (Tensor, Tensor);

#[lightning_module]
impl Slow {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root(), 2, 1, nn::LinearConfig::default());
        Self { vs, net, hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig {
            max_epochs: Some(3),
            log_every_n_steps: 1,
            enable_model_summary: false,
            ..TrainerConfig::default()
        }
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Result<Tensor> {
        sleep(Duration::from_millis(self.hparams.pause));
        let step = ctx.global_step();
        match step {
            1 => println!("a line of println!"),
            2 => tracing::warn!("a warning of a hook"),
            3 => ctx.print("a line of ctx.print"),
            _ => {}
        }
        if self.hparams.panic && step == 2 {
            tch_lightning::__testing::panic_in_dashboard();
        }
        if self.hparams.abort && step == 2 {
            tch_lightning::__testing::abort_on_panics();
            panic!("a panic that aborts");
        }
        match self.hparams.end.as_str() {
            "exit" if step == 2 => {
                println!("the last line");
                std::process::exit(7);
            }
            "abort" if step == 2 => {
                eprintln!("the last line");
                std::process::abort();
            }
            _ => {}
        }
        while self.hparams.wait_in == Some(step) && !Path::new("continue").exists() {
            sleep(Duration::from_millis(5));
        }
        if self.hparams.fail_in == Some(step) {
            bail!("the fault of step {step}");
        }
        let loss = self.loss(batch);
        ctx.log("train_loss", &loss).prog_bar();
        Ok(loss)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Rows) {
        sleep(Duration::from_millis(self.hparams.pause));
        let loss = self.loss(batch);
        ctx.log("val_loss", &loss).prog_bar();
        ctx.log("val_acc", (-loss).exp());
    }

    fn on_validation_end(&mut self, ctx: &mut Context) {
        if !ctx.sanity_checking() {
            ctx.print(format!("validated after step {}", ctx.global_step()));
        }
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.05)
    }

    fn loss(&self, (inputs, targets): &Rows) -> Tensor {
        (self.net.forward(inputs) - targets).square().mean(Kind::Float)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        Ok(rows(40)?.shuffle(true))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        rows(12)
    }
}

/// Batches of four rows.
fn rows(count: i64) -> Result<DataLoader<Rows>> {
    let inputs = Tensor::arange(2 * count, (Kind::Float, Device::Cpu)).view([count, 2]) / (2 * count) as f64;
    let targets = inputs.sum_dim_intlist(1, true, Kind::Float) * 2.0 + 1.0;
    Ok(DataLoader::new(TensorDataset::new((inputs, targets))?).batch_size(4))
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    Slow::main::<Data>()
}
