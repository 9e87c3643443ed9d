//! The names of flags: names with a section, such as `--model.lr`, are always accepted; those without, such as `--lr`, if only one
//! part has the flag.

use super::part::Part;
use crate::choice::{dashed, name_flag, spellings};
use clap::{Arg, ArgAction, Command};
use std::collections::BTreeMap;

/// The flags of each name, of which there are several if parts share it.
#[derive(Default)]
pub(super) struct Names {
    /// The long forms of the flags, by long name (with dashes) and by short name.
    owners: BTreeMap<String, Vec<String>>,
    /// The names of the program's own flags, which parts cannot use.
    own: Vec<String>,
}

impl Names {
    /// Returns the names of the flags in these parts, and of the program's own flags.
    pub(super) fn of(own: &Command, parts: &[Part]) -> Self {
        let mut names = Self { own: own.get_arguments().flat_map(names_of).collect(), ..Self::default() };
        names.own.extend(["help".to_owned(), "h".to_owned()]);
        for part in parts {
            for arg in part.args() {
                for name in names_of(arg) {
                    names.owners.entry(name).or_default().push(long_form(part, arg));
                }
            }
        }
        names
    }

    fn is_free(&self, name: &str) -> bool {
        !self.own.iter().any(|own| own == name) && self.owners.get(name).is_none_or(|owners| owners.len() < 2)
    }

    /// Returns the part with its flags renamed to the names in the help.
    pub(super) fn shown(&self, part: Part) -> Part {
        let name = part.name;
        part.mut_args(|arg| match arg.get_long().map(dashed) {
            Some(long) if !self.is_free(&long) => arg.long(format!("{name}.{long}")),
            _ => arg,
        })
    }

    /// Returns the flag of the program's command line for a flag of a part: its appearance and its names, without references to other
    /// flags.
    pub(super) fn surface(&self, part: &Part, arg: &Arg) -> Arg {
        let mut surface = copy_appearance(part.id(arg), arg);
        let Some(shown) = arg.get_long() else { return self.with_short(surface, arg) };
        let plain = dashed(shown.strip_prefix(&format!("{}.", part.name)).unwrap_or(shown));
        let aliases = arg.get_all_aliases().unwrap_or_default().into_iter().map(dashed);
        let mut hidden: Vec<String> = Vec::new();
        for long in std::iter::once(plain).chain(aliases) {
            let mut forms = vec![format!("{}.{long}", part.name)];
            forms.extend(self.is_free(&long).then_some(long));
            hidden.extend(forms.iter().flat_map(|form| spellings(form)));
        }
        let visible: Vec<String> =
            arg.get_visible_aliases().unwrap_or_default().into_iter().map(str::to_owned).collect();
        let visible: Vec<String> = visible.into_iter().filter(|alias| self.is_free(&dashed(alias))).collect();
        hidden.sort();
        hidden.dedup();
        hidden.retain(|form| form != shown && !visible.contains(form));
        surface = surface.long(shown.to_owned()).aliases(hidden).visible_aliases(visible);
        if let Some(choices) = part.choices_of(arg) {
            surface = name_flag(surface, choices);
        }
        self.with_short(surface, arg)
    }

    fn with_short(&self, surface: Arg, arg: &Arg) -> Arg {
        let is_free = |short: &char| self.is_free(&short.to_string());
        let surface = match arg.get_short().filter(is_free) {
            Some(short) => surface.short(short),
            None => surface,
        };
        let aliases: Vec<char> = arg.get_all_short_aliases().unwrap_or_default();
        surface.short_aliases(aliases.into_iter().filter(is_free))
    }

    /// Returns a sentence for each hyperparameter with the name of a flag of the trainer.
    pub(super) fn shared_with_trainer(&self) -> Vec<String> {
        let shared = self.owners.iter().filter_map(|(name, owners)| match owners.as_slice() {
            [trainer, others @ ..] if trainer.starts_with("--trainer.") && !others.is_empty() => {
                let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
                Some(format!(
                    "`--{name}` is a flag of the trainer and the name of a hyperparameter: write `{trainer}` or {}, or rename the \
                     hyperparameter",
                    others.join(" or ")
                ))
            }
            _ => None,
        });
        shared.collect()
    }

