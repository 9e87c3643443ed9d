//! A generated program whose training depends on random numbers of every kind: initial weights, dropout and the order of the data.

use clap::{Arg, Args, Command};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use tch_lightning::prelude::*;

#[derive(Args, Serialize, Deserialize)]
struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 0.1)]
    lr: f64,
    /// The probability of dropout
    #[arg(long, default_value_t = 0.1)]
    dropout: f64,
    /// Call an operator without a deterministic algorithm
    #[arg(long)]
    put: bool,
}

#[derive(Args, Serialize, Deserialize)]
struct NoiseHparams {
    /// The number of samples of a batch
    #[arg(long, default_value_t = 4)]
    batch_size: usize,
}

struct Noise {
    samples: (Tensor, Tensor),
    batch_size: usize,
}

#[lightning_datamodule]
impl Noise {
    fn new(hparams: &NoiseHparams) -> Self {
        let samples = Tensor::randn([40, 3], (Kind::Float, Device::Cpu));
        let labels = samples.select(1, 0).gt(0.0).to_kind(Kind::Int64);
        Self { samples: (samples, labels), batch_size: hparams.batch_size }
    }

    fn dataset(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        let (samples, labels) = &self.samples;
        Ok(DataLoader::new(TensorDataset::new((samples.shallow_clone(), labels.shallow_clone()))?)
            .batch_size(self.batch_size))
    }

    fn train_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        Ok(self.dataset()?.shuffle(true))
    }

    fn val_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        self.dataset()
    }

    fn test_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        self.dataset()
    }
}

struct Classifier {
    vs: nn::VarStore,
    layers: [nn::Linear; 2],
    hparams: Hparams,
}

#[lightning_module]
impl Classifier {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let linear =
            |name: &str, inputs, outputs| nn::linear(vs.root() / name, inputs, outputs, nn::LinearConfig::default());
        let layers = [linear("first", 3, 8), linear("second", 8, 2)];
        Self { vs, layers, hparams }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig::default().log_every_n_steps(1).enable_progress_bar(false).enable_model_summary(false)
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn forward(&self, samples: &Tensor) -> Tensor {
        let hidden = self.layers[0].forward(samples).relu().dropout(self.hparams.dropout, is_training());
        self.layers[1].forward(&hidden)
    }

    fn training_step(&self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Tensor {
        if self.hparams.put {
            let index = Tensor::from_slice(&[0_i64]);
            let _ = batch.0.zeros_like().put_(&index, &batch.0.reshape([-1]).narrow(0, 0, 1), false);
        }
        let loss = self.forward(&batch.0).cross_entropy_for_logits(&batch.1);
        ctx.log("train_loss", &loss);
        loss
    }

    fn validation_step(&self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        let logits = self.forward(&batch.0);
        ctx.log("val_loss", logits.cross_entropy_for_logits(&batch.1));
        ctx.log("val_acc", logits.accuracy_for_logits(&batch.1));
    }

    fn test_step(&self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        ctx.log("test_loss", self.forward(&batch.0).cross_entropy_for_logits(&batch.1));
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(self.hparams.lr)
    }
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    let names = Command::new("names")
        .about("List the weights of a checkpoint")
        .visible_alias("write")
        .arg(Arg::new("checkpoint").required(true))
        // the name of a hyperparameter, which is a number
        .arg(Arg::new("lr").long("lr").default_value("no number"));
    let taken = std::env::var("TAKEN").map(|name| Command::new(name.as_str().to_owned()));
    let program = Classifier::program::<Noise>().subcommand(names, |arguments| {
        let path: &String = arguments.get_one("checkpoint").expect("a required argument");
        println!("lr {}", arguments.get_one::<String>("lr").expect("a default"));
        let model = Classifier::load_from_checkpoint(path)?;
        for name in model.vs.variables().into_keys().collect::<std::collections::BTreeSet<_>>() {
            println!("{name}");
        }
        Ok(())
    });
    match taken {
        Ok(command) => program.subcommand(command, |_| Ok(())).run(),
        Err(_) => program.run(),
    }
}
