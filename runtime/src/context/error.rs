use crate::config::ConfigurationError;
use crate::file_error::FileError;
use crate::log::LogError;
use crate::loggers::LoggerError;
use crate::native::NativeError;
use crate::strategy::StrategyError;
use tch::TchError;

/// An error of an operation of the context, without its location in the run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    #[error("the loss was {loss}")]
    NonFiniteLoss { epoch: usize, batch_idx: usize, loss: f64 },
    #[error("the count was {count}")]
    CountOfTerms { epoch: usize, batch_idx: usize, count: usize },
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Logger(#[from] LoggerError),
    #[error(transparent)]
    Optimizer(#[from] crate::optim::OptimizerError),
    #[error(transparent)]
    Torch(#[from] TchError),
    #[error(transparent)]
    Native(#[from] NativeError),
    #[error(transparent)]
    Strategy(#[from] StrategyError),
}
