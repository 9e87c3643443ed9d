//! A generated program whose model is as large as the vocabulary of its data.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use tch_lightning::prelude::*;

#[derive(Args, Serialize, Deserialize)]
struct TextHparams {
    /// The text to learn
    #[arg(long)]
    text: String,
}

struct Text {
    text: String,
    vocabulary: Vec<char>,
}

#[lightning_datamodule]
impl Text {
    fn new(options: TextHparams) -> Self {
        println!("new: data module");
        let mut vocabulary: Vec<char> = options.text.chars().collect();
        vocabulary.sort_unstable();
        vocabulary.dedup();
        Self { text: options.text, vocabulary }
    }

    fn prepare_data(&self) {
        println!("prepare_data");
    }

    fn setup(&self) {
        println!("setup");
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        let number = |one: char| self.vocabulary.iter().position(|known| *known == one).unwrap_or_default() as i64;
        let numbers: Vec<i64> = self.text.chars().map(number).collect();
        Ok(DataLoader::new(TensorDataset::new(Tensor::from_slice(&numbers))?).batch_size(2))
    }

    fn predict_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }
}

#[derive(Args, Serialize, Deserialize)]
struct ModelHparams {
    /// The width of the embedding
    #[arg(long, default_value_t = 3)]
    width: i64,
}

struct Model {
    vs: nn::VarStore,
    embedding: nn::Embedding,
}

#[lightning_module]
impl Model {
    fn new(options: &ModelHparams, text: &Text) -> Result<Self> {
        println!("new: model");
        let vs = nn::VarStore::new(Device::Cpu);
        let words = text.vocabulary.len() as i64;
        let embedding = nn::embedding(vs.root() / "embedding", words, options.width, nn::EmbeddingConfig::default());
        Ok(Self { vs, embedding })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        self.embedding.forward(batch).square().mean(Kind::Float)
    }

    fn predict_step(&self, batch: &Tensor) -> Tensor {
        self.embedding.forward(batch)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    Model::main::<Text>()
}
