//! The trainer's configuration, which is also the generated program's flags.

use crate::device::{Accelerator, Devices};
use crate::error::Error;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How a [`Trainer`](crate::Trainer) runs: Lightning's arguments of
/// [`Trainer`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#trainer-flags), with its defaults.
///
/// ```
/// use tch_lightning::TrainerConfig;
/// let config = TrainerConfig { max_epochs: Some(5), gradient_clip_val: Some(1.0), ..TrainerConfig::default() };
/// assert_eq!(config.log_every_n_steps, 50);
/// ```
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Trainer")]
pub struct TrainerConfig {
    /// Where to compute: auto takes CUDA, then MPS, then the CPU
    #[arg(long, value_enum, default_value_t)]
    pub accelerator: Accelerator,
    /// Which devices: auto, a count, or indices such as `[1]`
    #[arg(long, default_value_t)]
    pub devices: Devices,
    /// Stop after this many epochs
    #[arg(long, value_name = "EPOCHS")]
    pub max_epochs: Option<usize>,
    /// Stop after this many optimizer steps
    #[arg(long, value_name = "STEPS")]
    pub max_steps: Option<usize>,
    /// Train on the first batches of each epoch only
    #[arg(long, value_name = "BATCHES")]
    pub limit_train_batches: Option<usize>,
    /// Validate on the first batches of each loader only; 0 leaves validation out
    #[arg(long, value_name = "BATCHES")]
    pub limit_val_batches: Option<usize>,
    /// Test on the first batches of each loader only
    #[arg(long, value_name = "BATCHES")]
    pub limit_test_batches: Option<usize>,
    /// Predict the first batches of each loader only
    #[arg(long, value_name = "BATCHES")]
    pub limit_predict_batches: Option<usize>,
    /// Validate after every so many epochs
    #[arg(long, value_name = "EPOCHS", default_value_t = 1)]
    pub check_val_every_n_epoch: usize,
    /// Validate on this many batches before training begins, to find mistakes early; 0 leaves it out
    #[arg(long, value_name = "BATCHES", default_value_t = 2)]
    pub num_sanity_val_steps: usize,
    /// Step the optimizer after the gradients of so many batches
    #[arg(long, value_name = "BATCHES", default_value_t = 1)]
    pub accumulate_grad_batches: usize,
    /// Clip the gradients at this value
    #[arg(long, value_name = "VALUE")]
    pub gradient_clip_val: Option<f64>,
    /// What is clipped: the norm of all gradients together, or each value
    #[arg(long, value_enum, value_name = "ALGORITHM", default_value_t)]
    pub gradient_clip_algorithm: GradientClipAlgorithm,
    /// Write a row to the logs after every so many steps
    #[arg(long, value_name = "STEPS", default_value_t = 50)]
    pub log_every_n_steps: usize,
    /// The folder under which lightning_logs is made
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub default_root_dir: PathBuf,
    /// Write logs
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub logger: bool,
    /// Write a checkpoint at the end of fit
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub enable_checkpointing: bool,
    /// Show the progress: a bar on a terminal, else a line for each epoch
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub enable_progress_bar: bool,
    /// Show a table of the model's layers and parameters before training
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub enable_model_summary: bool,
}

/// How gradients are clipped: PyTorch's
/// [`clip_grad_norm_`](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html) and
/// [`clip_grad_value_`](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum GradientClipAlgorithm {
    /// The L2 norm of all gradients together is brought down to the value
    #[default]
    Norm,
    /// Every element is brought into the range from -value to value
    Value,
}

/// Epochs of a run that was given no end, as in Lightning.
const DEFAULT_MAX_EPOCHS: usize = 1000;

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            accelerator: Accelerator::default(),
            devices: Devices::default(),
            max_epochs: None,
            max_steps: None,
            limit_train_batches: None,
            limit_val_batches: None,
            limit_test_batches: None,
            limit_predict_batches: None,
            check_val_every_n_epoch: 1,
            num_sanity_val_steps: 2,
            accumulate_grad_batches: 1,
            gradient_clip_val: None,
            gradient_clip_algorithm: GradientClipAlgorithm::default(),
            log_every_n_steps: 50,
            default_root_dir: PathBuf::from("."),
            logger: true,
            enable_checkpointing: true,
            enable_progress_bar: true,
            enable_model_summary: true,
        }
    }
}

impl TrainerConfig {
    /// The number of epochs after which `fit` ends; `None` where only steps count.
    pub fn epochs(&self) -> Option<usize> {
        self.max_epochs.or_else(|| self.max_steps.is_none().then_some(DEFAULT_MAX_EPOCHS))
    }

    /// Finds every value that makes no sense.
    ///
    /// # Errors
    /// [`Error::Configuration`], which lists all of them.
    pub fn validate(&self) -> Result<(), Error> {
        let counts = [
            ("check_val_every_n_epoch", self.check_val_every_n_epoch),
            ("accumulate_grad_batches", self.accumulate_grad_batches),
            ("log_every_n_steps", self.log_every_n_steps),
        ];
        let zero = counts
            .iter()
            .filter(|(_, count)| *count == 0)
            .map(|(name, _)| format!("`{name}` is 0: it must be at least 1"));
        let clip = self.gradient_clip_val.filter(|value| !value.is_finite() || *value < 0.0);
        let clip = clip.map(|value| format!("`gradient_clip_val` is {value}: it must be 0 or more"));
        let mistakes: Vec<String> = zero.chain(clip).collect();
        if mistakes.is_empty() { Ok(()) } else { Err(Error::Configuration(mistakes.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        trainer: TrainerConfig,
    }

    #[test]
    fn the_flags_have_the_defaults_of_the_struct() {
        assert_eq!(Program::parse_from(["program"]).trainer, TrainerConfig::default());
    }

    #[test]
    fn every_mistake_is_listed() {
        let config = TrainerConfig { log_every_n_steps: 0, gradient_clip_val: Some(-1.0), ..TrainerConfig::default() };
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(
            error,
            "`log_every_n_steps` is 0: it must be at least 1; `gradient_clip_val` is -1: it must be 0 or more"
        );
    }

    #[test]
    fn a_run_without_an_end_has_lightnings() {
        assert_eq!(TrainerConfig::default().epochs(), Some(1000));
        assert_eq!(TrainerConfig { max_steps: Some(3), ..TrainerConfig::default() }.epochs(), None);
    }
}
