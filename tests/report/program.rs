//! A generated program that logs something of each kind, for the tests of `runs` and `report`.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::loggers::{CsvLogger, Figure, JsonLinesLogger, Table};
use tch_lightning::prelude::*;

#[derive(Args, Serialize, Deserialize)]
struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 0.1)]
    lr: f64,
    /// The outputs of the first layer
    #[arg(long, default_value_t = 8)]
    width: i64,
    /// What happens in epoch 1: `none`, `failure`, or `wait` for the file `continue`
    #[arg(long, default_value = "none")]
    fault: String,
    /// A folder, which `runs DIR` does not mean
    #[arg(long)]
    dir: Option<String>,
}

struct Reported {
    vs: nn::VarStore,
    net: nn::SequentialT,
    hparams: Hparams,
}

type Rows = (Tensor, Tensor);

#[lightning_module]
impl Reported {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let net = nn::seq_t()
            .add(nn::linear(&root / "hidden", 2, hparams.width, nn::LinearConfig::default()))
            .add_fn(|x| x.tanh())
            .add(nn::linear(&root / "head", hparams.width, 1, nn::LinearConfig::default()));
        Self { vs, net, hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(3), log_every_n_steps: 1, ..TrainerConfig::default() }
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<Tensor> {
        if ctx.current_epoch() == 1 && batch_idx == 2 {
            match self.hparams.fault.as_str() {
                "failure" => bail!("the <b>fault</b> of epoch 1"),
                "wait" => {
                    println!("waiting");
                    while !Path::new("continue").exists() {
                        sleep(Duration::from_millis(10));
                    }
                }
                _ => {}
            }
        }
        let loss = self.loss(batch);
        ctx.log("train_loss", &loss).on_epoch(true);
        ctx.log("odd/<b>name</b>", 1.0 / (ctx.global_step() as f64 - 3.0));
        Ok(loss)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Rows) {
        let loss = self.loss(batch);
        ctx.log("val_acc", (-&loss).exp());
        ctx.log("val_loss", loss);
    }

    fn on_before_optimizer_step(&self, ctx: &mut Context, optimizer: OptimizerIndex) {
        for (name, parameter) in ctx.optimizer(optimizer).parameters() {
            ctx.log_histogram(name, &parameter.grad());
        }
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        let ramp = Tensor::linspace(0.0, 1.0, 64, (Kind::Float, Device::Cpu)).view([1, 8, 8]);
        ctx.log_image("ramp", &ramp);
        ctx.log_text("note", format!("<script>document.title = \"broken\"</script> epoch {}", ctx.current_epoch()));
        ctx.log_table("mistakes", Table::new(["digit", "prediction"]).row([json!("<i>7</i>"), json!(4.5)]));
        let circle =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\"><circle cx=\"4\" cy=\"4\" r=\"4\"/></svg>";
        ctx.log_figure("circle", Figure::Svg(circle.to_owned()));
    }

    fn configure_optimizers(&mut self) -> ScheduledOptimizer {
        let sgd = Sgd::new(self.hparams.lr);
        let has_groups = std::env::var_os("NO_DECAY").is_some();
        let groups = if has_groups { sgd.weight_decay(0.5).no_decay() } else { ParameterGroups::new(sgd) };
        groups.lr_scheduler(LrSchedulerConfig::from(ExponentialLr::new(0.5)))
    }

    fn configure_callbacks(&self) -> (LearningRateMonitor, ModelCheckpoint) {
        (LearningRateMonitor::new(), ModelCheckpoint::new().monitor("val_loss"))
    }

    fn loss(&self, (inputs, targets): &Rows) -> Tensor {
        (self.net.forward_t(inputs, is_training()) - targets).square().mean(Kind::Float)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        rows()
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        rows()
    }
}

/// Five batches of four rows.
fn rows() -> Result<DataLoader<Rows>> {
    let inputs = Tensor::arange(40, (Kind::Float, Device::Cpu)).view([20, 2]) / 20.0 - 1.0;
    let targets = inputs.sum_dim_intlist(1, true, Kind::Float) * 2.0 + 1.0;
    Ok(DataLoader::new(TensorDataset::new((inputs, targets))?).batch_size(4))
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    let program = Reported::program::<Data>().logger(CsvLogger::default());
    let program =
        if std::env::var_os("JSON_LINES").is_some() { program.logger(JsonLinesLogger::default()) } else { program };
    program.run()
}
