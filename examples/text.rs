//! The data module of the language models: the bytes of a text, cut into pieces.

use anyhow::ensure;
use clap::Args;
use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::PathBuf;
use tch_lightning::prelude::*;

/// The number of different bytes, which are the tokens.
pub const VOCABULARY: i64 = 256;

/// A batch: bytes `[batch, length] i64`, and those that follow each of them `[batch, length] i64`.
pub type Bytes = (Tensor, Tensor);

/// The embedded texts.
const SHAKESPEARE: &[u8] = include_bytes!("shakespeare.txt.gz");
const LICENCE: &[u8] = include_bytes!("../LICENSE-APACHE");

/// The last part of the text, which is for validation: one tenth.
const VALIDATION: usize = 10;

/// The hyperparameters of the data.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The text: a file, or `shakespeare` or `licence`, which the program contains
    #[arg(long, default_value = "shakespeare")]
    text: PathBuf,
    /// The length of a sample, in bytes
    #[arg(long, default_value_t = 64)]
    length: i64,
    /// The number of samples in a batch
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
}

/// A text in bytes.
pub struct Text {
    hparams: Hparams,
    bytes: Vec<i64>,
}

#[lightning_datamodule]
impl Text {
    fn new(hparams: Hparams) -> Self {
        Self { hparams, bytes: Vec::new() }
    }

    fn setup(&mut self) -> Result<()> {
        let path = &self.hparams.text;
        let mut text = Vec::new();
        match path.to_str() {
            Some("shakespeare") => drop(GzDecoder::new(SHAKESPEARE).read_to_end(&mut text)?),
            Some("licence") => text.extend(LICENCE),
            _ => text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
        }
        let shortest = VALIDATION * (self.hparams.length as usize + 1);
        ensure!(text.len() >= shortest, "{} has {} bytes, but needs {shortest}", path.display(), text.len());
        self.bytes = text.into_iter().map(i64::from).collect();
        Ok(())
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Bytes>> {
        Ok(self.loader(&self.bytes[..self.train_len()])?.shuffle(true))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Bytes>> {
        self.loader(&self.bytes[self.train_len()..])
    }

    fn train_len(&self) -> usize {
        self.bytes.len() - self.bytes.len() / VALIDATION
    }

    /// Returns a loader of the pieces of a text, each of which begins where the one before it ends.
    fn loader(&self, bytes: &[i64]) -> Result<DataLoader<Bytes>> {
        let Hparams { length, batch_size, .. } = self.hparams;
        let pieces = (bytes.len() as i64 - 1) / length;
        let piece =
            |from: usize| Tensor::from_slice(&bytes[from..from + (pieces * length) as usize]).view([pieces, length]);
        Ok(DataLoader::new(TensorDataset::new((piece(0), piece(1)))?).batch_size(batch_size))
    }
}
