//! The model: a network of the loan's numbers and embeddings, and temperatures for its logits.

use crate::calibration::Diagram;
use crate::data::{BRANCHES, Loans, NUMBERS, PURPOSES};
use clap::Args;
use serde::{Deserialize, Serialize};
use tch_lightning::metrics::{Binary, CalibrationError};
use tch_lightning::prelude::*;

/// The width of an embedding.
const EMBEDDING: i64 = 4;

/// The hyperparameters of the model.
#[derive(Args, Serialize, Deserialize)]
pub struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 2e-3)]
    lr: f64,
    /// The width of the hidden layers
    #[arg(long, default_value_t = 64)]
    width: i64,
}

/// Predicts with what probability a loan is repaid.
pub struct Repayment {
    vs: nn::VarStore,
    purposes: nn::Embedding,
    branches: nn::Embedding,
    net: nn::Sequential,
    /// What the logits are divided by, `[branches] f32`: from the validation, and not trained.
    temperatures: Tensor,
    /// The loans of a validation or test, by batch.
    evaluated: Vec<Evaluated>,
    /// The calibration errors of each branch, of the network and with the temperature: a metric has the batches of one loader.
    errors: [[CalibrationError<Binary>; 2]; BRANCHES.len()],
    hparams: Hparams,
}

/// What was predicted of loans, and what came of them.
pub struct Evaluated {
    /// `[loans] f32`.
    pub logits: Tensor,
    /// The position of the branch, `[loans] i64`.
    pub branch: Tensor,
    /// 1 for loans that were repaid, and 0 for others, `[loans] f32`.
    pub repaid: Tensor,
}

#[lightning_module]
impl Repayment {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let embedding = |name: &str, number: i64| nn::embedding(&root / name, number, EMBEDDING, Default::default());
        let (purposes, branches) = (embedding("purposes", PURPOSES), embedding("branches", BRANCHES.len() as i64));
        let net = &root / "net";
        let linear = |name: &str, from: i64, to: i64| nn::linear(&net / name, from, to, Default::default());
        let net = nn::seq()
            .add(linear("fc1", NUMBERS as i64 + 2 * EMBEDDING, hparams.width))
            .add_fn(|x| x.relu())
            .add(linear("fc2", hparams.width, hparams.width))
            .add_fn(|x| x.relu())
            .add(linear("fc3", hparams.width, 1));
        let temperatures = root.ones_no_train("temperatures", &[BRANCHES.len() as i64]);
        let errors = BRANCHES.map(|_| [(); 2].map(|()| CalibrationError::binary().n_bins(10)));
        Self { vs, purposes, branches, net, temperatures, evaluated: Vec::new(), errors, hparams }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(20), log_every_n_steps: 10, ..TrainerConfig::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Loans) -> Tensor {
        let loss = cross_entropy(&self.logits(batch), &batch.repaid);
        ctx.log("train_loss", &loss).on_epoch(true).prog_bar();
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Loans) {
        let logits = self.logits(batch);
        ctx.log("val_loss", cross_entropy(&logits, &batch.repaid)).prog_bar();
        self.evaluated.push(Evaluated::of(logits, batch));
    }

    fn on_validation_epoch_start(&mut self) {
        self.evaluated.clear();
    }

    /// Chooses for each branch the temperature with the lowest loss: a network that has seen its training data often is too sure of others.
    fn on_validation_epoch_end(&mut self, ctx: &mut Context) {
        let Evaluated { logits, branch, repaid } = self.evaluated();
        let candidates = Tensor::linspace(-1.5, 1.5, 301, (Kind::Float, logits.device())).exp();
        for (index, name) in (0..).zip(BRANCHES) {
            let here = branch.eq(index);
            let scaled = logits.masked_select(&here).unsqueeze(0) / candidates.unsqueeze(1);
            let repaid = repaid.masked_select(&here).expand_as(&scaled);
            let losses = scaled
                .binary_cross_entropy_with_logits::<Tensor>(&repaid, None, None, tch::Reduction::None)
                .mean_dim(1, false, Kind::Float);
            let best = candidates.index_select(0, &losses.argmin(0, true)).squeeze();
            self.temperatures.get(index).copy_(&best);
            ctx.log(format!("temperature_{name}"), best);
        }
    }

    fn on_test_epoch_start(&mut self) {
        self.evaluated.clear();
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Loans, dataloader_idx: usize) -> Result<()> {
        let logits = self.logits(batch);
        let calibrated = self.calibrated(&logits, &batch.branch);
        ctx.log("test_loss", cross_entropy(&logits, &batch.repaid));
        ctx.log("test_calibrated_loss", cross_entropy(&calibrated, &batch.repaid));
        ctx.log("test_lowest_loss", cross_entropy(&batch.probability.logit(None), &batch.repaid));
        let [error, calibrated_error] = &self.errors[dataloader_idx];
        let repaid = batch.repaid.to_kind(Kind::Int64);
        error.update(&logits.sigmoid(), &repaid)?;
        calibrated_error.update(&calibrated.sigmoid(), &repaid)?;
        ctx.log("test_calibration_error", error);
        ctx.log("test_calibrated_error", calibrated_error);
        self.evaluated.push(Evaluated::of(logits, batch));
        Ok(())
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }

    fn configure_callbacks(&self) -> Diagram {
        Diagram {}
    }

    /// Returns the logits that loans are repaid, `[loans] f32`.
    fn logits(&self, loans: &Loans) -> Tensor {
        let (purpose, branch) = (self.purposes.forward(&loans.purpose), self.branches.forward(&loans.branch));
        self.net.forward(&Tensor::cat(&[&loans.numbers, &purpose, &branch], 1)).squeeze_dim(1)
    }

    /// Returns logits divided by the temperatures of their branches.
    pub fn calibrated(&self, logits: &Tensor, branch: &Tensor) -> Tensor {
        logits / self.temperatures.index_select(0, branch)
    }

    /// Returns all loans of the newest validation or test.
    pub fn evaluated(&self) -> Evaluated {
        let cat =
            |part: fn(&Evaluated) -> &Tensor| Tensor::cat(&self.evaluated.iter().map(part).collect::<Vec<_>>(), 0);
        Evaluated {
            logits: cat(|loans| &loans.logits),
            branch: cat(|loans| &loans.branch),
            repaid: cat(|loans| &loans.repaid),
        }
    }
}

impl Evaluated {
    fn of(logits: Tensor, loans: &Loans) -> Self {
        Self { logits, branch: loans.branch.shallow_clone(), repaid: loans.repaid.shallow_clone() }
    }
}

fn cross_entropy(logits: &Tensor, repaid: &Tensor) -> Tensor {
    logits.binary_cross_entropy_with_logits::<Tensor>(repaid, None, None, tch::Reduction::Mean)
}
