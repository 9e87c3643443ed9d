use super::export::{EXPORT, TorchScript};
use super::flags::{Flags, Form, HOOKS, PLAN};
use super::subcommands::Subcommands;
use super::types::Types;
use super::verb::{Verb, say};
use super::{Built, doctor, export, reports};
use crate::config::{LoggerChoice, TrainerConfig};
use crate::error::Error;
use crate::error_chain::in_one_line;
use crate::loggers::Logger;
use crate::messages::warning;
use crate::module::{Callback, FromHparams, FromHparamsAndData, IntoCallbacks, LightningModule, Loads};
use crate::stage::Stage;
use crate::trainer::Trainer;
use crate::{messages, strategy, terminal};
use anyhow::Result;
use clap::{ArgMatches, Command};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

type Complete<M> = Box<dyn FnOnce(Trainer<M>) -> Trainer<M>>;

/// The program of a module and a data module: `Model::program::<Data>()`, for which `Model::main::<Data>()` is a shorthand.
/// Lightning's [`LightningCLI`](https://lightning.ai/docs/pytorch/stable/cli/lightning_cli.html).
///
/// Its commands are `fit`, `validate`, `test`, `predict`, `export`, `runs`, `report`, `watch`, `hooks`, `doctor` and `completions`. Flags and
/// configuration files set the trainer's configuration, the hyperparameters of the module and the data module, the seed, and the checkpoint to start from. Callbacks that
/// depend on hyperparameters are returned by the module's `configure_callbacks`; add all others, and loggers, here.
///
/// `--optimizer sgd --optimizer.lr 0.1` replaces the module's `configure_optimizers`, as in Lightning's
/// [CLI](https://lightning.ai/docs/pytorch/stable/cli/lightning_cli_intermediate_2.html), for modules with automatic optimization. A run with
/// `--optimizer` saves it in checkpoints; a run that resumes from one has the same optimizer unless a flag or a file chooses another.
/// These flags do not exist if the hyperparameters have a field `optimizer` or `lr_scheduler`.
///
/// A run saves the resolved configuration, with all defaults and the seed, as `config.yaml` in its folder, as Lightning's
/// [`SaveConfigCallback`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.cli.SaveConfigCallback.html) does; `fit --config` of
/// that file repeats the run. The file is the first one in the folder, which is new for each run: nothing is overwritten.
///
/// ```
/// use tch_lightning::prelude::*;
/// use tch_lightning::{callbacks::LearningRateMonitor, loggers::CsvLogger};
///
/// struct Line {
///     vs: nn::VarStore,
///     layer: nn::Linear,
/// }
///
/// #[lightning_module]
/// impl Line {
///     fn new() -> Self {
///         let vs = nn::VarStore::new(Device::Cpu);
///         let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
///         Self { vs, layer }
///     }
///
///     fn parameters(&mut self) -> &mut nn::VarStore {
///         &mut self.vs
///     }
///
///     fn training_step(&self, batch: &Tensor) -> Tensor {
///         self.layer.forward(batch).mse_loss(batch, tch::Reduction::Mean)
///     }
///
///     fn configure_optimizers(&self) -> Sgd {
///         Sgd::new(0.1)
///     }
/// }
///
/// struct Points;
///
/// #[lightning_datamodule]
/// impl Points {
///     fn new() -> Self {
///         Self
///     }
///
///     fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
///         Ok(DataLoader::new(TensorDataset::new(Tensor::linspace(0.0, 1.0, 8, (Kind::Float, Device::Cpu)).unsqueeze(1))?))
///     }
/// }
///
/// fn main() -> ExitCode {
/// # let folder = std::env::temp_dir().join(format!("tch-lightning-program-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # std::env::set_current_dir(&folder).unwrap();
/// # let code =
///     Line::program::<Points>()
///         .trainer_defaults(TrainerConfig { max_epochs: Some(3), ..TrainerConfig::default() })
///         .callback(LearningRateMonitor::new())
///         .logger(CsvLogger::new("logs"))
/// #       .arguments(["line", "fit"])
///         .run()
/// # ;
/// # assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
/// # assert!(std::path::Path::new("logs/metrics.csv").exists());
/// # std::fs::remove_dir_all(folder).unwrap();
/// # code
/// }
/// ```
#[must_use = "a program does nothing until `run` or `build` is called"]
pub struct Program<M: LightningModule, D> {
    arguments: Option<Vec<OsString>>,
    trainer_defaults: Option<TrainerConfig>,
    /// The functions that add callbacks and loggers to the trainer, in order.
    complete: Vec<Complete<M>>,
    subcommands: Subcommands,
    /// What `run` and `build` call. Their bounds are those of `Program::new` alone, so that a module or data module that does not satisfy them
    /// is one error.
    try_run: fn(Self) -> Result<()>,
    try_build: fn(Self) -> Result<Built<M, D>>,
}

