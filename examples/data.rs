//! The data module of the digits: reads the file, splits it and yields batches.

use anyhow::{Context as _, ensure};
use clap::Args;
use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use tch_lightning::data::{Subset, random_split};
use tch_lightning::prelude::*;

/// A batch: images `[batch, 1, 8, 8] f32` from 0 (paper) to 1 (ink), their digits `[batch] i64`, and their rows in the file
/// `[batch] i64`, from 1.
pub type Digits = (Tensor, Tensor, Tensor);

/// The width and height of an image, in pixels.
pub const SIDE: i64 = 8;
const PIXELS: usize = (SIDE * SIDE) as usize;
/// The maximum value of a pixel, for full ink.
const INK: u8 = 16;

/// The fractions of the data for training, validation and test.
const PARTS: [f64; 3] = [0.7, 0.1, 0.2];

/// The embedded data file.
const OWN: &[u8] = include_bytes!("digits.csv.gz");

/// The hyperparameters of the data.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// A CSV file of other digits: 64 pixels from 0 to 16 and the digit in each row; gzipped if the name ends in .gz
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The number of digits in a batch
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// The seed of the split into train, validation and test, and of the order of the batches
    #[arg(long, default_value_t = 42)]
    data_seed: u64,
}

/// Handwritten digits.
pub struct DigitData {
    hparams: Hparams,
    parts: Option<[Subset<TensorDataset<Digits>>; 3]>,
}

#[lightning_datamodule]
impl DigitData {
    fn new(hparams: Hparams) -> Self {
        Self { hparams, parts: None }
    }

    fn setup(&mut self) -> Result<()> {
        let digits = match &self.hparams.data {
            None => own_digits(),
            Some(path) => {
                let name = path.display().to_string();
                let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
                let zipped = path.extension().is_some_and(|extension| extension == "gz");
                if zipped { read(MultiGzDecoder::new(file), &name) } else { read(file, &name) }
            }
        }?;
        let parts = random_split(digits, &PARTS, self.hparams.data_seed)?;
        self.parts = Some(parts);
        Ok(())
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Digits>> {
        Ok(self.loader(0)?.shuffle(true).seed(self.hparams.data_seed))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Digits>> {
        self.loader(1)
    }

    fn test_dataloader(&mut self) -> Result<DataLoader<Digits>> {
        self.loader(2)
    }

    fn predict_dataloader(&mut self) -> Result<DataLoader<Digits>> {
        self.loader(2)
    }

    fn loader(&self, part: usize) -> Result<DataLoader<Digits>> {
        let parts = self.parts.as_ref().context("the digits are loaded in `setup`, which has not run")?;
        Ok(DataLoader::new(parts[part].clone()).batch_size(self.hparams.batch_size))
    }
}

/// Returns the digits that the program contains.
///
/// # Errors
/// If the embedded file is damaged.
pub fn own_digits() -> Result<TensorDataset<Digits>> {
    read(MultiGzDecoder::new(OWN), "the program's own digits")
}

/// Reads all rows.
///
/// # Errors
/// The first damaged row.
fn read(source: impl Read, name: &str) -> Result<TensorDataset<Digits>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(source);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (row, record) in (1..).zip(reader.records()) {
        let record = record.with_context(|| format!("cannot read row {row} of {name}"))?;
        labels.push(parse(&record, &mut pixels).with_context(|| format!("row {row} of {name} is damaged"))?);
    }
    ensure!(!labels.is_empty(), "{name} has no digits");
    let count = labels.len() as i64;
    let images = Tensor::from_slice(&pixels).view([count, 1, SIDE, SIDE]).to_kind(Kind::Float) / f64::from(INK);
    let rows = Tensor::arange_start(1, count + 1, (Kind::Int64, Device::Cpu));
    Ok(TensorDataset::new((images, Tensor::from_slice(&labels), rows))?)
}

/// Adds a row's pixels to `pixels`, and returns its digit.
fn parse(record: &StringRecord, pixels: &mut Vec<u8>) -> Result<i64> {
    let found = record.len();
    ensure!(found == PIXELS + 1, "it has {found} values, and {PIXELS} pixels and a digit are {}", PIXELS + 1);
    for (column, text) in (1..).zip(record.iter().take(PIXELS)) {
        let pixel = text.parse().ok().filter(|pixel| *pixel <= INK);
        pixels.push(pixel.with_context(|| format!("pixel {column} is `{text}`, not a number from 0 to {INK}"))?);
    }
    let text = &record[PIXELS];
    text.parse().ok().filter(|digit| (0..10).contains(digit)).with_context(|| format!("`{text}` is not a digit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_contains_all_digits() {
        let digits = own_digits().unwrap();
        let (images, labels, rows) = digits.tensors();
        assert_eq!(images.size(), [1797, 1, 8, 8]);
        assert_eq!((images.min().double_value(&[]), images.max().double_value(&[])), (0.0, 1.0));
        // the counts in UCI's description of the file
        let counts = Vec::<i64>::try_from(labels.bincount::<Tensor>(None, 10)).unwrap();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!((rows.int64_value(&[0]), rows.int64_value(&[-1])), (1, 1797));
    }
}
