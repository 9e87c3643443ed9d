use crate::hook::Hook;
use crate::metrics::MetricError;
use crate::native::NativeError;
use crate::strategy::StrategyError;
use std::collections::BTreeSet;
use tch::TchError;

/// A value cannot be logged, or a logged value could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A value was logged that is not one real number.
    #[error("`{name}` was logged with {mistake}")]
    Value {
        /// The name under which it was logged.
        name: String,
        /// The mistake, and how to fix it.
        mistake: String,
    },
    /// A value was logged neither for the step nor for the epoch.
    #[error("`{name}` was logged with neither `on_step` nor `on_epoch`, so it would be lost: set one of them to true")]
    Nowhere {
        /// The name under which it was logged.
        name: String,
    },
    /// A value was logged in a hook outside of steps and epochs.
    #[error(
        "`{name}` was logged in `{hook}`, which belongs to no step and no epoch: log it in a step, around a batch, or at the beginning \
         or end of an epoch"
    )]
    OutsideOfEpochs {
        /// The name under which it was logged.
        name: String,
        /// The hook.
        hook: Hook,
    },
    /// A value was logged for the step in the hook of an epoch.
    #[error(
        "`{name}` was logged with `on_step` in `{hook}`, where no step is running: remove `on_step`, or log it in a step"
    )]
    ByStep {
        /// The name under which it was logged.
        name: String,
        /// The hook.
        hook: Hook,
    },
    /// A name has the form of those that the log makes where there are several loaders.
    #[error(
        "`{name}` was logged, but the suffix `/dataloader_idx_` is reserved, as it is added automatically for several loaders: \
         remove it from the name"
    )]
    DataloaderIdx {
        /// The name.
        name: String,
    },
    /// Two log calls of one name in one hook have different arguments, so that their values cannot be combined.
    #[error("`{name}` was logged twice in `{hook}` with different arguments ({differences}): use one name for each")]
    Arguments {
        /// The name under which both were logged.
        name: String,
        /// The hook.
        hook: Hook,
        /// The differences.
        differences: String,
    },
    /// A run that is resumed within an epoch logs with different arguments than before the checkpoint.
    #[error(
        "`{name}` was logged in `{hook}` with different arguments before the checkpoint ({differences}): log it as before, use \
         another name, or resume from a checkpoint between two epochs"
    )]
    ResumedArguments {
        /// The name under which both were logged.
        name: String,
        /// The hook.
        hook: Hook,
        /// The differences.
        differences: String,
    },
    /// The values of two names would have one column, as one of them gets a suffix.
    #[error(
        "`{name}` and `{other}` were logged, but both would be written as `{column}`, as `on_step` and `on_epoch` together add \
         the suffixes `_step` and `_epoch` to a name: rename one of them"
    )]
    Column {
        /// The name that was logged now.
        name: String,
        /// The name that was logged before.
        other: String,
        /// The name that the values of both have.
        column: String,
    },
    /// One name without the loader's number was logged in the batches of two loaders.
    #[error(
        "`{name}` was logged with `add_dataloader_idx(false)` in the batches of the loaders {first} and {second}: use a different name \
         for each loader, or remove `add_dataloader_idx(false)`"
    )]
    SharedName {
        /// The name under which both were logged.
        name: String,
        /// The index of the loader with the batches in which it was logged first.
        first: usize,
        /// The index of the other loader.
        second: usize,
    },
    /// One metric was logged for the epochs of two loaders.
    #[error(
        "the metric `{name}` was logged in the batches of the loaders {first} and {second}, so its value would mix both: use a \
         separate metric for each loader"
    )]
    MetricOfLoaders {
        /// The name under which it was logged.
        name: String,
        /// The index of the loader with the batches in which it was logged first.
        first: usize,
        /// The index of the other loader.
        second: usize,
    },
    /// One metric was logged in an epoch of training and in its validation.
    #[error(
        "the metric `{name}` was logged in training and in validation, so its value would mix the batches of both: use a separate \
         metric for each"
    )]
    MetricOfLoops {
        /// The name under which it was logged.
        name: String,
    },
    /// The value that was logged as `step` cannot be the step of a row.
    #[error(
        "`step` was logged as {value}, but it sets the step of the loggers' row: log a number of at least 0, or use another name"
    )]
    Step {
        /// The value.
        value: f64,
    },
    /// A metric has no value.
    #[error("the logged metric `{name}`: {source}")]
    Metric {
        /// The name under which it was logged.
        name: String,
        /// Why it has none.
        source: MetricError,
    },
    /// A metric's value is not one number.
    #[error("the logged metric `{name}` has a value of shape {shape:?}: log a single number, such as its mean")]
    Shape {
        /// The name under which it was logged.
        name: String,
        /// The shape of the value.
        shape: Vec<i64>,
    },
    /// The processes of a run logged values with `sync_dist`, or metrics, under different names.
    #[error(
        "`{name}` was logged on {some}, but not on {others}{instead}: all processes of a run must log the same values with `sync_dist` and the same \
         metrics"
    )]
    Ranks {
        /// The name.
        name: String,
        /// The ranks that logged it, in words.
        some: String,
        /// The other ranks, in words.
        others: String,
        /// What the others logged that those did not, in words.
        instead: String,
    },
    /// The values of several processes could not be joined.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// libtorch refused.
    #[error(transparent)]
    Torch(#[from] TchError),
    /// libtorch refused.
    #[error(transparent)]
    Native(#[from] NativeError),
}

impl LogError {
    /// Returns the error of a name that only some ranks have logged, of those that each has.
    pub(super) fn of_ranks(name: &str, ranks: &[BTreeSet<&str>]) -> Self {
        let (some, others): (Vec<usize>, Vec<usize>) = (0..ranks.len()).partition(|rank| ranks[*rank].contains(name));
        let known: BTreeSet<&str> = some.iter().flat_map(|rank| ranks[*rank].iter().copied()).collect();
        let unknown: BTreeSet<&str> = others.iter().flat_map(|rank| ranks[*rank].iter().copied()).collect();
        let instead: Vec<String> = unknown.difference(&known).map(|name| format!("`{name}`")).collect();
        let instead =
            if instead.is_empty() { String::new() } else { format!(", which logged {}", instead.join(" and ")) };
        Self::Ranks { name: name.to_owned(), some: in_words(&some), others: in_words(&others), instead }
    }
}

fn in_words(ranks: &[usize]) -> String {
    let numbers: Vec<String> = ranks.iter().map(usize::to_string).collect();
    let noun = if ranks.len() == 1 { "rank" } else { "ranks" };
    format!("{noun} {}", numbers.join(", "))
}
