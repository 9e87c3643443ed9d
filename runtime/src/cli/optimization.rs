//! `--optimizer` and `--lr-scheduler`, which replace the module's `configure_optimizers`, as in Lightning's CLI.

use super::configuration::Configuration;
use super::names::names_of;
use super::part::Part;
use crate::choice::{Choice, ChoiceFlags, Choices, choices_of, dashed, field_flags, name_flag, spellings};
use crate::context::ChosenOptimizer;
use crate::json;
use crate::optim::OptimizerConfig;
use crate::schedule::LrSchedulerConfig;
use anyhow::{Result, anyhow, bail};
use clap::{Arg, ArgMatches};
use serde::Serialize;
use serde_json::Value;

pub(super) const OPTIMIZER: &str = "optimizer";
pub(super) const LR_SCHEDULER: &str = "lr_scheduler";

/// Returns the name of the part whose hyperparameters have one of these flags, if one has: it configures its optimizer itself.
pub(super) fn owner_of_optimizer(parts: &[Part]) -> Option<&'static str> {
    let taken = [OPTIMIZER, LR_SCHEDULER].map(dashed);
    let is_taken = |arg: &Arg| names_of(arg).iter().any(|name| taken.contains(name));
    Some(parts.iter().find(|part| part.args().any(is_taken))?.name)
}

/// Returns the flags of the optimizer and its scheduler.
pub(super) fn optimization_flags() -> Vec<Arg> {
    let optimizer = "Use this optimizer in place of the model's `configure_optimizers`";
    let scheduler = "Change the learning rate of `--optimizer` by this schedule";
    let flags = |id: &'static str, help: &'static str, choices: &'static Choices| {
        let long = dashed(id);
        let aliases: Vec<String> = spellings(id).into_iter().filter(|alias| *alias != long).collect();
        let arg = name_flag(Arg::new(id).long(long.clone()).aliases(aliases).help(help), choices);
        std::iter::once(arg).chain(field_flags(id, &long, choices)).map(|arg| arg.help_heading("Optimizer"))
    };
    let optimizer = flags(OPTIMIZER, optimizer, choices_of::<OptimizerConfig>());
    optimizer.chain(flags(LR_SCHEDULER, scheduler, choices_of::<LrSchedulerConfig>())).collect()
}

/// The optimizer and the scheduler that flags and files choose. Without an optimizer, they are those of the module.
#[derive(Default, Serialize)]
pub(super) struct OptimizationSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    optimizer: Option<OptimizerConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lr_scheduler: Option<LrSchedulerConfig>,
}

/// The values of files and of a checkpoint, which flags override.
pub(super) struct OfFiles {
    optimizer: Value,
    lr_scheduler: Value,
}

impl OfFiles {
    /// Reads the files, to whose mistakes it adds. Files override the hyperparameters that a checkpoint has saved.
    pub(super) fn read(files: &mut Configuration, saved: Option<&Value>) -> Self {
        let mut merged = |key: &str, choices: &Choices| {
            let saved = saved.and_then(|saved| saved.get(key)).cloned().unwrap_or_default();
            files.choice(key, choices, saved)
        };
        Self {
            optimizer: merged(OPTIMIZER, choices_of::<OptimizerConfig>()),
            lr_scheduler: merged(LR_SCHEDULER, choices_of::<LrSchedulerConfig>()),
        }
    }
}

impl OptimizationSettings {
    /// Returns the values of the files with the flags. `owner` is the part that configures its optimizer itself.
    ///
    /// # Errors
    /// A field that belongs to another choice or is missing, and a scheduler without an optimizer.
    pub(super) fn new(explicit: &ArgMatches, files: OfFiles, owner: Option<&str>) -> Result<Self> {
        if let Some(owner) = owner {
            return match [(OPTIMIZER, files.optimizer), (LR_SCHEDULER, files.lr_scheduler)]
                .iter()
                .find(|(_, of_file)| !of_file.is_null())
            {
                Some((key, _)) => {
                    bail!("`{key}` is a hyperparameter of the {owner}: write it in the section `{owner}`")
                }
                None => Ok(Self::default()),
            };
        }
        let settings = Self {
            optimizer: chosen(OPTIMIZER, explicit, files.optimizer)?,
            lr_scheduler: chosen(LR_SCHEDULER, explicit, files.lr_scheduler)?,
        };
        if settings.optimizer.is_none() && settings.lr_scheduler.is_some() {
            bail!(
                "`--lr-scheduler` requires `--optimizer`: without it, the model's `configure_optimizers` returns the optimizer with its schedulers"
            );
        }
        Ok(settings)
    }

    /// Returns the optimizer, if one is chosen.
    pub(super) fn chosen(&self) -> Option<ChosenOptimizer> {
        let lr_scheduler = self.lr_scheduler.clone();
        Some(ChosenOptimizer { optimizer: self.optimizer.clone()?, lr_scheduler })
    }

    /// Adds the settings to the hyperparameters of a run.
    ///
    /// # Errors
    /// If a value cannot be serialized.
    pub(super) fn add_to(&self, hyper_parameters: &mut Value) -> serde_json::Result<()> {
        if let Some(optimizer) = &self.optimizer {
            hyper_parameters[OPTIMIZER] = json::to_value(optimizer)?;
        }
        if let Some(scheduler) = &self.lr_scheduler {
            hyper_parameters[LR_SCHEDULER] = json::to_value(scheduler)?;
        }
        Ok(())
    }
}

fn chosen<T: Choice>(id: &str, explicit: &ArgMatches, of_files: Value) -> Result<Option<T>> {
    let choices = choices_of::<T>();
    let text = |id: &str| explicit.try_get_one::<String>(id).ok().flatten().cloned();
    let flags = ChoiceFlags::read(&dashed(id), id, choices, text);
    let value = choices.complete(&of_files, &flags).map_err(|mistake| anyhow!(mistake))?;
    Ok(value.map(|value| json::from_value(&value)).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimizers_and_schedulers_have_pytorchs_names() {
        let names = |choices: &Choices| choices.names().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            names(choices_of::<OptimizerConfig>()),
            [
                "sgd",
                "adam",
                "adamw",
                "adamax",
                "nadam",
                "radam",
                "rmsprop",
                "adagrad",
                "adadelta",
                "adafactor",
                "lion",
                "muon",
                "lbfgs"
            ]
        );
        let schedulers = choices_of::<LrSchedulerConfig>();
        for (name, of_pytorch) in [
            ("step", "StepLR"),
            ("multi_step", "MultiStepLR"),
            ("constant", "ConstantLR"),
            ("linear", "LinearLR"),
            ("exponential", "ExponentialLR"),
            ("polynomial", "PolynomialLR"),
            ("cosine_annealing", "torch.optim.lr_scheduler.CosineAnnealingLR"),
            ("cosine_annealing_warm_restarts", "CosineAnnealingWarmRestarts"),
            ("cyclic", "CyclicLR"),
            ("one_cycle", "OneCycleLR"),
            ("swa", "SWALR"),
            ("sequential", "SequentialLR"),
            ("chained", "ChainedScheduler"),
            ("reduce_lr_on_plateau", "lightning.pytorch.cli.ReduceLROnPlateau"),
        ] {
            assert!(schedulers.names().any(|known| known == name), "{name}");
            assert_eq!(schedulers.variant(of_pytorch).map(|variant| &*variant.name), Some(name));
        }
        assert_eq!(schedulers.variants.len(), 14);
    }
}
