//! A network with batch normalization and dropout, which records the mode of its steps.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tch_lightning::RunningStage;
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::prelude::*;

#[derive(Args, Clone, Serialize, Deserialize)]
pub(crate) struct Hparams {
    /// The width of the hidden layer
    #[arg(long, default_value_t = 4)]
    pub(crate) width: i64,
    /// The probability with which dropout zeroes a value
    #[arg(long, default_value_t = 0.5)]
    pub(crate) dropout: f64,
}

/// The outputs of a step, with what the step was in.
pub(crate) type Seen = (RunningStage, bool, Tensor);

pub(crate) struct Model {
    pub(crate) vs: nn::VarStore,
    pub(crate) net: nn::SequentialT,
    pub(crate) hparams: Hparams,
    pub(crate) seen: Vec<Seen>,
    pub(crate) lr: f64,
}

#[lightning_module]
impl Model {
    pub(crate) fn new(hparams: Hparams) -> Result<Self> {
        if hparams.width < 1 {
            bail!("a width of {}", hparams.width);
        }
        let vs = nn::VarStore::new(Device::Cpu);
        let (root, dropout) = (vs.root(), hparams.dropout);
        let net = nn::seq_t()
            .add(nn::linear(&root / "hidden", 3, hparams.width, nn::LinearConfig::default()))
            .add(nn::batch_norm1d(&root / "norm", hparams.width, nn::BatchNormConfig::default()))
            .add_fn_t(move |xs, train| xs.dropout(dropout, train))
            .add(nn::linear(&root / "out", hparams.width, 1, nn::LinearConfig::default()));
        Ok(Self { vs, net, hparams, seen: Vec::new(), lr: 0.1 })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    pub(crate) fn forward(&self, xs: &Tensor) -> Tensor {
        self.net.forward_t(xs, is_training())
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let outputs = self.forward(batch);
        self.seen.push((ctx.running_stage(), ctx.is_training(), outputs.detach().copy()));
        outputs.square().mean(Kind::Float)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        for _ in 0..2 {
            self.seen.push((ctx.running_stage(), ctx.is_training(), self.forward(batch)));
        }
    }

    fn predict_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        assert!(!ctx.is_training() && !is_training());
        self.forward(batch)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(self.lr)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(inputs())?).batch_size(8))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }

    fn predict_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }
}

/// `[8, 3] f32`.
pub(crate) fn inputs() -> Tensor {
    Tensor::linspace(-1.0, 1.0, 24, (Kind::Float, Device::Cpu)).view([8, 3])
}

pub(crate) fn quiet() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(2),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 1,
        ..TrainerConfig::default()
    }
}

/// A trained model with its checkpoint.
pub(crate) fn trained(folder: &Path) -> (Model, PathBuf) {
    tch::manual_seed(3);
    let hparams = Hparams { width: 5, dropout: 0.25 };
    let mut model = Model::new(hparams.clone()).unwrap();
    let mut trainer = Trainer::new(quiet())
        .hyper_parameters(serde_json::to_value(hparams).unwrap())
        .callback(ModelCheckpoint::new().dirpath(folder).filename("model"));
    trainer.fit(&mut model, ()).unwrap();
    (model, folder.join("model.ckpt"))
}