impl<M: LightningModule, D> Program<M, D> {
    /// Adds a callback to the trainer, as [`Trainer::callback`] does.
    pub fn callback(self, callback: impl Callback<M> + 'static) -> Self {
        self.completed_by(|trainer| trainer.callback(callback))
    }

    /// Adds several callbacks to the trainer, as [`Trainer::callbacks`] does.
    pub fn callbacks<Kind>(self, callbacks: impl IntoCallbacks<M, Kind>) -> Self {
        let callbacks = callbacks.into_callbacks();
        self.completed_by(|trainer| trainer.callbacks(callbacks))
    }

    /// Adds a logger to the trainer, as [`Trainer::logger`] does: in addition to those that `--logger csv,tensorboard` or a
    /// configuration file names, and in place of the default [`CsvLogger`](crate::loggers::CsvLogger) in the run's folder, which
    /// `report`, `runs` and `watch` read their metrics from: `--logger csv` keeps it.
    /// `--logger false` turns off all loggers.
    pub fn logger(self, logger: impl Logger + 'static) -> Self {
        self.completed_by(|trainer| match trainer.context().config().logger {
            LoggerChoice::Off => trainer,
            _ => trainer.logger(logger),
        })
    }

    /// Sets the default configuration of the trainer, which replaces the module's `trainer_defaults`. Flags and configuration files
    /// override it.
    pub fn trainer_defaults(self, config: TrainerConfig) -> Self {
        Self { trainer_defaults: Some(config), ..self }
    }

    /// Adds a command of your own to the generated ones, in `--help` and `completions` too. `run` gets its parsed arguments; its error is
    /// printed as that of a run is. A [`main`](Self::build) of one's own, which has no commands, ignores it.
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// # struct Model(nn::VarStore);
    /// # #[lightning_module]
    /// # impl Model {
    /// #     fn new() -> Self { Self(nn::VarStore::new(Device::Cpu)) }
    /// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.0 }
    /// #     fn training_step(&self, batch: &Tensor) -> Tensor { batch.mean(None) }
    /// #     fn configure_optimizers(&self) -> Sgd { Sgd::new(0.1) }
    /// # }
    /// # struct Data;
    /// # #[lightning_datamodule]
    /// # impl Data {
    /// #     fn new() -> Self { Self }
    /// #     fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> { bail!("no data") }
    /// # }
    /// use clap::{Arg, Command};
    ///
    /// fn main() -> ExitCode {
    ///     let count = Command::new("count").about("Print the number of parameters of a checkpoint").arg(Arg::new("checkpoint").required(true));
    ///     Model::program::<Data>()
    ///         .subcommand(count, |arguments| {
    ///             let path: &String = arguments.get_one("checkpoint").expect("a required argument");
    ///             let model = Model::load_from_checkpoint(path)?;
    ///             Ok(println!("{}", model.0.trainable_variables().iter().map(Tensor::numel).sum::<usize>()))
    ///         })
    ///         .run()
    /// }
    /// ```
    ///
    /// A name of a generated command is an error of [`run`](Self::run).
    pub fn subcommand(mut self, command: Command, run: impl FnOnce(&ArgMatches) -> Result<()> + 'static) -> Self {
        self.subcommands.add(command, Box::new(run));
        self
    }

    /// Sets the arguments. The first one is the program's name. The default is the arguments of the process.
    pub fn arguments(self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { arguments: Some(arguments.into_iter().map(Into::into).collect()), ..self }
    }

