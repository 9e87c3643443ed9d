//! One part of the program's command line: the flags of the trainer, of the model or of the data.

use crate::choice::{ChoiceFlags, Choices, choices_of_flag, dashed, field_flags};
use crate::module::FlagValues;
use anyhow::{Result, anyhow, bail};
use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Id, value_parser};
use serde_json::Value;
use std::any::TypeId;
use std::ffi::{OsStr, OsString};

/// The flags of a part. On the command line they have names that are unique in the program; their values are parsed by the command
/// that clap derives, which has the requirements and conflicts between them.
pub(super) struct Part {
    /// The name of its section, which is also the prefix of its long flags: `--model.lr`.
    pub(super) name: &'static str,
    derived: Command,
    choices: Vec<PartChoice>,
}

/// A hyperparameter that is one of several choices. Its flags are combined to the value of one flag for the derived command.
struct PartChoice {
    /// The id of the derived flag.
    id: String,
    choices: &'static Choices,
    /// The flags of the fields, which the derived command does not have.
    fields: Vec<Arg>,
}

/// The flags of a choice on the command line.
pub(super) struct GivenChoice {
    pub(super) id: String,
    pub(super) is_required: bool,
    pub(super) choices: &'static Choices,
    pub(super) flags: ChoiceFlags,
}

impl Part {
    /// Returns the flags of the hyperparameters to which `augment_args` belongs.
    ///
    /// # Errors
    /// If the hyperparameters have subcommands, or two flags of one name.
    pub(super) fn of(name: &'static str, augment_args: fn(Command) -> Command) -> Result<Self> {
        let derived = augment_args(Command::new(name).no_binary_name(true).disable_help_flag(true));
        if derived.has_subcommands() {
            bail!("the hyperparameters of the {name} have subcommands: use only flags");
        }
        let derived = derived.mut_args(adapted);
        let choices = derived.get_arguments().filter_map(|arg| PartChoice::of(arg).transpose());
        let choices: Vec<PartChoice> = choices.collect::<Result<_>>()?;
        let derived = choices.iter().fold(derived, |derived, choice| {
            // as the flag of the program, which the message about a missing flag shows
            derived.mut_arg(&choice.id, |arg| arg.value_name("NAME"))
        });
        let part = Self { name, choices, derived };
        let mut known = Vec::new();
        for flag in part.args().flat_map(flags) {
            if known.contains(&flag) {
                bail!("two hyperparameters of the {name} have the flag `{flag}`: rename one of them");
            }
            known.push(flag);
        }
        // runs clap's assertions, in debug builds
        part.derived.clone().build();
        Ok(part)
    }

    /// Returns the part with `change` applied to each flag.
    pub(super) fn mut_args(mut self, mut change: impl FnMut(Arg) -> Arg) -> Self {
        for choice in &mut self.choices {
            choice.fields = std::mem::take(&mut choice.fields).into_iter().map(&mut change).collect();
        }
        Self { derived: self.derived.mut_args(change), ..self }
    }

    pub(super) fn args(&self) -> impl Iterator<Item = &Arg> {
        self.derived.get_arguments().chain(self.choices.iter().flat_map(|choice| &choice.fields))
    }

