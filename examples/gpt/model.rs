//! The model: a small GPT-2 over bytes.

use clap::Args;
use examples::gpt2::{Config, Gpt2};
use examples::samples::{LanguageModel, Samples};
use examples::text::{Bytes, VOCABULARY};
use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

/// The hyperparameters of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The highest learning rate
    #[arg(long, default_value_t = 2e-3)]
    lr: f64,
    /// The size of a byte's vector
    #[arg(long, default_value_t = 128)]
    width: i64,
    /// The number of blocks
    #[arg(long, default_value_t = 4)]
    layers: i64,
    /// The number of attention heads of a block
    #[arg(long, default_value_t = 4)]
    heads: i64,
    /// The longest text, in bytes
    #[arg(long, default_value_t = 64)]
    positions: i64,
    /// The fraction of values that training drops
    #[arg(long, default_value_t = 0.1)]
    dropout: f64,
}

/// A language model of bytes.
pub struct Gpt {
    vs: nn::VarStore,
    net: Gpt2,
    hparams: Hparams,
}

#[lightning_module]
impl Gpt {
    fn new(hparams: Hparams) -> Result<Self> {
        let vs = nn::VarStore::new(Device::Cpu);
        let Hparams { width, layers, heads, positions, dropout, .. } = hparams;
        let config = Config { vocabulary: VOCABULARY, positions, width, layers, heads, dropout };
        let net = Gpt2::new(&vs.root(), config, None)?;
        Ok(Self { vs, net, hparams })
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig {
            max_epochs: Some(8),
            log_every_n_steps: 10,
            gradient_clip_val: Some(1.0),
            ..TrainerConfig::default()
        }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Bytes) -> Result<Tensor> {
        let loss = self.net.loss(&batch.0, &batch.1);
        ctx.log("train_loss", &loss).prog_bar();
        Ok(loss)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Bytes) {
        ctx.log("val_loss", self.net.loss(&batch.0, &batch.1)).prog_bar();
    }

    fn configure_optimizers(&mut self, ctx: &mut Context) -> Result<ScheduledOptimizer> {
        let steps = ctx.estimated_stepping_batches()?;
        let schedule = SequentialLr::warm_up(
            LinearLr::default().start_factor(0.1).total_iters(steps / 20),
            CosineAnnealingLr::new(steps - steps / 20),
        );
        let adamw = AdamW::new(self.hparams.lr).betas((0.9, 0.95)).weight_decay(0.1).no_decay();
        Ok(adamw.lr_scheduler(LrSchedulerConfig::from(schedule).interval(Interval::Step)))
    }

    fn configure_callbacks(&self) -> (Samples, ModelCheckpoint) {
        (Samples::new("ROMEO:\n"), ModelCheckpoint::new().monitor("val_loss"))
    }
}

impl LanguageModel for Gpt {
    fn net(&self) -> &Gpt2 {
        &self.net
    }
}