    fn completed_by(mut self, complete: impl FnOnce(Trainer<M>) -> Trainer<M> + 'static) -> Self {
        self.complete.push(Box::new(complete));
        self
    }

    /// Runs the program. Messages go to stderr, through [`messages::init`](crate::messages::init) unless a subscriber of `tracing` is
    /// installed. An error is printed there in one line.
    ///
    /// The exit code is 0 if the run succeeds, 130 if SIGINT (Ctrl-C) ended it, 143 if SIGTERM did, and 1 after any other error. A
    /// second signal ends the process at once, with the same codes. Unknown or invalid flags exit with 2, `--help` with 0.
    #[must_use = "without its exit code, a failed run looks like a success: return it from `fn main() -> ExitCode`"]
    pub fn run(self) -> ExitCode {
        messages::init();
        match (self.try_run)(self) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                if !strategy::is_printed_by_others() {
                    terminal::say(format_args!("error: {}", in_one_line(&error)));
                }
                exit_code(&error)
            }
        }
    }

    /// Returns the trainer, the module and the data module that the arguments and configuration files describe, for a `main` of one's
    /// own. Lightning's [`LightningCLI(run=False)`](https://lightning.ai/docs/pytorch/stable/cli/lightning_cli_advanced_3.html).
    ///
    /// The arguments are the flags of `fit` without a command: `my-program --max-epochs 3 --lr 0.1`. A program with a command line of
    /// its own passes the remaining arguments to [`arguments`](Self::arguments); [`subcommand`](Self::subcommand) adds commands to the generated
    /// ones. Messages are printed as by a [`Trainer`]; see [`messages`](crate::messages).
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// use tch_lightning::cli::Built;
    /// # struct Model(nn::VarStore);
    /// # #[lightning_module]
    /// # impl Model {
    /// #     fn new() -> Self { Self(nn::VarStore::new(Device::Cpu)) }
    /// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.0 }
    /// #     fn training_step(&self, batch: &Tensor) -> Tensor { batch.mean(None) }
    /// #     fn configure_optimizers(&self) -> Sgd { Sgd::new(0.1) }
    /// #     fn test_step(&self, batch: &Tensor) { drop(batch.mean(None)) }
    /// # }
    /// # struct Data;
    /// # #[lightning_datamodule]
    /// # impl Data {
    /// #     fn new() -> Self { Self }
    /// #     fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> { bail!("no data") }
    /// # }
    ///
    /// fn main() -> Result<()> {
    ///     let Built { mut trainer, mut model, mut data, .. } = Model::program::<Data>().build()?;
    ///     trainer.fit(&mut model, &mut data)?;
    ///     trainer.ckpt_path("best").test(&mut model, &mut data)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// Unknown or wrong flags, `--help` and `--print-config` end the process, as in [`run`](Self::run).
    ///
    /// # Errors
    /// Wrong configuration files, a checkpoint that cannot be read, and errors of the constructors.
    pub fn build(self) -> Result<Built<M, D>> {
        (self.try_build)(self)
    }
}

impl<M: LightningModule + FromHparamsAndData<D>, D: Loads<M::Batch> + FromHparams> Program<M, D> {
    pub(super) fn new() -> Self {
        Self {
            arguments: None,
            trainer_defaults: None,
            complete: Vec::new(),
            subcommands: Subcommands::default(),
            try_run: Self::try_run,
            try_build: Self::try_build,
        }
    }

    fn try_build(self) -> Result<Built<M, D>> {
        let arguments = self.arguments.unwrap_or_else(|| std::env::args_os().collect());
        let defaults = self.trainer_defaults.unwrap_or_else(M::trainer_defaults);
        let verb = verb_of_flags(Types::of::<M, D>(), &arguments, defaults)?;
        let built =
            verb.build(|trainer| self.complete.into_iter().fold(trainer, |trainer, complete| complete(trainer)))?;
        match built {
            Some(built) => Ok(built),
            None => std::process::exit(0),
        }
    }

