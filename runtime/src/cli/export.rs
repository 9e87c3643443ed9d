//! The `export` command: a checkpoint for other programs.

use crate::checkpoint::Checkpoint;
use crate::config::TrainerConfig;
use crate::trainer::CkptPath;
use anyhow::Result;
use clap::{Arg, ArgGroup, ArgMatches, Command, value_parser};
use std::path::PathBuf;

// not the names of hyperparameters
const CHECKPOINT: &str = "export.checkpoint";
const LIGHTNING: &str = "export.lightning";
const WEIGHTS: &str = "export.weights";
const LIKE: &str = "export.like";

pub(super) fn export_command() -> Command {
    let file = |id, long: &'static str| Arg::new(id).long(long).value_name("FILE").value_parser(value_parser!(PathBuf));
    let checkpoint = Arg::new(CHECKPOINT).value_name("CHECKPOINT").value_parser(value_parser!(CkptPath));
    Command::new("export")
        .about("Write a checkpoint for PyTorch Lightning, or its weights for PyTorch")
        .arg(checkpoint.default_value("last").help("The checkpoint: a file, best, or last of the newest run"))
        .arg(file(LIGHTNING, "lightning").help(
            "The file to write for Lightning, whose Trainer.fit(ckpt_path=…) continues the run and whose load_from_checkpoint loads the model",
        ))
        .arg(file(LIKE, "like").requires(LIGHTNING).help(
            "A checkpoint of the Python module, whose order the parameters get; without it, that in which the layers were made",
        ))
        .arg(file(WEIGHTS, "weights").help("The .safetensors file to write, for safetensors.torch.load_file in Python"))
        .group(ArgGroup::new("export.formats").args([LIGHTNING, WEIGHTS]).required(true).multiple(true))
}

/// Writes the files of `export`, and returns their paths.
pub(super) fn export(arguments: &ArgMatches, defaults: &TrainerConfig) -> Result<String> {
    let file = |id| arguments.get_one::<PathBuf>(id);
    let chosen = arguments.get_one::<CkptPath>(CHECKPOINT).cloned().unwrap_or(CkptPath::Last);
    let checkpoint = Checkpoint::read(&chosen.resolve(&defaults.default_root_dir)?)?;
    if let Some(path) = file(LIGHTNING) {
        match file(LIKE) {
            Some(like) => checkpoint.export_lightning_like(path, like)?,
            None => checkpoint.export_lightning(path)?,
        }
    }
    if let Some(path) = file(WEIGHTS) {
        checkpoint.export_weights(path)?;
    }
    let written = [LIGHTNING, WEIGHTS].into_iter().filter_map(file).map(|path| path.display().to_string());
    Ok(written.collect::<Vec<_>>().join("\n"))
}
