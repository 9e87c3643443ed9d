//! The actions of a run that are measured.

use crate::hook::Hook;

/// The owner of a hook that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookOwner {
    /// A module or a data module, by the name of its type.
    Module(&'static str),
    /// A callback, by its [`name`](crate::Callback::name).
    Callback(&'static str),
}

impl HookOwner {
    /// Returns the name of the callback; `None` for a module and a data module.
    pub(crate) fn callback(self) -> Option<&'static str> {
        match self {
            Self::Module(_) => None,
            Self::Callback(name) => Some(name),
        }
    }

    /// Returns the owner as Lightning's profilers name it: `[LightningModule]Classifier`. `module` is the type of the run's module.
    pub(crate) fn name(self, module: &str) -> String {
        let (kind, name) = match self {
            Self::Module(name) if name == module => ("LightningModule", name),
            Self::Module(name) => ("LightningDataModule", name),
            Self::Callback(name) => ("Callback", name),
        };
        format!("[{kind}]{}", short_type_name(name))
    }

    /// Returns the name of the owner without the paths of its modules.
    pub(crate) fn short_name(self) -> String {
        let (Self::Module(name) | Self::Callback(name)) = self;
        short_type_name(name)
    }
}

/// Returns the name of a type without the paths of its modules: `Model<Adam>` for `my::Model<their::Adam>`.
pub(crate) fn short_type_name(type_name: &str) -> String {
    let mut short = String::with_capacity(type_name.len());
    for part in type_name.split_inclusive(|letter: char| !(letter.is_alphanumeric() || letter == '_')) {
        // the colons of a path are parts of one letter, except for the first, which ends the name before it
        if !part.ends_with(':') {
            short.push_str(part);
        }
    }
    short
}

/// A part of the loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// A training batch, from its transfer to its last hook and row.
    TrainingBatch,
    /// Waiting for the first batch of a training epoch, for which workers start.
    FirstBatch,
    /// Waiting for a later batch of a training epoch.
    NextBatch,
    ValidationBatch,
    TestBatch,
    PredictBatch,
    /// Moving a batch to the device, with the hooks around it.
    Transfer,
    /// Reading logged values from the device and passing them to the loggers.
    Logging,
    /// Preparing and writing checkpoints, or handing them to the thread that writes.
    Checkpoint,
    Validation,
    SanityCheck,
}

impl Region {
    pub(super) const ALL: [Self; 11] = [
        Self::TrainingBatch,
        Self::FirstBatch,
        Self::NextBatch,
        Self::ValidationBatch,
        Self::TestBatch,
        Self::PredictBatch,
        Self::Transfer,
        Self::Logging,
        Self::Checkpoint,
        Self::Validation,
        Self::SanityCheck,
    ];

    /// Returns the name, where possible that of Lightning's profilers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TrainingBatch => "run_training_batch",
            Self::FirstBatch => "train_dataloader_next (first of an epoch)",
            Self::NextBatch => "train_dataloader_next",
            Self::ValidationBatch => "val_dataloader_next",
            Self::TestBatch => "test_dataloader_next",
            Self::PredictBatch => "predict_dataloader_next",
            Self::Transfer => "batch_to_device",
            Self::Logging => "write_logs",
            Self::Checkpoint => "save_checkpoint",
            Self::Validation => "run_validation",
            Self::SanityCheck => "run_sanity_check",
        }
    }

    /// Returns the waiting for a batch of the loaders that `dataloader` returned, in another loop than that of training.
    pub(crate) fn waiting_for(dataloader: Hook) -> Self {
        match dataloader {
            Hook::ValDataloader => Self::ValidationBatch,
            Hook::TestDataloader => Self::TestBatch,
            _ => Self::PredictBatch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_name_has_no_paths() {
        assert_eq!(short_type_name("my_crate::models::Model"), "Model");
        assert_eq!(short_type_name("a::Model<b::Adam, (c::D, e::F)>"), "Model<Adam, (D, F)>");
        assert_eq!(short_type_name("Watch"), "Watch");
    }

    #[test]
    fn regions_are_listed_in_the_order_of_their_numbers() {
        assert!(Region::ALL.iter().enumerate().all(|(index, region)| *region as usize == index));
    }
}
