//! The loggers that the trainer's configuration names.

use crate::config::LoggerConfig;
#[cfg(feature = "mlflow")]
use crate::loggers::MlflowLogger;
use crate::loggers::{CsvLogger, JsonLinesLogger, Logger, TensorBoardLogger, WandbLogger};
use std::path::Path;

/// Creates a logger. Returns `None` for one that the validation of the configuration refuses.
pub(super) fn create(config: &LoggerConfig) -> Option<Box<dyn Logger>> {
    Some(match config {
        LoggerConfig::Csv { folder } => in_folder(folder.as_deref(), CsvLogger::new),
        LoggerConfig::TensorBoard { folder } => in_folder(folder.as_deref(), TensorBoardLogger::new),
        LoggerConfig::JsonLines { folder } => in_folder(folder.as_deref(), JsonLinesLogger::new),
        #[cfg(feature = "mlflow")]
        LoggerConfig::Mlflow { tracking_uri, experiment_name, run_name } => {
            let logger = tracking_uri.as_ref().map(MlflowLogger::new).or_else(|| MlflowLogger::from_env().ok())?;
            let logger = match experiment_name {
                Some(name) => logger.experiment_name(name),
                None => logger,
            };
            Box::new(match run_name {
                Some(name) => logger.run_name(name),
                None => logger,
            })
        }
        #[cfg(not(feature = "mlflow"))]
        LoggerConfig::Mlflow { .. } => return None,
        LoggerConfig::Wandb { folder, project, entity, run_name } => Box::new(WandbLogger::of(
            folder.as_deref().map(crate::paths::expanded),
            [project, entity, run_name].map(Clone::clone),
        )),
    })
}

/// Returns a logger that writes into this folder, or else into that of the run.
fn in_folder<L: Logger + Default>(folder: Option<&Path>, new: impl FnOnce(std::path::PathBuf) -> L) -> Box<dyn Logger> {
    Box::new(folder.map_or_else(L::default, |folder| new(crate::paths::expanded(folder))))
}
