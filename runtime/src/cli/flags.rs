//! The program's command line: its own flags, and those of the trainer, the model and the data.

use super::callbacks::callback_flags;
use super::completions::{completions, completions_command};
use super::exit::exit;
use super::export::export_command;
use super::names::{Names, without_flag};
use super::optimization::{optimization_flags, owner_of_optimizer};
use super::part::{Part, PartFlags};
use super::reports;
use super::seed::Seed;
use super::types::Types;
use crate::config::TrainerConfig;
use crate::module::Hyperparameters;
use crate::panic;
use crate::trainer::CkptPath;
use anyhow::{Context as _, Result, bail};
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;

pub(super) const CKPT_PATH: &str = "ckpt_path";
pub(super) const SEED: &str = "seed_everything";
pub(super) const CONFIG: &str = "config";
pub(super) const PRINT_CONFIG: &str = "print_config";
pub(super) const PLAN: &str = "plan";

/// The command that lists hooks.
pub(super) const HOOKS: &str = "hooks";

const VERBS: [(&str, &str); 4] = [
    ("fit", "Train the model, with validation, and write a checkpoint"),
    ("validate", "Validate a trained model"),
    ("test", "Test a trained model"),
    ("predict", "Predict with a trained model"),
];

const ABOUT_NAMES: &str = "Each flag may also be written with its section and with underscores: --trainer.max_epochs, --model.lr, \
--data.batch_size. A flag that shares its name with another one needs its section.\nA flag that takes a BOOL is turned off by false: \
--logger false, or with = where the BOOL is optional: --flag=false.";

/// The form of a command line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A command and its flags: `fit --max-epochs 3`.
    Commands,
    /// The flags of `fit` without a command.
    FlagsAlone,
}

/// The program's command line.
pub(super) struct Flags {
    program: Command,
    form: Form,
    /// The parts of the trainer, the model and the data.
    parts: [Part; 3],
    /// The part that configures its optimizer by a hyperparameter, so that the program does not have flags for it.
    pub(super) owner_of_optimizer: Option<&'static str>,
    /// The hidden flags for ambiguous and missing names, with their error messages.
    ambiguous: Vec<(String, String)>,
    /// A sentence for each hyperparameter with the name of a flag of the trainer.
    pub(super) shared_with_trainer: Vec<String>,
}

impl Flags {
    /// Returns the command line for a module and a data module.
    ///
    /// # Errors
    /// Hyperparameters that clap rejects. In debug builds, clap panics; the panic is returned as an error.
    pub(super) fn of(types: Types, defaults: &TrainerConfig, form: Form) -> Result<Self> {
        let flags = panic::catch(|| {
            let flags = Self::unchecked(types, defaults, form)?;
            flags.program.clone().build();
            Ok(flags)
        });
        flags.context("cannot make flags of the hyperparameters")
    }

