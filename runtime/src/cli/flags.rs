//! The program's flags: those of the trainer, the model's hyperparameters and the data's.

use crate::config::TrainerConfig;
use crate::module::{HasHparams, Hyperparameters};
use crate::panic;
use crate::trainer::CkptPath;
use anyhow::{Context as _, Result, bail};
use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Id, value_parser};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

pub(super) const CKPT_PATH: &str = "ckpt_path";
pub(super) const SEED: &str = "seed_everything";
pub(super) const CONFIG: &str = "config";
pub(super) const PRINT_CONFIG: &str = "print_config";

const VERBS: [(&str, &str); 4] = [
    ("fit", "Train the model, with validation, and write a checkpoint"),
    ("validate", "Validate a trained model"),
    ("test", "Test a trained model"),
    ("predict", "Predict with a trained model"),
];

/// The program's command line.
pub(super) struct Flags {
    program: Command,
}

impl Flags {
    /// The flags of a module and a data module.
    ///
    /// # Errors
    /// Two flags of one name, and whatever else clap finds wrong with hyperparameters: it panics, in debug builds.
    pub(super) fn of<M: HasHparams, D: HasHparams>(defaults: &TrainerConfig) -> Result<Self> {
        let flags = panic::catch(|| {
            let flags = Self::unchecked::<M, D>(defaults)?;
            flags.program.clone().build();
            Ok(flags)
        });
        flags.context("the program's flags can't be made of the hyperparameters")
    }

    fn unchecked<M: HasHparams, D: HasHparams>(config: &TrainerConfig) -> Result<Self> {
        let mut defaults = serde_json::to_value(config)?;
        defaults["max_epochs"] = serde_json::to_value(config.epochs())?;
        let parts = [
            part::<TrainerConfig>("Trainer").mut_args(|arg| with_default(arg, &defaults)),
            part::<M::Hparams>("Model"),
            part::<D::Hparams>("Data"),
        ];
        refuse_doubles(&parts)?;
        let mut program = Command::new(env_program()).subcommand_required(true).arg_required_else_help(true);
        for (name, about) in VERBS {
            program = program.subcommand(verb(name, about, &parts));
        }
        program = program
            .subcommand(Command::new("hooks").about("List the hooks, and who overrides them"))
            .subcommand(Command::new("doctor").about("Show what was found: libtorch, devices, threads"));
        Ok(Self { program })
    }

    /// Reads the arguments, or ends the program with what clap says of them. A flag that must be given may still be missing: a file or a
    /// checkpoint may have its value.
    pub(super) fn parse(&self, arguments: &[OsString]) -> Parsed {
        let mut matches = match self.program.clone().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            // clap looks for what is missing when all else is read
            Err(error) if is_missing(&error) => self.program.clone().ignore_errors(true).get_matches_from(arguments),
            Err(error) => error.exit(),
        };
        let (verb, given) = matches.remove_subcommand().unwrap_or_default();
        let mut explicit = given.clone();
        let is_default = |id: &Id| given.value_source(id.as_str()) == Some(ValueSource::DefaultValue);
        for id in given.ids().filter(|id| is_default(id)) {
            // fails for ids that there are not
            let _ = explicit.try_clear_id(id.as_str());
        }
        Parsed { verb, given, explicit }
    }

    /// What clap says of flags that are missing although others have these values, in files.
    pub(super) fn missing_besides(
        &self,
        arguments: &[OsString],
        flags: &Parsed,
        values: &BTreeMap<String, Value>,
    ) -> Option<clap::Error> {
        let verb = self.program.find_subcommand(&flags.verb)?;
        let mut written = Vec::new();
        let mut in_files = Vec::new();
        for arg in verb.get_arguments().filter(|arg| !flags.explicit.contains_id(arg.get_id().as_str())) {
            let Some(value) = values.get(arg.get_id().as_str()).filter(|value| !value.is_null()) else { continue };
            in_files.push(arg.get_id().clone());
            written.extend(as_written(arg, value));
        }
        // clap looks at what is required of what, and not at the values
        let program = self.program.clone().mut_subcommand(&flags.verb, |verb| {
            verb.mut_args(|arg| {
                let arg = if in_files.contains(arg.get_id()) { arg.required(false) } else { arg };
                if arg.get_action().takes_values() { arg.value_parser(ValueParser::os_string()) } else { arg }
            })
        });
        let place = arguments.iter().position(|argument| *argument == *flags.verb).map_or(1, |place| place + 1);
        let mut all = arguments.to_owned();
        all.splice(place..place, written);
        program.try_get_matches_from(all).err().filter(is_missing)
    }
}

/// The arguments as they were read.
pub(super) struct Parsed {
    pub(super) verb: String,
    /// All values, defaults included.
    pub(super) given: ArgMatches,
    /// Those that were written.
    pub(super) explicit: ArgMatches,
}

fn is_missing(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::MissingRequiredArgument
}

