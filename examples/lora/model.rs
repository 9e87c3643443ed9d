//! The model: the GPT-2 of the example `gpt` with adapters, which are all that is trained.

use clap::Args;
use examples::gpt2::{Config, Gpt2};
use examples::samples::{LanguageModel, Samples};
use examples::text::Bytes;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tch_lightning::checkpoint::weights;
use tch_lightning::lora::{ADAPTERS, Lora};
use tch_lightning::prelude::*;

/// The hyperparameters of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The weights of the base, which `gpt export best --weights base.safetensors` writes
    #[arg(long, value_name = "FILE", default_value = "base.safetensors")]
    base: PathBuf,
    /// The number of attention heads of a block of the base
    #[arg(long, default_value_t = 4)]
    heads: i64,
    /// The learning rate
    #[arg(long, default_value_t = 5e-3)]
    lr: f64,
    /// The rank of the adapters
    #[arg(long, default_value_t = 8)]
    rank: i64,
    /// The numerator of the adapters' scaling
    #[arg(long, default_value_t = 16.0)]
    alpha: f64,
    /// The fraction of the adapters' inputs that training drops
    #[arg(long, default_value_t = 0.05)]
    dropout: f64,
    /// The pattern of the layers that have an adapter
    #[arg(long, default_value = "transformer.h.*.{attn,mlp}.*")]
    target: String,
}

/// A language model of bytes with adapters.
pub struct AdaptedGpt {
    vs: nn::VarStore,
    net: Gpt2,
    hparams: Hparams,
}

#[lightning_module]
impl AdaptedGpt {
    fn new(hparams: Hparams) -> Result<Self> {
        let base = weights::open(&hparams.base)
            .context("the weights of the base are missing: README.md of this example shows how to make them")?;
        let mut vs = nn::VarStore::new(Device::Cpu);
        let lora = hparams.lora();
        let net = Gpt2::new(&vs.root(), hparams.config(&base)?, Some(&lora))?;
        base.except(ADAPTERS).load(&mut vs)?;
        lora.freeze_base(&vs)?;
        Ok(Self { vs, net, hparams })
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(30), log_every_n_steps: 10, ..TrainerConfig::default() }
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

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }

    fn configure_callbacks(&self) -> (Samples, ModelCheckpoint) {
        (Samples::new("3. Grant of"), ModelCheckpoint::new().monitor("val_loss").save_frozen(false))
    }

    /// Writes the adapters for PEFT, and the weights with the adapters merged into them.
    fn on_fit_end(&mut self, ctx: &mut Context) -> Result<()> {
        let folder = ctx.log_dir()?;
        let (adapter, merged) = (folder.join("adapter"), folder.join("merged.safetensors"));
        let lora = self.hparams.lora();
        lora.save(&self.vs, &adapter)?;
        lora.save_merged(&self.vs, &merged)?;
        println!("adapter: {}", adapter.display());
        println!("merged:  {}", merged.display());
        Ok(())
    }
}

impl Hparams {
    fn lora(&self) -> Lora {
        Lora::new(self.rank, &self.target).alpha(self.alpha).dropout(self.dropout)
    }

    /// Returns the sizes of the base, which the shapes of its weights tell.
    fn config(&self, base: &weights::Weights) -> Result<Config> {
        let shapes = base.shapes();
        let shape = |name: &str| shapes.get(name).copied().with_context(|| format!("the base has no `{name}`"));
        let (tokens, positions) = (shape("transformer.wte.weight")?, shape("transformer.wpe.weight")?);
        let layers =
            (0..).take_while(|layer| shapes.contains_key(format!("transformer.h.{layer}.ln_1.weight").as_str()));
        Ok(Config {
            vocabulary: tokens[0],
            width: tokens[1],
            positions: positions[0],
            layers: layers.count() as i64,
            heads: self.heads,
            dropout: 0.0,
        })
    }
}

impl LanguageModel for AdaptedGpt {
    fn net(&self) -> &Gpt2 {
        &self.net
    }
}