    fn unchecked(types: Types, config: &TrainerConfig, form: Form) -> Result<Self> {
        let mut defaults = serde_json::to_value(config)?;
        defaults["max_epochs"] = serde_json::to_value(config.epoch_limit())?;
        let parts = [
            Part::of("trainer", <TrainerConfig as Hyperparameters>::augment_args)?
                .mut_args(|arg| with_default(arg, &defaults)),
            Part::of("model", types.model.hparams.augment_args)?,
            Part::of("data", types.data.hparams.augment_args)?,
        ];
        let owner_of_optimizer = owner_of_optimizer(&parts);
        let mut of_fit: Vec<Arg> = callback_flags().collect();
        if owner_of_optimizer.is_none() {
            of_fit.extend(optimization_flags());
        }
        let own_flags = Command::new("own").args(own("fit")).args(&of_fit).arg(plan());
        let names = Names::of(&own_flags, &parts);
        let parts = parts.map(|part| names.shown(part));
        let shared_with_trainer = names.shared_with_trainer();
        let mut ambiguous = names.ambiguous();
        ambiguous.extend(without_flag(&parts, &names));
        let with_flags = |command: Command, name: &str| {
            // the last of a flag that is given twice counts, so that scripts can add flags to a line with defaults
            let mut command = command.args_override_self(true).args(own(name)).after_help(ABOUT_NAMES);
            for (part, heading) in parts.iter().zip(["Trainer", "Model", "Data"]) {
                command = command.next_help_heading(heading);
                command = command.args(part.args().map(|arg| names.surface(part, arg)));
            }
            if ["fit", HOOKS].contains(&name) || form == Form::FlagsAlone {
                command = command.args(&of_fit);
            }
            // a trained model takes its hyperparameters from its checkpoint
            let usage = if name == "fit" { usage(&command) } else { usage(&command.clone().mut_args(optional)) };
            command = command.mut_args(optional).override_usage(usage);
            command.args(ambiguous.iter().map(|(arg, _)| arg.clone()))
        };
        let program = Command::new(env_program());
        let program = match form {
            Form::FlagsAlone => with_flags(program, "fit"),
            Form::Commands => VERBS
                .iter()
                .fold(program.subcommand_required(true).arg_required_else_help(true), |program, (name, about)| {
                    program.subcommand(with_flags(Command::new(*name).about(*about), name))
                })
                .subcommand(reports::runs_command())
                .subcommand(completions_command())
                .subcommand(reports::report_command())
                .subcommand(reports::watch_command())
                .subcommand(export_command())
                .subcommand(
                    with_flags(
                        Command::new(HOOKS).about(
                            "List all hooks, and where they are overridden, or plan the hooks of a run with these flags",
                        ),
                        HOOKS,
                    )
                    .arg(plan()),
                )
                .subcommand(
                    Command::new("doctor")
                        .about("Report the versions and locations of libtorch, the devices and the threads"),
                ),
        };
        let ambiguous = ambiguous.into_iter().map(|(arg, answer)| (arg.get_id().to_string(), answer)).collect();
        Ok(Self { program, form, parts, owner_of_optimizer, ambiguous, shared_with_trainer })
    }

    /// Adds the program's own commands, after the others.
    ///
    /// # Errors
    /// A name that another command has, and arguments that clap rejects. In debug builds, clap panics; the panic is returned as an error.
    pub(super) fn add(&mut self, commands: impl Iterator<Item = Command>) -> Result<()> {
        for command in commands {
            let name = command.get_name().to_owned();
            let is_taken = |name: &&str| *name == "help" || self.program.find_subcommand(name).is_some();
            if let Some(taken) = command.get_all_aliases().chain([name.as_str()]).find(is_taken) {
                bail!("cannot add the command `{taken}` to the program: it already has one of this name");
            }
            let program = panic::catch(|| {
                command.clone().build();
                Ok(self.program.clone().subcommand(command))
            });
            self.program = program.with_context(|| format!("cannot add the command `{name}` to the program"))?;
        }
        Ok(())
    }

    /// Returns the output of `completions` with its parsed arguments.
    pub(super) fn completions(&self, arguments: &ArgMatches) -> String {
        completions(self.program.clone(), arguments)
    }

    /// Parses the arguments, or exits the process with clap's message. A required flag may still be missing: its value may be in a
    /// file or a checkpoint.
    pub(super) fn parse(&self, arguments: &[OsString]) -> Parsed {
        let mut matches = self.program.clone().try_get_matches_from(arguments).unwrap_or_else(|error| exit(&error));
        let (verb, all) = match self.form {
            Form::Commands => matches.remove_subcommand().unwrap_or_default(),
            Form::FlagsAlone => ("fit".to_owned(), matches),
        };
        let is_verb = verb == HOOKS || VERBS.iter().any(|(name, _)| *name == verb);
        let ambiguous = self.ambiguous.iter().find(|(id, _)| is_verb && all.contains_id(id));
        if let Some((_, answer)) = ambiguous {
            let mut command = self.verb(&verb);
            exit(&command.error(ErrorKind::ArgumentConflict, answer));
        }
        // an argument of another command may have the name of a hyperparameter
        let no_flags = ArgMatches::default();
        let flags = if is_verb { &all } else { &no_flags };
        let [trainer, model, data] = self.parts.each_ref().map(|part| {
            let requires = verb == "fit" && part.name != "trainer";
            part.read(flags, requires).unwrap_or_else(|error| exit(&self.of_verb(error, &verb)))
        });
        let mut explicit = all;
        for id in [CONFIG, PRINT_CONFIG, CKPT_PATH, SEED].into_iter().filter(|_| is_verb) {
            if explicit.value_source(id) != Some(ValueSource::CommandLine) {
                let _ = explicit.try_clear_id(id);
            }
        }
        Parsed { verb, explicit, trainer, model, data }
    }

