//! Generated programs that fit `weight * 2` to 1, from a weight of 1, with one batch in an epoch. The environment names the model.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use tch_lightning::Choice;
use tch_lightning::optim::OptimizerConfig;
use tch_lightning::prelude::*;

/// The function of `weight * 2`.
#[derive(Clone, Choice, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
enum Activation {
    /// No function.
    Identity,
    /// A line below zero.
    LeakyRelu {
        /// The slope below zero
        #[serde(default = "one_percent")]
        negative_slope: f64,
    },
    /// A line that is cut off.
    Clamp {
        /// The smallest value
        #[serde(default)]
        min: f64,
        /// The largest value
        max: f64,
    },
}

fn one_percent() -> f64 {
    0.01
}

impl Activation {
    fn forward(&self, x: &Tensor) -> Tensor {
        match *self {
            Self::Identity => x.shallow_clone(),
            Self::LeakyRelu { negative_slope } => x.clamp_min(0.0) + x.clamp_max(0.0) * negative_slope,
            Self::Clamp { min, max } => x.clamp(min, max),
        }
    }
}

fn store() -> nn::VarStore {
    let vs = nn::VarStore::new(Device::Cpu);
    let _ = vs.root().ones("weight", &[1]);
    vs
}

fn loss(vs: &nn::VarStore, activation: &Activation) -> Tensor {
    (activation.forward(&(&vs.variables()["weight"] * 2.0)) - 1.0).square().mean(None)
}

#[derive(Args, Serialize, Deserialize)]
struct OfFunction {
    /// The function
    #[arg(long, default_value = "identity")]
    activation: Activation,
    #[command(flatten)]
    nested: Nested,
}

#[derive(Args, Serialize, Deserialize)]
struct Nested {
    /// A second function
    #[arg(long)]
    second: Option<Activation>,
}

macro_rules! model {
    ($name:ident, $hparams:ident, $activation:expr, { $($hooks:tt)* }) => {
        struct $name {
            vs: nn::VarStore,
            hparams: $hparams,
        }

        #[lightning_module]
        impl $name {
            fn new(hparams: $hparams) -> Self {
                Self { vs: store(), hparams }
            }

            fn trainer_defaults() -> TrainerConfig {
                TrainerConfig::default().log_every_n_steps(1).enable_progress_bar(false).enable_model_summary(false)
            }

            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn training_step(&self, ctx: &mut Context) -> Tensor {
                let activation: fn(&$hparams) -> &Activation = $activation;
                let loss = loss(&self.vs, activation(&self.hparams));
                ctx.log("loss", &loss);
                loss
            }

            fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
                Ok(DataLoader::new(TensorDataset::new(Tensor::ones([1], (Kind::Float, Device::Cpu)))?))
            }

            $($hooks)*
        }
    };
}

model!(Without, OfFunction, |hparams| hparams.nested.second.as_ref().unwrap_or(&hparams.activation), {});

model!(With, OfFunction, |hparams| &hparams.activation, {
    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.05)
    }
});

#[derive(Args, Serialize, Deserialize)]
struct OfOptimizer {
    /// The optimizer of the model
    #[arg(long, default_value_t = Adam::new(0.5).into())]
    optimizer: OptimizerConfig,
    /// The schedule of its rate
    #[arg(long)]
    lr_scheduler: Option<LrSchedulerConfig>,
    /// The learning rate of something else
    #[arg(long)]
    lr: f64,
}

model!(OfItsOwn, OfOptimizer, |_| &Activation::Identity, {
    fn configure_optimizers(&self) -> ScheduledOptimizer {
        let mut optimizer = self.hparams.optimizer.clone().into_optimizer();
        optimizer.lr_schedulers.extend(self.hparams.lr_scheduler.clone());
        optimizer
    }
});

#[derive(Args, Serialize, Deserialize)]
struct OfTwo {
    #[arg(long)]
    generator: OptimizerConfig,
    #[arg(long, default_value = "sgd")]
    discriminator: OptimizerConfig,
}

struct Manual {
    vs: nn::VarStore,
    hparams: OfTwo,
}

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn new(hparams: OfTwo) -> Self {
        Self { vs: store(), hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self) {}

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([1], (Kind::Float, Device::Cpu)))?))
    }

    fn configure_optimizers(&self) -> (OptimizerConfig, OptimizerConfig) {
        (self.hparams.generator.clone(), self.hparams.discriminator.clone())
    }
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    type Data<M> = tch_lightning::module::NoDataModule<M>;
    match std::env::var("MODEL").as_deref() {
        Ok("with") => With::main::<Data<_>>(),
        Ok("of_its_own") => OfItsOwn::main::<Data<_>>(),
        Ok("manual") => Manual::main(),
        _ => Without::main::<Data<_>>(),
    }
}
