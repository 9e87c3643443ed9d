//! The model: two convolutions and two linear layers.

use crate::predictions::{Prediction, PredictionWriter};
use clap::Args;
use examples::data::{Digits, SIDE};
use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

/// The hyperparameters of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 2e-3)]
    lr: f64,
    /// The channels of the first convolution; the second has twice as many
    #[arg(long, default_value_t = 32)]
    channels: i64,
    /// The fraction of the features that each training step drops
    #[arg(long, default_value_t = 0.5)]
    dropout: f64,
}

/// Classifies images as one of ten digits.
pub struct DigitClassifier {
    vs: nn::VarStore,
    net: nn::SequentialT,
    hparams: Hparams,
}

#[lightning_module]
impl DigitClassifier {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = network(&vs.root(), &hparams);
        Self { vs, net, hparams }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(40), log_every_n_steps: 10, ..TrainerConfig::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Digits) -> Result<Tensor> {
        let (images, labels, _) = batch;
        let loss = self.net.forward_t(&shifted(images)?, is_training()).cross_entropy_for_logits(labels);
        ctx.log("train_loss", &loss).on_epoch(true).prog_bar();
        Ok(loss)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Digits) {
        let (loss, accuracy) = self.evaluate(batch);
        ctx.log("val_loss", loss).prog_bar();
        ctx.log("val_acc", accuracy).prog_bar();
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Digits) {
        let (loss, accuracy) = self.evaluate(batch);
        ctx.log("test_loss", loss);
        ctx.log("test_acc", accuracy);
    }

    fn predict_step(&mut self, batch: &Digits) -> Prediction {
        let (images, ..) = batch;
        let (probability, digit) = self.net.forward_t(images, is_training()).softmax(1, Kind::Float).max_dim(1, false);
        Prediction { digit, probability }
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }

    fn configure_callbacks(&mut self) -> PredictionWriter {
        PredictionWriter::default()
    }

    /// Returns the mean loss and the accuracy, both `[] f32`.
    fn evaluate(&self, (images, labels, _): &Digits) -> (Tensor, Tensor) {
        let logits = self.net.forward_t(images, is_training());
        (logits.cross_entropy_for_logits(labels), logits.accuracy_for_logits(labels))
    }
}

/// Creates the network, from images `[batch, 1, 8, 8] f32` to logits `[batch, 10] f32`.
fn network(root: &nn::Path<'_>, hparams: &Hparams) -> nn::SequentialT {
    let Hparams { channels, dropout, .. } = *hparams;
    let padded = nn::ConvConfig { padding: 1, ..nn::ConvConfig::default() };
    let features = 2 * channels * (SIDE / 2) * (SIDE / 2);
    nn::seq_t()
        .add(nn::conv2d(root / "conv1", 1, channels, 3, padded))
        .add_fn(|x| x.relu())
        .add(nn::conv2d(root / "conv2", channels, 2 * channels, 3, padded))
        .add_fn(|x| x.relu().max_pool2d_default(2).flatten(1, -1))
        .add_fn_t(move |x, train| x.dropout(dropout, train))
        .add(nn::linear(root / "fc1", features, 128, nn::LinearConfig::default()))
        .add_fn(|x| x.relu())
        .add_fn_t(move |x, train| x.dropout(dropout, train))
        .add(nn::linear(root / "fc2", 128, 10, nn::LinearConfig::default()))
}

/// Shifts the images of a batch by the same random offset, at most one pixel in each direction, which does not change the
/// digits.
fn shifted(images: &Tensor) -> Result<Tensor> {
    let offset = Tensor::f_randint(3, [2], (Kind::Int64, Device::Cpu))?;
    let (down, right) = (offset.int64_value(&[0]), offset.int64_value(&[1]));
    Ok(images.f_pad([1, 1, 1, 1], "constant", 0.0)?.f_narrow(2, down, SIDE)?.f_narrow(3, right, SIDE)?)
}
