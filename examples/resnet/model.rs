//! The model: a ResNet-18 with a new last layer.

use crate::data::{Batch, CLASSES};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tch::vision::resnet;
use tch_lightning::callbacks::BackboneFinetuning;
use tch_lightning::checkpoint::weights;
use tch_lightning::prelude::*;

/// The number of features of a ResNet-18.
const FEATURES: i64 = 512;

/// The names in a file of torchvision, and in one that this program exports.
const NAMES: [(&str, &str); 3] = [("backbone.**", "backbone.**"), ("head.**", "head.**"), ("**", "backbone.**")];

/// The hyperparameters of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
    /// Weights of the backbone: torchvision's `resnet18`, or what `export best --weights FILE` writes
    #[arg(long, value_name = "FILE")]
    pretrained: Option<PathBuf>,
    /// The epoch from which pretrained weights are trained as well; the last layer is trained alone before
    #[arg(long, default_value_t = 5, value_name = "EPOCH")]
    unfreeze_at: usize,
}

/// Classifies images.
pub struct Classifier {
    vs: nn::VarStore,
    backbone: nn::FuncT<'static>,
    head: nn::Linear,
    hparams: Hparams,
}

#[lightning_module]
impl Classifier {
    fn new(hparams: Hparams) -> Result<Self> {
        let mut vs = nn::VarStore::new(Device::Cpu);
        let backbone = resnet::resnet18_no_final_layer(&(vs.root() / "backbone"));
        let head = nn::linear(vs.root() / "head", FEATURES, CLASSES, nn::LinearConfig::default());
        if let Some(path) = &hparams.pretrained {
            weights::open(path)?.rename(NAMES).except("{head.**,backbone.fc.*}").only("backbone.**").load(&mut vs)?;
        }
        Ok(Self { vs, backbone, head, hparams })
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(8), log_every_n_steps: 5, ..TrainerConfig::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Batch, batch_idx: usize) -> Result<Tensor> {
        let (images, classes) = batch;
        if ctx.current_epoch() == 0 && batch_idx == 0 {
            ctx.log_images(
                "augmented",
                &(images.narrow(0, 0, images.size()[0].min(16)) * 0.225 + 0.45).clamp(0.0, 1.0),
            );
        }
        let loss = self.forward(images).cross_entropy_for_logits(classes);
        ctx.log("train_loss", &loss).prog_bar();
        Ok(loss)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Batch) {
        let (images, classes) = batch;
        ctx.log("val_acc", self.forward(images).accuracy_for_logits(classes)).prog_bar();
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }

    fn configure_callbacks(&self) -> (ModelCheckpoint, Option<BackboneFinetuning>) {
        let finetuning = BackboneFinetuning::default().unfreeze_backbone_at_epoch(self.hparams.unfreeze_at);
        let checkpoints = ModelCheckpoint::new().monitor("val_acc").mode(tch_lightning::callbacks::MonitorMode::Max);
        (checkpoints, self.hparams.pretrained.is_some().then_some(finetuning))
    }

    fn forward(&self, images: &Tensor) -> Tensor {
        self.head.forward(&self.backbone.forward_t(images, is_training()))
    }
}
