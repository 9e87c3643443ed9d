//! The model: a generator that draws digits, and a discriminator that tells them from written ones.

use crate::samples::Samples;
use clap::Args;
use examples::data::{Digits, SIDE};
use serde::{Deserialize, Serialize};
use tch_lightning::optim::ParameterGroups;
use tch_lightning::prelude::*;

/// The places of the optimizers in what `configure_optimizers` returns.
const GENERATOR: usize = 0;
const DISCRIMINATOR: usize = 1;

const PIXELS: i64 = SIDE * SIDE;
const KINDS: i64 = 10;

/// What can be chosen of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The learning rate of both networks
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
    /// The numbers that a drawn digit is made from
    #[arg(long, default_value_t = 32)]
    latent: i64,
    /// The width of the hidden layers
    #[arg(long, default_value_t = 256)]
    width: i64,
}

/// Draws digits of each kind.
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

        // the discriminator learns to tell written digits from drawn ones
        ctx.toggle_optimizer(DISCRIMINATOR);
        let drawn = tch::no_grad(|| self.draw(kinds, true));
        let (written, drawn) = (self.judge(&images.flatten(1, -1), kinds, true), self.judge(&drawn, kinds, true));
        let loss = taken_for(&written, 0.9) + taken_for(&drawn, 0.0);
        ctx.log("discriminator_loss", &loss).on_epoch(true).prog_bar();
        ctx.optimizer(DISCRIMINATOR).zero_grad()?;
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, DISCRIMINATOR)?;

        // the generator learns to draw what is taken for written
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

    /// Digits of these kinds, `[batch] i64`: `[batch, 64] f32` from 0 (paper) to 1 (ink).
    pub fn draw(&self, kinds: &Tensor, train: bool) -> Tensor {
        let noise = Tensor::randn([kinds.size()[0], self.hparams.latent], (Kind::Float, kinds.device()));
        self.generator.forward_t(&Tensor::cat(&[noise, one_hot(kinds)], 1), train)
    }

    /// How sure the discriminator is that a human wrote these digits, `[batch, 1] f32`: logits.
    fn judge(&self, pixels: &Tensor, kinds: &Tensor, train: bool) -> Tensor {
        self.discriminator.forward_t(&Tensor::cat(&[pixels.shallow_clone(), one_hot(kinds)], 1), train)
    }
}

/// `[batch] i64` to `[batch, 10] f32`.
fn one_hot(kinds: &Tensor) -> Tensor {
    kinds.one_hot(KINDS).to_kind(Kind::Float)
}

/// The loss of logits that should be those of this probability, `[] f32`.
fn taken_for(logits: &Tensor, probability: f64) -> Tensor {
    let target = logits.full_like(probability);
    logits.binary_cross_entropy_with_logits::<Tensor>(&target, None, None, tch::Reduction::Mean)
}

/// From noise and kind `[batch, latent + 10] f32` to pixels `[batch, 64] f32`.
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

/// From pixels and kind `[batch, 64 + 10] f32` to logits `[batch, 1] f32`.
fn discriminator(path: &nn::Path<'_>, hparams: &Hparams) -> nn::SequentialT {
    let width = hparams.width;
    nn::seq_t()
        .add(nn::linear(path / "fc1", PIXELS + KINDS, width, nn::LinearConfig::default()))
        .add_fn_t(|x, train| x.leaky_relu().dropout(0.3, train))
        .add(nn::linear(path / "fc2", width, width, nn::LinearConfig::default()))
        .add_fn_t(|x, train| x.leaky_relu().dropout(0.3, train))
        .add(nn::linear(path / "fc3", width, 1, nn::LinearConfig::default()))
}
