use crate::config::TrainerConfig;
use crate::module::LightningModule;
use crate::trainer::Trainer;
use serde_json::Value;
use std::path::PathBuf;

/// What a command line describes, for a `main` of one's own: the value of [`Program::build`](super::Program::build).
#[non_exhaustive]
pub struct Built<M: LightningModule, D> {
    /// The trainer, with its callbacks, loggers and hyperparameters. With `--ckpt-path`, its first run starts from that checkpoint.
    pub trainer: Trainer<M>,
    /// The module.
    pub model: M,
    /// The data module.
    pub data: D,
    /// The trainer's configuration.
    pub config: TrainerConfig,
    /// The hyperparameters, `{"model": {…}, "data": {…}}`, as checkpoints contain them, and `optimizer` and `lr_scheduler` if flags or
    /// files choose them.
    pub hyper_parameters: Value,
    /// The seed, with which all random numbers have been seeded.
    pub seed: i64,
    /// The file of `--ckpt-path`, whose hyperparameters the module and the data module have where no flag or file sets them.
    pub ckpt_path: Option<PathBuf>,
}
