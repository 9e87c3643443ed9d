//! Writes the predictions: a file of all, and a picture of the misclassified digits.

use crate::picture::{self, Mistaken};
use anyhow::Context as _;
use examples::data::Digits;
use serde::{Deserialize, Serialize};
use std::path::Path;
use tch_lightning::prelude::*;

/// The predictions of a batch.
#[derive(Batch)]
pub struct Prediction {
    /// The predicted digits `[batch] i64`.
    pub digit: Tensor,
    /// The probability of each, `[batch] f32` from 0 to 1.
    pub probability: Tensor,
}

/// Collects the predictions, and writes them to the folder of the run at the end.
#[derive(Default)]
pub struct PredictionWriter {
    rows: Vec<Row>,
    mistaken: Vec<Mistaken>,
}

/// A row of the file.
#[derive(Serialize, Deserialize)]
struct Row {
    /// The row of the digit in the data.
    row: i64,
    label: i64,
    predicted: i64,
    probability: f64,
}

impl PredictionWriter {
    fn write(&self, folder: &Path) -> Result<()> {
        let (table, picture) = (folder.join("predictions.csv"), folder.join("mistaken.png"));
        let written = csv::Writer::from_path(&table).and_then(|mut writer| {
            self.rows.iter().try_for_each(|row| writer.serialize(row))?;
            Ok(writer.flush()?)
        });
        written.with_context(|| format!("cannot write {}", table.display()))?;
        picture::write(&self.mistaken, &picture).with_context(|| format!("cannot write {}", picture.display()))?;
        println!("{} of {} digits were mistaken for others", self.mistaken.len(), self.rows.len());
        println!("predictions: {}", table.display());
        println!("picture:     {}", picture.display());
        Ok(())
    }
}

#[lightning_callback]
impl PredictionWriter {
    fn on_predict_batch_end(&mut self, outputs: &Prediction, batch: &Digits) -> Result<()> {
        let (images, labels, rows) = batch;
        let (rows, labels) = (Vec::<i64>::try_from(rows)?, Vec::<i64>::try_from(labels)?);
        let (predicted, sure) = (Vec::<i64>::try_from(&outputs.digit)?, Vec::<f64>::try_from(&outputs.probability)?);
        for (place, (row, label)) in rows.into_iter().zip(labels).enumerate() {
            let (predicted, probability) = (predicted[place], sure[place]);
            if predicted != label {
                let pixels = Vec::try_from(images.f_get(place as i64)?.f_flatten(0, -1)?)?;
                self.mistaken.push(Mistaken { row, label, predicted, probability, pixels });
            }
            self.rows.push(Row { row, label, predicted, probability });
        }
        Ok(())
    }

    fn on_predict_end(&mut self, ctx: &mut Context) -> Result<()> {
        // several processes have predicted a part each
        let parts = ctx.gather((std::mem::take(&mut self.rows), std::mem::take(&mut self.mistaken)))?;
        if !ctx.is_global_zero() {
            return Ok(());
        }
        for (rows, mistaken) in parts {
            self.rows.extend(rows);
            self.mistaken.extend(mistaken);
        }
        self.rows.sort_by_key(|row| row.row);
        self.mistaken.sort_by_key(|mistaken| mistaken.row);
        self.write(ctx.log_dir()?)
    }
}