    /// Returns a hidden flag for each name that several parts share, with its error message.
    pub(super) fn ambiguous(&self) -> Vec<(Arg, String)> {
        let is_own = |name: &String| self.own.contains(name);
        let several = self.owners.iter().filter(|(name, owners)| owners.len() > 1 && !is_own(name));
        let flags = several.map(|(name, owners)| {
            let arg = Arg::new(format!("ambiguous.{name}")).hide(true).action(ArgAction::Append).num_args(0..);
            let arg = arg.allow_negative_numbers(true);
            let (arg, flag) = match name.chars().collect::<Vec<_>>()[..] {
                [short] => (arg.short(short), format!("-{short}")),
                _ => (arg.long(name.clone()).alias(name.replace('-', "_")), format!("--{name}")),
            };
            let owners: Vec<String> = owners.iter().map(|owner| format!("`{owner}`")).collect();
            (arg, format!("`{flag}` is ambiguous: write {}", owners.join(" or ")))
        });
        flags.collect()
    }
}

/// Returns a hidden flag for each hyperparameter without one, which clap reads from the arguments without a name, with its error message.
pub(super) fn without_flag(parts: &[Part], own: &Names) -> Vec<(Arg, String)> {
    let nameless = |arg: &&Arg| arg.get_long().is_none() && arg.get_short().is_none();
    let arguments = parts.iter().flat_map(|part| part.args().filter(nameless).map(move |arg| (part.name, arg)));
    let flags = arguments.filter_map(|(part, arg)| {
        let (field, flag) = (arg.get_id().as_str(), dashed(arg.get_id().as_str()));
        let is_taken = own.owners.contains_key(&flag) || !own.is_free(&flag);
        let hidden = Arg::new(format!("nameless.{flag}")).hide(true).action(ArgAction::Append).num_args(0..);
        let hidden = hidden.long(flag.clone()).alias(flag.replace('-', "_")).allow_negative_numbers(true);
        let answer = format!(
            "the hyperparameter `{field}` of the {part} has no flag `--{flag}`: write `#[arg(long)]` above the field"
        );
        (!is_taken).then_some((hidden, answer))
    });
    flags.collect()
}

/// Returns the name by which a flag is always accepted.
fn long_form(part: &Part, arg: &Arg) -> String {
    match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{}.{}", part.name, dashed(long)),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => arg.get_id().to_string(),
    }
}

/// Returns all names of a flag, with dashes.
pub(super) fn names_of(arg: &Arg) -> Vec<String> {
    let longs = arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default());
    let shorts = arg.get_short().into_iter().chain(arg.get_all_short_aliases().unwrap_or_default());
    let mut names: Vec<String> = longs.map(dashed).chain(shorts.map(String::from)).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns a new flag that is displayed and parsed like `arg`.
fn copy_appearance(id: String, arg: &Arg) -> Arg {
    let mut new = Arg::new(id).action(arg.get_action().clone()).required(arg.is_required_set()).hide(arg.is_hide_set());
    if let Some(help) = arg.get_help() {
        new = new.help(help.clone());
    }
    if let Some(help) = arg.get_long_help() {
        new = new.long_help(help.clone());
    }
    if let Some(heading) = arg.get_help_heading() {
        new = new.help_heading(heading.to_owned());
    }
    new = new.last(arg.is_last_set()).trailing_var_arg(arg.is_trailing_var_arg_set());
    if !arg.get_action().takes_values() {
        return new;
    }
    new = new.value_parser(arg.get_value_parser().clone()).ignore_case(arg.is_ignore_case_set());
    new = new.value_hint(arg.get_value_hint()).value_delimiter(arg.get_value_delimiter());
    new = new
        .default_values(arg.get_default_values().iter().cloned())
        .hide_default_value(arg.is_hide_default_value_set());
    new = new.hide_possible_values(arg.is_hide_possible_values_set()).require_equals(arg.is_require_equals_set());
    new = new.allow_hyphen_values(arg.is_allow_hyphen_values_set());
    new = new.allow_negative_numbers(arg.is_allow_negative_numbers_set());
    if let Some(values) = arg.get_num_args() {
        new = new.num_args(values);
    }
    if let Some(names) = arg.get_value_names() {
        new = new.value_names(names.iter().cloned());
    }
    if let Some(terminator) = arg.get_value_terminator() {
        new = new.value_terminator(terminator.clone());
    }
    new
}
