//! The model: a generator of digits, and a discriminator between generated and handwritten digits.

use crate::samples::Samples;
use clap::Args;
use examples::data::{Digits, SIDE};
use serde::{Deserialize, Serialize};
use tch_lightning::optim::ParameterGroups;
use tch_lightning::prelude::*;

/// The indices of the optimizers, in the order of `configure_optimizers`.
const GENERATOR: usize = 0;
const DISCRIMINATOR: usize = 1;

const PIXELS: i64 = SIDE * SIDE;
const KINDS: i64 = 10;

/// The hyperparameters of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The learning rate of both networks
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
    /// The size of the noise vector of a generated digit
    #[arg(long, default_value_t = 32)]
    latent: i64,
    /// The width of the hidden layers
    #[arg(long, default_value_t = 256)]
    width: i64,
}

/// Generates digits of each class.
pub struct Gan {
    vs: nn::VarStore,
    generator: nn::SequentialT,
    discriminator: nn::SequentialT,
    hparams: Hparams,
}

#[lightning_module(automatic_optimization = false)]
impl Gan {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let generator = generator(&(vs.root() / "generator"), &hparams);
        let discriminator = discriminator(&(vs.root() / "discriminator"), &hparams);
        Self { vs, generator, discriminator, hparams }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(150), log_every_n_steps: 10, ..TrainerConfig::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Digits) -> Result<()> {
        let (images, kinds, _) = batch;

        // train the discriminator to distinguish handwritten from generated digits
        ctx.toggle_optimizer(DISCRIMINATOR);
        let drawn = tch::no_grad(|| self.draw(kinds, true));
        let (written, drawn) = (self.judge(&images.flatten(1, -1), kinds, true), self.judge(&drawn, kinds, true));
        let loss = taken_for(&written, 0.9) + taken_for(&drawn, 0.0);
        ctx.log("discriminator_loss", &loss).on_epoch(true).prog_bar();
        ctx.optimizer(DISCRIMINATOR).zero_grad()?;
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, DISCRIMINATOR)?;

        // train the generator to produce digits that the discriminator accepts as handwritten
        ctx.toggle_optimizer(GENERATOR);
        let drawn = self.draw(kinds, true);
        let loss = taken_for(&self.judge(&drawn, kinds, true), 1.0);
        ctx.log("generator_loss", &loss).on_epoch(true).prog_bar();
        ctx.optimizer(GENERATOR).zero_grad()?;
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, GENERATOR)?;
        ctx.untoggle_optimizer();
        Ok(())
    }

    fn configure_optimizers(&self) -> (ParameterGroups<Adam>, ParameterGroups<Adam>) {
        let adam = Adam::new(self.hparams.lr).betas((0.5, 0.999));
        (adam.over("generator.**"), adam.over("discriminator.**"))
    }

    fn configure_callbacks(&self) -> Samples {
        Samples::default()
    }

    /// Generates digits of the classes `[batch] i64`: `[batch, 64] f32` from 0 (paper) to 1 (ink).
    pub fn draw(&self, kinds: &Tensor, train: bool) -> Tensor {
        let noise = Tensor::randn([kinds.size()[0], self.hparams.latent], (Kind::Float, kinds.device()));
        self.generator.forward_t(&Tensor::cat(&[noise, one_hot(kinds)], 1), train)
    }

    /// Returns the discriminator's logits that the digits are handwritten, `[batch, 1] f32`.
    fn judge(&self, pixels: &Tensor, kinds: &Tensor, train: bool) -> Tensor {
        self.discriminator.forward_t(&Tensor::cat(&[pixels.shallow_clone(), one_hot(kinds)], 1), train)
    }
}

/// Converts classes `[batch] i64` to one-hot vectors `[batch, 10] f32`.
fn one_hot(kinds: &Tensor) -> Tensor {
    kinds.one_hot(KINDS).to_kind(Kind::Float)
}

/// Returns the loss of logits with this probability as their target, `[] f32`.
fn taken_for(logits: &Tensor, probability: f64) -> Tensor {
    let target = logits.full_like(probability);
    logits.binary_cross_entropy_with_logits::<Tensor>(&target, None, None, tch::Reduction::Mean)
}

/// Creates the generator, from noise and class `[batch, latent + 10] f32` to pixels `[batch, 64] f32`.
fn generator(path: &nn::Path<'_>, hparams: &Hparams) -> nn::SequentialT {
    let Hparams { latent, width, .. } = *hparams;
    nn::seq_t()
        .add(nn::linear(path / "fc1", latent + KINDS, width, nn::LinearConfig::default()))
        .add(nn::batch_norm1d(path / "norm1", width, nn::BatchNormConfig::default()))
        .add_fn(|x| x.relu())
        .add(nn::linear(path / "fc2", width, width, nn::LinearConfig::default()))
        .add(nn::batch_norm1d(path / "norm2", width, nn::BatchNormConfig::default()))
        .add_fn(|x| x.relu())
        .add(nn::linear(path / "fc3", width, PIXELS, nn::LinearConfig::default()))
        .add_fn(|x| x.sigmoid())
}

/// Creates the discriminator, from pixels and class `[batch, 64 + 10] f32` to logits `[batch, 1] f32`.
fn discriminator(path: &nn::Path<'_>, hparams: &Hparams) -> nn::SequentialT {
    let width = hparams.width;
    nn::seq_t()
        .add(nn::linear(path / "fc1", PIXELS + KINDS, width, nn::LinearConfig::default()))
        .add_fn_t(|x, train| x.leaky_relu().dropout(0.3, train))
        .add(nn::linear(path / "fc2", width, width, nn::LinearConfig::default()))
        .add_fn_t(|x, train| x.leaky_relu().dropout(0.3, train))
        .add(nn::linear(path / "fc3", width, 1, nn::LinearConfig::default()))
}
