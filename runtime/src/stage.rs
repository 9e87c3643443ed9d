//! Which verb is running, and what it is doing.

use std::fmt;

/// The verb of the trainer that is running. Lightning's `TrainerFn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Training, with its validation.
    #[default]
    Fit,
    /// Validation only.
    Validate,
    /// Testing.
    Test,
    /// Prediction.
    Predict,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fit => "fit",
            Self::Validate => "validate",
            Self::Test => "test",
            Self::Predict => "predict",
        })
    }
}

impl From<Stage> for RunningStage {
    /// The participle of a verb, for messages.
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Fit => Self::Training,
            Stage::Validate => Self::Validating,
            Stage::Test => Self::Testing,
            Stage::Predict => Self::Predicting,
        }
    }
}

/// The loop that is running. Lightning's `RunningStage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunningStage {
    /// The sanity check: a few validation batches before training.
    SanityChecking,
    /// Training batches.
    #[default]
    Training,
    /// Validation batches.
    Validating,
    /// Test batches.
    Testing,
    /// Batches to predict.
    Predicting,
}

/// The name that Lightning gives the stage.
impl fmt::Display for RunningStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SanityChecking => "sanity_check",
            Self::Training => "train",
            Self::Validating => "validate",
            Self::Testing => "test",
            Self::Predicting => "predict",
        })
    }
}
