//! The generated program: `fit | validate | test | predict`, and what helps around them.

mod doctor;
mod flags;
mod hooks;

use crate::checkpoint::Checkpoint;
use crate::config::TrainerConfig;
use crate::error::{Error, in_one_line};
use crate::module::{FromHparams, Hyperparameters, LightningModule, Loads};
use crate::panic;
use crate::table;
use crate::terminal;
use crate::trainer::{Metrics, Trainer, last_checkpoint};
use anyhow::{Context as _, Result, anyhow};
use clap::ArgMatches;
use comfy_table::CellAlignment;
use flags::Flags;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// What the generated `Module::main::<Data>()` calls: the program of a module `M` that it can make.
// It asks nothing of the data itself. So what a data module lacks is said of the data module, and not of this trait.
pub trait ProgramData<M: LightningModule> {
    /// Runs the program on the process's arguments. An error is one line on the standard error stream, and the exit code is
    /// 130 where SIGINT (Ctrl-C) ended the run, 143 where SIGTERM did, 2 for flags that are unknown or wrong, and 1 for all
    /// other errors. A second signal ends the program at once, with the same codes.
    fn main() -> ExitCode
    where
        Self: Loads<M::Batch> + FromHparams;
}

impl<M: LightningModule + FromHparams, D> ProgramData<M> for D {
    fn main() -> ExitCode
    where
        D: Loads<M::Batch> + FromHparams,
    {
        match run::<M, D>(std::env::args_os().collect()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                terminal::say(&format!("error: {}", in_one_line(&error)));
                exit_code(&error)
            }
        }
    }
}

/// What the shell is told: 128 and the number of the signal that ended the run, else 1.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(Error::Interrupted { signal, .. }) => ExitCode::from(signal.exit_code()),
        _ => ExitCode::FAILURE,
    }
}

fn run<M, D>(arguments: Vec<OsString>) -> Result<()>
where
    M: LightningModule + FromHparams,
    D: Loads<M::Batch> + FromHparams,
{
    let flags = Flags::of::<M, D>()?;
    let matches = flags.parse(&arguments);
    match matches.subcommand() {
        Some(("hooks", _)) => say(&hooks::table::<M, D>()),
        Some(("doctor", _)) => say(&doctor::report()),
        Some((verb, given)) => Verb::new::<M>(verb, given, &flags, &arguments)?.run::<M, D>(),
        None => Ok(()),
    }
}

/// A verb with its flags read.
struct Verb {
    name: String,
    config: TrainerConfig,
    given: ArgMatches,
    explicit: ArgMatches,
    checkpoint: Option<std::path::PathBuf>,
}

impl Verb {
    fn new<M: FromHparams>(name: &str, given: &ArgMatches, flags: &Flags, arguments: &[OsString]) -> Result<Self> {
        let explicit = flags.explicit(name, arguments)?;
        let mut config = M::trainer_defaults();
        Hyperparameters::update_from_arg_matches(&mut config, &explicit)?;
        let mut checkpoint = given.get_one::<std::path::PathBuf>(flags::CKPT_PATH).cloned();
        if checkpoint.is_none() && name != "fit" {
            let logs = config.default_root_dir.join(crate::context::LOGS);
            let last = last_checkpoint(&logs);
            checkpoint = Some(last.ok_or_else(|| {
                anyhow!(
                    "there is no checkpoint in {}: run `fit` first, or name a checkpoint with --ckpt-path",
                    logs.display()
                )
            })?);
        }
        Ok(Self { name: name.to_owned(), config, given: given.clone(), explicit, checkpoint })
    }

    fn run<M, D>(self) -> Result<()>
    where
        M: LightningModule + FromHparams,
        D: Loads<M::Batch> + FromHparams,
    {
        let saved = self.saved_hyper_parameters()?;
        let model: M::Hparams = self.hparams("model", saved.as_ref())?;
        let data: D::Hparams = self.hparams("data", saved.as_ref())?;
        let hyper_parameters = serde_json::json!({ "model": model.to_json()?, "data": data.to_json()? });
        crate::seed_everything(self.given.get_one::<i64>(flags::SEED).copied().unwrap_or_default());
        let mut module = panic::catch(|| M::from_hparams(model)).context("the model can't be made")?;
        let mut data = panic::catch(|| D::from_hparams(data)).context("the data module can't be made")?;
        let mut trainer = Trainer::<M>::new(self.config).hyper_parameters(hyper_parameters);
        if let Some(path) = &self.checkpoint {
            say(&format!("checkpoint: {}", path.display()))?;
            trainer = trainer.ckpt_path(path);
        }
        // without the bounds of the public verbs: the program says of each verb, when it is called, what is missing
        match self.name.as_str() {
            "fit" => {
                trainer.run_fit(&mut module, &mut &mut data)?;
                if let Some(folder) = trainer.context().made_log_dir() {
                    say(&format!("the run is in {}", folder.display()))?;
                }
                Ok(())
            }
            "validate" => say(&metrics_table(&trainer.run_validate(&mut module, &mut &mut data)?)),
            "test" => say(&metrics_table(&trainer.run_test(&mut module, &mut &mut data)?)),
            _ => {
                let batches = trainer.run_predict(&mut module, &mut &mut data)?.len();
                say(&format!("predicted {batches} {}", if batches == 1 { "batch" } else { "batches" }))
            }
        }
    }

    /// The hyperparameters that the checkpoint was made with.
    fn saved_hyper_parameters(&self) -> Result<Option<serde_json::Value>> {
        let Some(path) = &self.checkpoint else { return Ok(None) };
        Ok(Checkpoint::read(path)?.metadata.hyper_parameters)
    }

    /// The flags' values; where there is a checkpoint, its own with the flags that were given.
    fn hparams<H: Hyperparameters>(&self, of: &str, saved: Option<&serde_json::Value>) -> Result<H> {
        match saved.and_then(|saved| saved.get(of)) {
            None => Ok(H::from_arg_matches(&self.given)?),
            Some(saved) => {
                let mut hparams = H::from_json(saved.clone())
                    .with_context(|| format!("the checkpoint's hyperparameters do not fit the {of}"))?;
                hparams.update_from_arg_matches(&self.explicit)?;
                Ok(hparams)
            }
        }
    }
}

fn metrics_table(metrics: &Metrics) -> String {
    let mut table = table::with_header(["Metric", "Value"]);
    for (name, value) in metrics {
        table.add_row([name.clone(), format!("{value:.4}")]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Writes to the standard output stream, where results go.
fn say(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").context("can't write to the standard output stream")
}