    fn try_run(self) -> Result<()> {
        let arguments = self.arguments.unwrap_or_else(|| std::env::args_os().collect());
        let defaults = self.trainer_defaults.unwrap_or_else(M::trainer_defaults);
        let requested = requested(Types::of::<M, D>(), &arguments, defaults, self.subcommands)?;
        let Some((verb, action)) = requested else { return Ok(()) };
        let complete = |trainer| self.complete.into_iter().fold(trainer, |trainer, complete| complete(trainer));
        match action {
            Action::Run => verb.run::<M, D>(complete),
            Action::Plan => verb.plan::<M, D>(complete),
            Action::Trace(path) => verb.trace::<M, D>(&path, complete),
        }
    }
}

/// What to do with a verb.
enum Action {
    Run,
    /// Print the plan of its hooks.
    Plan,
    /// Write its step as TorchScript to this file.
    Trace(PathBuf),
}

/// Returns the `fit` that flags without a command describe.
fn verb_of_flags(types: Types, arguments: &[OsString], defaults: TrainerConfig) -> Result<Verb> {
    let flags = Flags::of(types, &defaults, Form::FlagsAlone)?;
    let parsed = flags.parse(arguments);
    Verb::new(types, Stage::Fit, parsed, &flags, defaults)
}

/// Returns the verb that the arguments request, and what to do with it; or runs another command, and returns `None`.
fn requested(
    types: Types,
    arguments: &[OsString],
    defaults: TrainerConfig,
    subcommands: Subcommands,
) -> Result<Option<(Verb, Action)>> {
    let mut flags = Flags::of(types, &defaults, Form::Commands)?;
    subcommands.add_to(&mut flags)?;
    // exits the process if a flag is invalid
    let parsed = flags.parse(arguments);
    if let Some(outcome) = subcommands.run(&parsed.verb, &parsed.explicit) {
        return outcome.map(|()| None);
    }
    if parsed.verb == EXPORT {
        return exported(arguments, &parsed.explicit, types, &flags, defaults);
    }
    let planned = (parsed.verb == HOOKS).then(|| parsed.explicit.get_one::<String>(PLAN).cloned()).flatten();
    let stage = match planned.as_deref().unwrap_or(&parsed.verb) {
        "fit" => Stage::Fit,
        "validate" => Stage::Validate,
        "test" => Stage::Test,
        "predict" => Stage::Predict,
        command => return other_command(command, &parsed.explicit, types, &flags).map(|()| None),
    };
    if stage == Stage::Fit && planned.is_none() && strategy::is_to_be_rank_zero() {
        flags.shared_with_trainer.iter().for_each(|shared| warning!("{shared}"));
    }
    let action = if planned.is_some() { Action::Plan } else { Action::Run };
    Ok(Some((Verb::new(types, stage, parsed, &flags, defaults)?, action)))
}

/// Writes the files of `export` that need no module, and returns the `predict` whose step is to be traced, if there is one.
fn exported(
    arguments: &[OsString],
    parsed: &ArgMatches,
    types: Types,
    flags: &Flags,
    defaults: TrainerConfig,
) -> Result<Option<(Verb, Action)>> {
    if let Some(written) = export::export(parsed, &defaults)? {
        say(&written)?;
    }
    let Some(TorchScript { path, predict }) = TorchScript::requested(parsed) else { return Ok(None) };
    let name = arguments.first().cloned().unwrap_or_default();
    let predict = flags.parse(&[vec![name], predict].concat());
    Ok(Some((Verb::new(types, Stage::Predict, predict, flags, defaults)?, Action::Trace(path))))
}

/// Runs a command that is not a verb.
fn other_command(command: &str, arguments: &ArgMatches, types: Types, flags: &Flags) -> Result<()> {
    match command {
        "doctor" => say(&doctor::report()),
        "report" => say(&reports::report(arguments)?),
        "watch" => reports::watch(arguments),
        "runs" => say(&reports::runs(arguments)?),
        "completions" => say(flags.completions(arguments).trim_end()),
        _ => say(&(types.hooks)()),
    }
}

/// Returns the exit code of a failed run: 128 plus the number of the signal that ended it, else 1.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(Error::Interrupted { signal, .. }) => ExitCode::from(signal.exit_code()),
        _ => ExitCode::FAILURE,
    }
}