/// A flag with a value from a file, as it would have been written: each element of a list in a flag of its own, or after one flag
/// that takes several.
fn as_written(arg: &Arg, value: &Value) -> Vec<OsString> {
    let name = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => return Vec::new(),
    };
    if !arg.get_action().takes_values() {
        return if *value == Value::Bool(true) { vec![name.into()] } else { Vec::new() };
    }
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let texts = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    if arg.get_num_args().is_some_and(|range| range.min_values() > 1) {
        return std::iter::once(name).chain(texts).map(OsString::from).collect();
    }
    texts.map(|text| format!("{name}={text}").into()).collect()
}

/// The flags of one part.
pub(super) fn args<H: Hyperparameters>() -> Vec<Arg> {
    H::augment_args(Command::new("part")).get_arguments().cloned().collect()
}

fn env_program() -> String {
    let path = std::env::args_os().next().map(PathBuf::from);
    path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())).unwrap_or_else(|| "program".to_owned())
}

/// The flags of one part of the program, under a heading of their own.
fn part<H: Hyperparameters>(heading: &'static str) -> Command {
    let part = H::augment_args(Command::new(heading).next_help_heading(heading));
    // `--lr -1` is a wrong learning rate, not an unknown flag `-1`
    part.mut_args(|arg| if arg.get_action().takes_values() { arg.allow_negative_numbers(true) } else { arg })
}

fn verb(name: &'static str, about: &'static str, parts: &[Command]) -> Command {
    let command = Command::new(name).about(about).args([config(), print_config(), checkpoint(name), seed()]);
    let command = parts.iter().fold(command, with_part);
    // a trained model brings the values that it was made with
    if name == "fit" { command } else { nothing_required(command) }
}

fn nothing_required(command: Command) -> Command {
    let groups: Vec<Id> = command.get_groups().map(|group| group.get_id().clone()).collect();
    let command = groups.into_iter().fold(command, |command, id| command.mut_group(id, |group| group.required(false)));
    command.mut_args(|arg| arg.required(false))
}

fn with_part(command: Command, part: &Command) -> Command {
    let taken: Vec<_> = command.get_groups().map(|group| group.get_id().clone()).collect();
    // clap names a group after each struct, and both structs may well be called `Hparams`
    let groups = part.get_groups().map(|group| match group.get_id() {
        id if taken.contains(id) => group.clone().id(format!("{}.{id}", part.get_name())),
        _ => group.clone(),
    });
    command.args(part.get_arguments()).groups(groups)
}

/// A trainer's flag with the default that the module gives it.
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
        "The checkpoint of the trained model: a file, or best or last of the newest run [default: best, where a metric is monitored, else last]"
    };
    let parser = OsStringValueParser::new().map(CkptPath::from);
    Arg::new(CKPT_PATH).long("ckpt-path").value_name("FILE").value_parser(parser).help(help)
}

fn config() -> Arg {
    let arg = Arg::new(CONFIG).long("config").value_name("FILE").value_parser(value_parser!(PathBuf));
    arg.action(ArgAction::Append).help("Read values from this YAML file; of several, and of flags, the later counts")
}

fn print_config() -> Arg {
    let arg = Arg::new(PRINT_CONFIG).long("print-config").action(ArgAction::SetTrue);
    arg.help("Write the values of all flags as such a file, and do nothing else")
}

fn seed() -> Arg {
    let seed = Arg::new(SEED).long("seed-everything").value_name("SEED").value_parser(value_parser!(i64));
    seed.default_value("0")
        .allow_negative_numbers(true)
        .help("Seed all random numbers, the order of shuffled data included")
}

/// Two flags of one name would hide each other.
fn refuse_doubles(parts: &[Command]) -> Result<()> {
    let help = Arg::new("help").long("help").short('h').action(ArgAction::Help);
    let own = Command::new("program").args([help, config(), print_config(), checkpoint("fit"), seed()]);
    let mut known: Vec<(String, &str)> = Vec::new();
    for part in std::iter::once(&own).chain(parts) {
        if part.has_subcommands() {
            bail!("the hyperparameters of the {} have subcommands: give them flags alone", part.get_name());
        }
        for name in part.get_arguments().flat_map(names) {
            if let Some((_, other)) = known.iter().find(|(known, _)| *known == name) {
                bail!("`{name}` is a hyperparameter of the {} and of the {other}: rename one of them", part.get_name());
            }
            known.push((name, part.get_name()));
        }
    }
    Ok(())
}

/// What an argument is known by, in configurations and on the command line.
fn names(arg: &Arg) -> Vec<String> {
    let longs = arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default());
    let shorts = arg.get_short().into_iter().chain(arg.get_all_short_aliases().unwrap_or_default());
    let mut names = vec![arg.get_id().to_string()];
    names.extend(longs.map(|long| format!("--{long}")).chain(shorts.map(|short| format!("-{short}"))));
    names
}
