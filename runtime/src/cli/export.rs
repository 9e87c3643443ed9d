//! The `export` command: a checkpoint, or the model in it, for other programs.

use crate::checkpoint::Checkpoint;
use crate::config::TrainerConfig;
use crate::trainer::CkptPath;
use anyhow::Result;
use clap::{Arg, ArgGroup, ArgMatches, Command, value_parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// The name of the command.
pub(super) const EXPORT: &str = "export";

// not the names of hyperparameters
const CHECKPOINT: &str = "export.checkpoint";
const LIGHTNING: &str = "export.lightning";
const WEIGHTS: &str = "export.weights";
const LIKE: &str = "export.like";
const TORCHSCRIPT: &str = "export.torchscript";
const FLAGS: &str = "export.flags";

pub(super) fn export_command() -> Command {
    let file = |id, long: &'static str| Arg::new(id).long(long).value_name("FILE").value_parser(value_parser!(PathBuf));
    let checkpoint = Arg::new(CHECKPOINT).value_name("CHECKPOINT").value_parser(value_parser!(CkptPath));
    Command::new(EXPORT)
        .about("Write a checkpoint for PyTorch Lightning, its weights for PyTorch, or its model as TorchScript")
        .arg(checkpoint.default_value("last").help("The checkpoint: a file, best, or last of the newest run"))
        .arg(file(LIGHTNING, "lightning").help(
            "The file to write for Lightning, whose Trainer.fit(ckpt_path=…) continues the run and whose load_from_checkpoint loads the model",
        ))
        .arg(file(LIKE, "like").requires(LIGHTNING).help(
            "A checkpoint of the Python module, whose order the parameters get; without it, that in which the layers were made",
        ))
        .arg(file(WEIGHTS, "weights").help("The .safetensors file to write, for safetensors.torch.load_file in Python"))
        .arg(file(TORCHSCRIPT, "torchscript").help(
            "The .pt file to write, with what predict_step computes from the first batch of predict_dataloader, for torch.jit.load in Python",
        ))
        .arg(
            Arg::new(FLAGS)
                .value_name("FLAGS")
                .last(true)
                .num_args(1..)
                .value_parser(value_parser!(OsString))
                .requires(TORCHSCRIPT)
                .help("Flags of predict for --torchscript, such as --accelerator cpu"),
        )
        .group(ArgGroup::new("export.formats").args([LIGHTNING, WEIGHTS, TORCHSCRIPT]).required(true).multiple(true))
}

/// The TorchScript file that `export` is to write.
pub(super) struct TorchScript {
    pub(super) path: PathBuf,
    /// The command line of the `predict` that is traced, without the program's name.
    pub(super) predict: Vec<OsString>,
}

impl TorchScript {
    pub(super) fn requested(arguments: &ArgMatches) -> Option<Self> {
        let path = arguments.get_one::<PathBuf>(TORCHSCRIPT)?.clone();
        let checkpoint = arguments.get_raw(CHECKPOINT).into_iter().flatten().map(OsString::from);
        let flags = arguments.get_many::<OsString>(FLAGS).into_iter().flatten().cloned();
        let verb = ["predict", "--ckpt-path"].map(OsString::from);
        Some(Self { path, predict: verb.into_iter().chain(checkpoint).chain(flags).collect() })
    }
}

/// Writes the files of `export` that need no module, and returns their paths.
pub(super) fn export(arguments: &ArgMatches, defaults: &TrainerConfig) -> Result<Option<String>> {
    let file = |id| arguments.get_one::<PathBuf>(id);
    if [LIGHTNING, WEIGHTS].into_iter().all(|format| file(format).is_none()) {
        return Ok(None);
    }
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
    Ok(Some(written.collect::<Vec<_>>().join("\n")))
}
