//! The data module of the loans: reads a Parquet file for each branch of the bank.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tch_lightning::data::{ConcatDataset, ParquetFile, Subset, WeightedRandomSampler, random_split};
use tch_lightning::prelude::*;

/// The branches of the bank, each with a file.
pub const BRANCHES: [&str; 2] = ["north", "south"];
/// The number of purposes of a loan.
pub const PURPOSES: i64 = 4;
/// The number of numbers that are known of a loan.
pub const NUMBERS: usize = 5;

/// The fractions of the data for training, validation and test.
const PARTS: [f64; 3] = [0.6, 0.2, 0.2];

/// The hyperparameters of the data.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The folder of north.parquet and south.parquet
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/tabular"))]
    data: PathBuf,
    /// The number of loans in a batch
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// The seed of the split into train, validation and test, and of the order of the batches
    #[arg(long, default_value_t = 42)]
    data_seed: u64,
}

/// A row of a file: the fields have the names of its columns.
#[derive(Deserialize)]
struct Row {
    age: f32,
    /// In a year, in thousands.
    income: f32,
    /// In thousands.
    amount: f32,
    /// The years in the present employment, if they are known.
    employed: Option<f32>,
    purpose: Purpose,
    repaid: bool,
    probability: f32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Purpose {
    Car,
    Education,
    Holiday,
    House,
}

/// A loan.
#[derive(Clone, Collate)]
#[collate(batch = Loans)]
pub struct Loan {
    numbers: [f32; NUMBERS],
    purpose: i64,
    branch: i64,
    repaid: f32,
    probability: f32,
}

/// A batch of loans.
#[derive(Batch)]
pub struct Loans {
    /// What is known in numbers, around 0.
    #[batch("N 5", f32)]
    pub numbers: Tensor,
    /// What the loan is for.
    #[batch("N", i64, 0..4)]
    pub purpose: Tensor,
    /// The position of the branch in [`BRANCHES`].
    #[batch("N", i64, 0..2)]
    pub branch: Tensor,
    /// 1 for loans that were repaid, and 0 for others.
    #[batch("N", f32, 0.0..=1.0)]
    pub repaid: Tensor,
    /// The probability with which it was drawn whether the loan was repaid, which no model is shown.
    #[batch("N", f32, 0.0..=1.0)]
    pub probability: Tensor,
}

impl Row {
    fn loan(&self, branch: usize) -> Loan {
        let numbers = [
            (self.age - 45.0) / 15.0,
            (self.income.ln() - 3.6) / 0.5,
            (self.amount.ln() - 2.3) / 0.9,
            self.employed.map_or(0.0, |years| years / 5.0 - 1.0),
            if self.employed.is_some() { 1.0 } else { -1.0 },
        ];
        Loan {
            numbers,
            purpose: self.purpose as i64,
            branch: branch as i64,
            repaid: f32::from(self.repaid),
            probability: self.probability,
        }
    }
}

/// The loans of both branches.
pub struct LoanData {
    hparams: Hparams,
    /// For training, validation and test, the loans of each branch.
    parts: [Vec<Subset<Vec<Loan>>>; 3],
}

#[lightning_datamodule]
impl LoanData {
    fn new(hparams: Hparams) -> Self {
        Self { hparams, parts: Default::default() }
    }

    fn setup(&mut self) -> Result<()> {
        self.parts = Default::default();
        for (branch, name) in BRANCHES.iter().enumerate() {
            let rows: Vec<Row> = ParquetFile::open(self.hparams.data.join(format!("{name}.parquet")))?.rows()?;
            let loans: Vec<Loan> = rows.iter().map(|row| row.loan(branch)).collect();
            let split = random_split(loans, &PARTS, self.hparams.data_seed)?;
            self.parts.iter_mut().zip(split).for_each(|(part, loans)| part.push(loans));
        }
        Ok(())
    }

    /// Draws loans of both branches as often, although one has four times as many.
    fn train_dataloader(&mut self) -> Result<DataLoader<Loans>> {
        let branches = &self.parts[0];
        let weights = branches.iter().flat_map(|loans| vec![1.0 / loans.len() as f64; loans.len()]).collect::<Vec<_>>();
        let loans = ConcatDataset::new(branches.clone());
        let sampler = WeightedRandomSampler::new(weights, loans.len())?.seed(self.hparams.data_seed);
        Ok(DataLoader::new(loans).batch_size(self.hparams.batch_size).sampler(sampler))
    }

    fn val_dataloader(&mut self) -> Vec<DataLoader<Loans>> {
        self.loaders(1)
    }

    fn test_dataloader(&mut self) -> Vec<DataLoader<Loans>> {
        self.loaders(2)
    }

    /// Returns a loader for each branch.
    fn loaders(&self, part: usize) -> Vec<DataLoader<Loans>> {
        self.parts[part].iter().map(|loans| DataLoader::new(loans.clone()).batch_size(256)).collect()
    }
}
