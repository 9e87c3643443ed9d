//! The program's flags: those of the trainer, the model's hyperparameters and the data's.

use super::configuration::Configuration;
use crate::config::TrainerConfig;
use crate::json;
use crate::module::{FromHparams, Hyperparameters};
use crate::panic;
use anyhow::{Context as _, Result, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Id, value_parser};
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
    /// Those without which there is no model or no data.
    needed: Vec<Id>,
}

impl Flags {
    /// The flags of a module and a data module.
    ///
    /// # Errors
    /// Two flags of one name, and whatever else clap finds wrong with hyperparameters: it panics, in debug builds.
    pub(super) fn of<M: FromHparams, D: FromHparams>() -> Result<Self> {
        let flags = panic::catch(|| {
            let flags = Self::unchecked::<M, D>()?;
            flags.program.clone().build();
            Ok(flags)
        });
        flags.context("the program's flags can't be made of the hyperparameters")
    }

    fn unchecked<M: FromHparams, D: FromHparams>() -> Result<Self> {
        let config = M::trainer_defaults();
        let mut defaults = serde_json::to_value(&config)?;
        defaults["max_epochs"] = serde_json::to_value(config.epochs())?;
        let parts = [
            part::<TrainerConfig>("Trainer").mut_args(|arg| with_default(arg, &defaults)),
            part::<M::Hparams>("Model"),
            part::<D::Hparams>("Data"),
        ];
        refuse_doubles(&parts)?;
        let all = parts.iter().flat_map(Command::get_arguments);
        let needed = all.filter(|arg| arg.is_required_set()).map(|arg| arg.get_id().clone()).collect();
        let mut program = Command::new(env_program()).subcommand_required(true).arg_required_else_help(true);
        for (name, about) in VERBS {
            program = program.subcommand(verb(name, about, &parts));
        }
        program = program
            .subcommand(Command::new("hooks").about("List the hooks, and who overrides them"))
            .subcommand(Command::new("doctor").about("Show what was found: libtorch, devices, threads"));
        Ok(Self { program, needed })
    }

    /// Reads the arguments, or ends the program with what clap says of them.
    pub(super) fn parse(&self, arguments: &[OsString]) -> ArgMatches {
        self.program.clone().get_matches_from(arguments)
    }

    /// As [`parse`](Self::parse), where a flag that must be given may stand in a configuration file. It is read from there for
    /// the time being, until the files' values are taken as they are.
    ///
    /// # Errors
    /// What is wrong with the files, where a flag is still missing.
    pub(super) fn parse_with(
        &self,
        arguments: &[OsString],
        verb: &str,
        explicit: &ArgMatches,
        configuration: &mut Configuration,
    ) -> Result<ArgMatches> {
        let mut arguments = arguments.to_owned();
        let program = self.program.find_subcommand(verb).into_iter().flat_map(Command::get_arguments);
        for arg in
            program.filter(|arg| self.needed.contains(arg.get_id()) && !explicit.contains_id(arg.get_id().as_str()))
        {
            arguments.extend(configuration.as_flag(arg));
        }
        let matches = match self.program.clone().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) => {
                configuration.check()?;
                error.exit()
            }
        };
        Ok(matches.subcommand().map(|(_, given)| given.clone()).unwrap_or_default())
    }

    /// The flags that were written, without defaults. `None` where one is wrong, and where they ask for help.
    pub(super) fn explicit(&self, arguments: &[OsString]) -> Option<(String, ArgMatches)> {
        let program = self.program.clone();
        let program = VERBS.iter().fold(program, |program, (verb, _)| program.mut_subcommand(verb, nothing_required));
        let mut matches = program.try_get_matches_from(arguments).ok()?;
        let (verb, mut given) = matches.remove_subcommand()?;
        let is_default = |id: &Id| given.value_source(id.as_str()) == Some(ValueSource::DefaultValue);
        let defaults: Vec<Id> = given.ids().filter(|id| is_default(id)).cloned().collect();
        for id in defaults {
            // fails for ids that there are not
            let _ = given.try_clear_id(id.as_str());
        }
        Some((verb, given))
    }
}

/// The sentence in what clap would write.
pub(super) fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// A flag with a value from a file, as it would have been written: each element of a list in a flag of its own, or after one flag
/// that takes several.
pub(super) fn written(arg: &Arg, long: &str, value: &serde_json::Value) -> Vec<OsString> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let texts = values
        .iter()
        .map(|value| json::float(value).or(value.as_str()).map_or_else(|| value.to_string(), str::to_owned));
    if arg.get_num_args().is_some_and(|range| range.min_values() > 1) {
        return std::iter::once(format!("--{long}")).chain(texts).map(OsString::from).collect();
    }
    texts.map(|text| format!("--{long}={text}").into()).collect()
}

/// A flag without what it says of others.
pub(super) fn alone(arg: &Arg) -> Arg {
    let alone = Arg::new(arg.get_id().clone()).long(arg.get_long().unwrap_or_default().to_owned());
    let alone = alone.action(arg.get_action().clone()).value_parser(arg.get_value_parser().clone());
    let alone = alone.value_names(arg.get_value_names().unwrap_or_default().to_owned());
    let alone = alone.allow_negative_numbers(arg.is_allow_negative_numbers_set());
    match arg.get_num_args() {
        Some(range) => alone.num_args(range),
        None => alone,
    }
}

/// The names of the flags of one part.
pub(super) fn ids<H: Hyperparameters>() -> Vec<String> {
    H::augment_args(Command::new("part")).get_arguments().map(|arg| arg.get_id().to_string()).collect()
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
fn with_default(arg: Arg, defaults: &serde_json::Value) -> Arg {
    let shown = match defaults.get(arg.get_id().as_str()) {
        None | Some(serde_json::Value::Null) => return arg,
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    arg.default_value(shown)
}

fn checkpoint(verb: &str) -> Arg {
    let help = if verb == "fit" {
        "Go on from this checkpoint"
    } else {
        "The checkpoint of the trained model [default: the last one that fit left]"
    };
    Arg::new(CKPT_PATH).long("ckpt-path").value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
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
