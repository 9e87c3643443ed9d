//! A model that logs a record of each kind.

use serde_json::json;
use tch_lightning::loggers::{Figure, Table};
use tch_lightning::prelude::*;

pub type Rows = (Tensor, Tensor);

/// Four batches of two samples in each epoch.
pub struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
    /// The step of an optimizer at which the run fails.
    fails_at: Option<usize>,
}

impl Model {
    pub fn new() -> Self {
        tch::manual_seed(1);
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "layer", 1, 1, nn::LinearConfig::default());
        Self { vs, layer, fails_at: None }
    }

    pub fn failing_at(step: usize) -> Self {
        Self { fails_at: Some(step), ..Self::new() }
    }
}

/// The image that is logged at the end of each epoch: 2 rows of 3 pixels.
pub fn image() -> Tensor {
    Tensor::arange(6, (Kind::Uint8, Device::Cpu)).view([1, 2, 3])
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Result<Tensor> {
        anyhow::ensure!(self.fails_at != Some(ctx.global_step()), "it was to fail");
        let loss = (self.layer.forward(&batch.0) - &batch.1).square().mean(Kind::Float);
        ctx.log("train_loss", &loss);
        ctx.log_histogram("numbers", &(Tensor::from_slice(&[-1.0, 0.5, 2.0, 2.0]) * (ctx.global_step() + 1) as f64));
        Ok(loss)
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Rows) {
        ctx.log("val_loss", (self.layer.forward(&batch.0) - &batch.1).square().mean(Kind::Float));
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        ctx.log_image("pictures/digit", &image());
        ctx.log_images("pictures/all", &Tensor::stack(&[image(), image()], 0));
        ctx.log_text("words", format!("epoch *{}*", ctx.current_epoch()));
        ctx.log_table("mistakes", Table::new(["digit", "prediction"]).row([json!("seven"), json!(4.5)]));
        ctx.log_figure("curve", Figure::Svg("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_owned()));
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.01)
    }

    fn train_dataloader(&self) -> DataLoader<Rows> {
        rows()
    }

    fn val_dataloader(&self) -> DataLoader<Rows> {
        rows()
    }
}

fn rows() -> DataLoader<Rows> {
    let inputs = Tensor::arange(8, (Kind::Float, Device::Cpu)).view([8, 1]) / 8.0;
    let targets = &inputs * 3.0;
    DataLoader::new(TensorDataset::new((inputs, targets)).unwrap()).batch_size(2)
}

/// A row in each step, and files in `root` alone.
pub fn config(root: &std::path::Path) -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(2),
        log_every_n_steps: 1,
        default_root_dir: root.to_owned(),
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 0.into(),
        ..TrainerConfig::default()
    }
}
