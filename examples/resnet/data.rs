//! Some of the handwritten digits.

use crate::augmented::Images;
use clap::{Args, ValueEnum};
use examples::data::own_digits;
use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

/// A batch: images `[batch, 3, 32, 32] f32` and their classes `[batch] i64`.
pub type Batch = (Tensor, Tensor);

/// The number of digits of a part, which are the classes.
pub const CLASSES: i64 = 5;

/// The number of digits of which one is for validation.
const VALIDATION: usize = 5;

/// Which digits.
#[derive(Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// 0 to 4
    Low,
    /// 5 to 9
    High,
}

/// The hyperparameters of the data.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The digits that are learned
    #[arg(long, value_enum, default_value = "low")]
    digits: Part,
    /// The number of training images of each class; by default all
    #[arg(long, value_name = "COUNT")]
    shots: Option<usize>,
    /// The number of images in a batch
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// The number of threads that turn and shift images
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

/// Handwritten digits from 0 to 4, or from 5 to 9.
pub struct SomeDigits {
    hparams: Hparams,
    parts: Option<[TensorDataset<Batch>; 2]>,
}

#[lightning_datamodule]
impl SomeDigits {
    fn new(hparams: Hparams) -> Self {
        Self { hparams, parts: None }
    }

    fn setup(&mut self) -> Result<()> {
        let digits = own_digits()?;
        let (images, labels, _) = digits.tensors();
        let first = match self.hparams.digits {
            Part::Low => 0,
            Part::High => CLASSES,
        };
        let (mut training, mut validation) = (Vec::new(), Vec::new());
        let mut of_class = [0; CLASSES as usize];
        let labels = Vec::<i64>::try_from(labels)?;
        for (row, class) in (0..).zip(labels.into_iter().map(|label| label - first)) {
            let Some(count) = usize::try_from(class).ok().and_then(|class| of_class.get_mut(class)) else { continue };
            if (row as usize).is_multiple_of(VALIDATION) {
                validation.push((row, class));
            } else if self.hparams.shots.is_none_or(|shots| *count < shots) {
                *count += 1;
                training.push((row, class));
            }
        }
        let part = |chosen: Vec<(i64, i64)>| {
            let (rows, classes): (Vec<i64>, Vec<i64>) = chosen.into_iter().unzip();
            TensorDataset::new((images.index_select(0, &Tensor::from_slice(&rows)), Tensor::from_slice(&classes)))
        };
        self.parts = Some([part(training)?, part(validation)?]);
        Ok(())
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Batch>> {
        // a batch norm cannot normalize a last batch of one image
        Ok(self.loader(0, true)?.shuffle(true).drop_last(true))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Batch>> {
        self.loader(1, false)
    }

    fn loader(&self, part: usize, augment: bool) -> Result<DataLoader<Batch>> {
        let parts = self.parts.as_ref().context("the digits are loaded in `setup`, which has not run")?;
        let images = Images { images: parts[part].clone(), augment };
        let batch_size = self.hparams.batch_size.min(parts[part].len());
        Ok(DataLoader::with_workers(images, self.hparams.workers).batch_size(batch_size))
    }
}
