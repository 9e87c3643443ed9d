//! The network of adapters.py.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tch_lightning::lora::{Lora, LoraLinear};
use tch_lightning::prelude::*;

/// Held while random numbers are drawn, as libtorch has one state of them for all tests, which run in parallel.
static RANDOM_NUMBERS: Mutex<()> = Mutex::new(());

pub fn random_numbers() -> MutexGuard<'static, ()> {
    RANDOM_NUMBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Network {
    pub vs: nn::VarStore,
    embed: LoraLinear,
    qkv: LoraLinear,
    out: LoraLinear,
    head: LoraLinear,
    optimizer: &'static str,
}

impl Network {
    pub fn new(lora: Option<&Lora>) -> Self {
        let _random_numbers = random_numbers();
        let vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let linear = |path: nn::Path<'_>, inputs, outputs| {
            LoraLinear::new(path, inputs, outputs, nn::LinearConfig::default(), lora).unwrap()
        };
        let embed = linear(&root / "embed", 6, 8);
        let qkv = linear(&root / "attn" / "qkv", 8, 24);
        let out = linear(&root / "attn" / "out", 8, 8);
        let head = linear(&root / "head", 8, 3);
        Self { vs, embed, qkv, out, head, optimizer: "" }
    }

    fn forward(&self, inputs: &Tensor) -> Tensor {
        let parts = self.qkv.forward(&self.embed.forward(inputs)).chunk(3, -1);
        let attention = parts[0].matmul(&parts[1].transpose(-2, -1)).softmax(-1, None);
        self.head.forward(&self.out.forward(&attention.matmul(&parts[2])))
    }

    pub fn outputs(&self, inputs: &Tensor) -> Tensor {
        tch::no_grad(|| self.forward(inputs))
    }
}

#[lightning_module]
impl Network {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor), batch_idx: usize) -> Tensor {
        // what dropout draws
        tch::manual_seed(batch_idx as i64);
        self.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean)
    }

    fn configure_optimizers(&self) -> Optimizers {
        match self.optimizer {
            "sgd" => Sgd::new(0.1).momentum(0.9).into(),
            _ => AdamW::new(0.01).weight_decay(0.1).into(),
        }
    }
}

/// Trains for a step with each batch.
pub fn train(network: &mut Network, optimizer: &'static str, batch: &HashMap<String, Tensor>) {
    let _random_numbers = random_numbers();
    network.optimizer = optimizer;
    let config = TrainerConfig {
        max_epochs: Some(1),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    };
    let samples = (batch["inputs"].flatten(0, 1), batch["targets"].flatten(0, 1));
    let loader = DataLoader::new(TensorDataset::new(samples).unwrap()).batch_size(4);
    Trainer::new(config).fit(network, tch_lightning::Loaders::train(loader)).unwrap();
}