    /// Returns clap's message for required flags of the model and the data that are neither on the command line nor in a file.
    pub(super) fn missing_besides<'a>(
        &self,
        flags: &'a Parsed,
        model: impl IntoIterator<Item = (&'a String, &'a Value)>,
        data: impl IntoIterator<Item = (&'a String, &'a Value)>,
    ) -> Option<clap::Error> {
        let mut missing = flags.model.missing_besides(model);
        missing.extend(flags.data.missing_besides(data));
        let mut error = clap::Error::new(ErrorKind::MissingRequiredArgument);
        let is_missing = !missing.is_empty();
        error.insert(ContextKind::InvalidArg, ContextValue::Strings(missing));
        is_missing.then(|| self.of_verb(error, &flags.verb))
    }

    /// Exits the process with the message of an error of one part.
    pub(super) fn exit(&self, error: clap::Error, verb: &str) -> ! {
        self.of_verb(error, verb).exit()
    }

    /// Converts an error of one part to an error of the complete command line.
    fn of_verb(&self, mut error: clap::Error, verb: &str) -> clap::Error {
        let mut command = self.verb(verb);
        error.insert(ContextKind::Usage, ContextValue::StyledStr(command.render_usage()));
        error.with_cmd(&command)
    }

    fn verb(&self, name: &str) -> Command {
        let mut program = self.program.clone();
        program.build();
        program.find_subcommand(name).cloned().unwrap_or(program)
    }
}

/// The parsed arguments.
pub(super) struct Parsed {
    pub(super) verb: String,
    /// The program's own flags that were written.
    pub(super) explicit: ArgMatches,
    pub(super) trainer: PartFlags,
    pub(super) model: PartFlags,
    pub(super) data: PartFlags,
}

fn env_program() -> String {
    let path = std::env::args_os().next().map(PathBuf::from);
    path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())).unwrap_or_else(|| "program".to_owned())
}

/// Returns the program's own flags, which do not belong to a part.
fn own(verb: &str) -> [Arg; 4] {
    [config(), print_config(), checkpoint(verb), seed()]
}

fn optional(arg: Arg) -> Arg {
    arg.required(false)
}

/// Returns the usage line of a verb, with its required flags.
fn usage(verb: &Command) -> String {
    let (program, verb_name) = (env_program(), verb.get_name());
    let name = if verb_name == program { program } else { format!("{program} {verb_name}") };
    let usage = verb.clone().bin_name(name).render_usage().to_string();
    usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned()
}

/// Returns a flag of the trainer with the module's default.
fn with_default(arg: Arg, defaults: &Value) -> Arg {
    let shown = match defaults.get(arg.get_id().as_str()) {
        None | Some(Value::Null) => return arg,
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    arg.default_value(shown)
}

fn checkpoint(verb: &str) -> Arg {
    let help = if verb == "fit" {
        "Resume from this checkpoint: a file, or best or last of the newest run"
    } else {
        "The checkpoint of the trained model: a file, or best or last of the newest run [default: best if a metric is monitored, else last]"
    };
    // which refuses an empty one
    let parser = PathBufValueParser::new().map(|path| CkptPath::from(path.into_os_string()));
    Arg::new(CKPT_PATH).long("ckpt-path").value_name("FILE").value_parser(parser).help(help)
}

fn config() -> Arg {
    let arg = Arg::new(CONFIG).long("config").value_name("FILE").value_parser(value_parser!(PathBuf));
    arg.action(ArgAction::Append)
        .help("Read values from this YAML file; a later file overrides an earlier one, and flags override files")
}

fn plan() -> Arg {
    let arg = Arg::new(PLAN).long("plan").value_name("VERB").num_args(0..=1).default_missing_value("fit");
    arg.value_parser(VERBS.map(|(name, _)| name))
        .help("Print the hooks that a run of this verb would call, in order, without loading data [default: fit]")
}

fn print_config() -> Arg {
    let arg = Arg::new(PRINT_CONFIG).long("print-config").action(ArgAction::SetTrue);
    arg.help("Print the values of all flags as a configuration file, and exit")
}

fn seed() -> Arg {
    let seed = Arg::new(SEED).long("seed-everything").value_name("SEED").value_parser(value_parser!(Seed));
    seed.default_value("0")
        .allow_negative_numbers(true)
        .help("Seed all random numbers, including the order of shuffled data; random draws a seed")
}
