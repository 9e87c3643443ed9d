//! The model: an encoder from images to distributions in a latent space, and a decoder back.

use crate::plane::Plane;
use clap::Args;
use examples::data::{Digits, SIDE};
use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

const PIXELS: i64 = SIDE * SIDE;

/// The hyperparameters of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 2e-3)]
    lr: f64,
    /// The number of dimensions of the latent space; the picture shows the first two
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(i64).range(2..))]
    latent: i64,
    /// The width of the hidden layers
    #[arg(long, default_value_t = 256)]
    width: i64,
    /// The number of epochs in which the weight of the Kullback-Leibler divergence rises to 1
    #[arg(long, default_value_t = 10)]
    warmup_epochs: usize,
}

/// Learns distributions of digits.
pub struct Vae {
    vs: nn::VarStore,
    encoder: nn::Sequential,
    decoder: nn::Sequential,
    /// The latent means of a verb's images and their classes, by batch.
    latents: Vec<(Tensor, Tensor)>,
    hparams: Hparams,
}

/// The two terms of the loss, each `[] f32`: the mean over the images of a batch.
struct Terms {
    /// The negative log-likelihood of the pixels, in nats.
    reconstruction: Tensor,
    /// The Kullback-Leibler divergence of the latent distributions from the standard normal one, in nats.
    divergence: Tensor,
}

#[lightning_module]
impl Vae {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let Hparams { latent, width, .. } = hparams;
        let encoder = network(&(vs.root() / "encoder"), [PIXELS, width, 2 * latent]);
        let decoder = network(&(vs.root() / "decoder"), [latent, width, PIXELS]);
        Self { vs, encoder, decoder, latents: Vec::new(), hparams }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(100), log_every_n_steps: 10, ..TrainerConfig::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Digits) -> Tensor {
        let (images, ..) = batch;
        let Terms { reconstruction, divergence } = self.terms(images);
        // a divergence with its full weight from the start would let the encoder ignore the images
        let weight = ((ctx.current_epoch() + 1) as f64 / self.hparams.warmup_epochs.max(1) as f64).min(1.0);
        let loss = &reconstruction + &divergence * weight;
        ctx.log("train_loss", &loss).on_epoch(true).prog_bar();
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Digits) {
        let (images, classes, _) = batch;
        let Terms { reconstruction, divergence } = self.terms(images);
        ctx.log("val_loss", &reconstruction + &divergence).prog_bar();
        ctx.log("val_reconstruction", reconstruction);
        ctx.log("val_divergence", divergence);
        self.latents.push((self.mean(images), classes.shallow_clone()));
    }

    fn on_validation_epoch_start(&mut self) {
        self.latents.clear();
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Digits) {
        let (images, classes, _) = batch;
        let Terms { reconstruction, divergence } = self.terms(images);
        ctx.log("test_loss", reconstruction + divergence);
        self.latents.push((self.mean(images), classes.shallow_clone()));
    }

    fn on_test_epoch_start(&mut self) {
        self.latents.clear();
    }

    fn on_test_epoch_end(&mut self, ctx: &mut Context) {
        let (means, classes) = self.latents();
        ctx.log("test_same_class", same_class(&means, &classes));
    }

    fn configure_optimizers(&self) -> Adam {
        Adam::new(self.hparams.lr)
    }

    fn configure_callbacks(&self) -> Plane {
        Plane {}
    }

    /// Returns the loss of images `[batch, 1, 8, 8] f32`.
    fn terms(&self, images: &Tensor) -> Terms {
        let pixels = images.flatten(1, -1);
        let [mean, log_variance] =
            <[Tensor; 2]>::try_from(self.encoder.forward(&pixels).chunk(2, 1)).expect("two chunks");
        // as a function of the mean and the variance, the draw has gradients
        let drawn = &mean + (&log_variance * 0.5).exp() * mean.randn_like();
        let logits = self.decoder.forward(&drawn);
        let sum = tch::Reduction::Sum;
        let images = pixels.size()[0] as f64;
        let reconstruction = logits.binary_cross_entropy_with_logits::<Tensor>(&pixels, None, None, sum) / images;
        let divergence = (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(Kind::Float) * (0.5 / images);
        Terms { reconstruction, divergence }
    }

    /// Returns the latent means of images, `[batch, latent] f32`.
    fn mean(&self, images: &Tensor) -> Tensor {
        self.encoder.forward(&images.flatten(1, -1)).narrow(1, 0, self.hparams.latent)
    }

    /// Returns the latent means of all images of the newest validation or test `[images, latent] f32`, and their classes `[images] i64`.
    pub fn latents(&self) -> (Tensor, Tensor) {
        let (means, classes): (Vec<&Tensor>, Vec<&Tensor>) =
            self.latents.iter().map(|(mean, class)| (mean, class)).unzip();
        (Tensor::cat(&means, 0), Tensor::cat(&classes, 0))
    }

    /// Returns the images at latent points `[images, 2] f32`, with 0 as the other dimensions: `[images, 64] f32` from 0 (paper) to 1 (ink).
    pub fn decode(&self, points: &Tensor) -> Tensor {
        let others = points.new_zeros([points.size()[0], self.hparams.latent - 2], (Kind::Float, points.device()));
        self.decoder.forward(&Tensor::cat(&[points, &others], 1)).sigmoid()
    }
}

/// Creates a network of these widths.
fn network(path: &nn::Path<'_>, [input, hidden, output]: [i64; 3]) -> nn::Sequential {
    nn::seq()
        .add(nn::linear(path / "fc1", input, hidden, nn::LinearConfig::default()))
        .add_fn(|x| x.relu())
        .add(nn::linear(path / "fc2", hidden, hidden, nn::LinearConfig::default()))
        .add_fn(|x| x.relu())
        .add(nn::linear(path / "fc3", hidden, output, nn::LinearConfig::default()))
}

/// Returns the fraction of the points `[n, latent] f32` whose nearest other point is of the same class, `[] f32`.
fn same_class(points: &Tensor, classes: &Tensor) -> Tensor {
    // the nearest point to each is the point itself
    let (_, neighbours) = Tensor::cdist(points, points, 2.0, None::<i64>).topk(2, 1, false, true);
    let nearest = neighbours.select(1, 1);
    classes.index_select(0, &nearest).eq_tensor(classes).to_kind(Kind::Float).mean(Kind::Float)
}