    /// Returns the choices that are the values of a flag.
    pub(super) fn choices_of(&self, arg: &Arg) -> Option<&'static Choices> {
        Some(self.choices.iter().find(|choice| arg.get_id() == &*choice.id)?.choices)
    }

    /// Returns the id of a flag, which is unique among the flags of all parts.
    pub(super) fn id(&self, arg: &Arg) -> String {
        format!("{}.{}", self.name, arg.get_id())
    }

    /// Parses the values for this part from the program's command line.
    pub(super) fn read(&self, all: &ArgMatches, requires: bool) -> Result<PartFlags, clap::Error> {
        let command = if requires { self.derived.clone() } else { nothing_required(self.derived.clone()) };
        let choices: Vec<GivenChoice> = self.given_choices(all).collect();
        let combined: Vec<OsString> = choices.iter().filter_map(|choice| self.combined(choice)).collect();
        let written = [combined, self.written(all)].concat();
        let given = match command.clone().try_get_matches_from(&written) {
            Ok(given) => given,
            // clap reports missing flags last; their values may be in a file or a checkpoint
            Err(error) if is_missing(&error) => command.clone().ignore_errors(true).get_matches_from(&written),
            Err(error) => return Err(error),
        };
        Ok(PartFlags { values: FlagValues::new(&self.derived, given), choices, written, command })
    }

    /// Returns the flags of each choice that are on the command line.
    fn given_choices(&self, all: &ArgMatches) -> impl Iterator<Item = GivenChoice> {
        let text = move |id: &str| is_written(all, id).then(|| all.get_one::<String>(id).cloned())?;
        self.choices.iter().filter_map(move |PartChoice { id, choices, .. }| {
            let arg = self.derived.get_arguments().find(|arg| arg.get_id() == &**id)?;
            let long = dashed(arg.get_long().unwrap_or(id));
            let flags = ChoiceFlags::read(&long, &self.id(arg), choices, text);
            Some(GivenChoice { id: id.clone(), is_required: arg.is_required_set(), choices, flags })
        })
    }

    /// Returns the argument of the derived command for a choice on the command line, if the command line has a complete value.
    fn combined(&self, choice: &GivenChoice) -> Option<OsString> {
        if choice.flags.is_empty() {
            return None;
        }
        let arg = self.derived.get_arguments().find(|arg| arg.get_id() == &*choice.id)?;
        let default = arg.get_default_values().first().and_then(|text| choice.choices.value_of_text(text.to_str()));
        let value = choice.choices.complete(&default.unwrap_or_default(), &choice.flags).ok()??;
        Some(format!("{}={value}", flag_of(arg)?).into())
    }

    /// Returns the arguments of this part, as on a command line for this part alone.
    fn written(&self, all: &ArgMatches) -> Vec<OsString> {
        let (mut written, mut positional) = (Vec::new(), Vec::new());
        for arg in self.derived.get_arguments().filter(|arg| self.choices_of(arg).is_none()) {
            let id = self.id(arg);
            if !is_written(all, &id) {
                continue;
            }
            let Some(flag) = flag_of(arg) else {
                positional.extend(all.get_raw(&id).into_iter().flatten().map(OsStr::to_owned));
                continue;
            };
            match arg.get_action() {
                ArgAction::SetTrue | ArgAction::SetFalse => written.push(flag.into()),
                ArgAction::Count => written.extend((0..all.get_count(&id)).map(|_| OsString::from(&flag))),
                _ => all.get_raw_occurrences(&id).into_iter().flatten().for_each(|occurrence| {
                    written.extend(one_flag(arg, &flag, &occurrence.map(OsStr::to_owned).collect::<Vec<_>>()));
                }),
            }
        }
        if !positional.is_empty() && !self.args().any(Arg::is_last_set) {
            written.push("--".into());
        }
        written.extend(positional);
        written
    }
}

/// Returns whether a flag, which not every verb has, is on the command line.
fn is_written(all: &ArgMatches, id: &str) -> bool {
    all.ids().any(|known| known == id) && all.value_source(id) == Some(ValueSource::CommandLine)
}

/// The parsed flags of a part.
pub(super) struct PartFlags {
    pub(super) values: FlagValues,
    pub(super) choices: Vec<GivenChoice>,
    written: Vec<OsString>,
    command: Command,
}

impl PartFlags {
    /// Returns the required flags that are still missing when others have these values, from files.
    pub(super) fn missing_besides<'a>(&self, values: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Vec<String> {
        let (mut written, mut in_files) = (self.written.clone(), Vec::new());
        for (id, value) in values.into_iter().filter(|(_, value)| !value.is_null()) {
            let arg = self.values.args.iter().find(|arg| arg.get_id() == id && !self.values.is_explicit(id));
            let Some(arg) = arg else { continue };
            in_files.push(arg.get_id().clone());
            written.splice(0..0, as_written(arg, value));
        }
        let command = self.command.clone().mut_args(|arg| {
            let arg = if in_files.contains(arg.get_id()) { arg.required(false) } else { arg };
            untyped(arg)
        });
        let error = command.try_get_matches_from(written).err().filter(is_missing);
        let missing = error.and_then(|error| match error.get(clap::error::ContextKind::InvalidArg) {
            Some(clap::error::ContextValue::Strings(missing)) => Some(missing.clone()),
            _ => None,
        });
        missing.unwrap_or_default()
    }

    /// Returns whether a value from a file or a checkpoint conflicts with a flag on the command line.
    pub(super) fn conflicts(&self, id: &str, value: &Value) -> bool {
        let arg = self.values.args.iter().find(|arg| arg.get_id() == id && !self.values.is_explicit(id));
        let Some(arg) = arg.filter(|_| !value.is_null() && *value != Value::Bool(false)) else { return false };
        let command = nothing_required(self.command.clone()).mut_args(untyped);
        let written = as_written(arg, value).into_iter().chain(self.written.iter().cloned());
        command.try_get_matches_from(written).is_err_and(|error| error.kind() == ErrorKind::ArgumentConflict)
    }
}

impl PartChoice {
    /// Returns the choice that is the value of a derived flag, if it is one.
    ///
    /// # Errors
    /// If the type's serialized form is not that of a choice.
    fn of(arg: &Arg) -> Result<Option<Self>> {
        let Some(choices) = choices_of_flag(arg) else { return Ok(None) };
        let choices = choices.map_err(|mistake| anyhow!(mistake))?;
        let id = arg.get_id().to_string();
        let long = arg.get_long().unwrap_or(&id);
        Ok(Some(Self { fields: field_flags(&id, long, choices), id, choices }))
    }
}

fn is_missing(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::MissingRequiredArgument
}

/// Adapts a flag that clap derives to the program.
fn adapted(arg: Arg) -> Arg {
    let is_bool = arg.get_value_parser().type_id() == TypeId::of::<bool>();
    match arg.get_action() {
        // so that `--bias=false` can override a file's `bias: true`
        ArgAction::SetTrue if is_bool => arg
            .action(ArgAction::Set)
            .value_parser(value_parser!(bool))
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true),
        // so that the error of `--lr -1` is about the learning rate, not about an unknown flag `-1`
        action if action.takes_values() => arg.allow_negative_numbers(true),
        _ => arg,
    }
}

/// Returns a flag that accepts any value.
fn untyped(arg: Arg) -> Arg {
    if arg.get_action().takes_values() { arg.value_parser(ValueParser::os_string()) } else { arg }
}

fn nothing_required(command: Command) -> Command {
    let groups: Vec<Id> = command.get_groups().map(|group| group.get_id().clone()).collect();
    let command = groups.into_iter().fold(command, |command, id| command.mut_group(id, |group| group.required(false)));
    command.mut_args(|arg| arg.required(false))
}

/// Returns all names of a flag on the command line, with their dashes.
fn flags(arg: &Arg) -> Vec<String> {
    let longs = arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default());
    let shorts = arg.get_short().into_iter().chain(arg.get_all_short_aliases().unwrap_or_default());
    longs.map(|long| format!("--{long}")).chain(shorts.map(|short| format!("-{short}"))).collect()
}

fn flag_of(arg: &Arg) -> Option<String> {
    let short = || Some(format!("-{}", arg.get_short()?));
    arg.get_long().map(|long| format!("--{long}")).or_else(short)
}

/// Returns the arguments for one occurrence of a flag with these values.
fn one_flag(arg: &Arg, flag: &str, values: &[OsString]) -> Vec<OsString> {
    let joined = |values: &[OsString], delimiter: char| values.join(OsStr::new(&delimiter.to_string()));
    let with_value = |value: &OsStr| {
        let mut written = OsString::from(flag);
        // clap accepts `=` after a short flag as well
        written.push("=");
        written.push(value);
        vec![written]
    };
    match (values, arg.get_value_delimiter()) {
        ([], _) => vec![flag.into()],
        ([value], _) => with_value(value),
        (values, Some(delimiter)) => with_value(&joined(values, delimiter)),
        (values, None) => std::iter::once(flag.into()).chain(values.iter().cloned()).collect(),
    }
}

/// Returns the arguments for a flag with a value from a file: one flag per element of a list, or all elements after one flag if it takes
/// several values.
fn as_written(arg: &Arg, value: &Value) -> Vec<OsString> {
    let Some(flag) = flag_of(arg) else { return Vec::new() };
    if !arg.get_action().takes_values() {
        return if *value == Value::Bool(true) { vec![flag.into()] } else { Vec::new() };
    }
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let texts = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    if arg.get_num_args().is_some_and(|range| range.min_values() > 1) {
        return std::iter::once(flag).chain(texts).map(OsString::from).collect();
    }
    texts.map(|text| format!("{flag}={text}").into()).collect()
}
