//! Methods that look like hooks and are not.

use super::{foreign_hooks, meant_hooks};
use crate::attributes;
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::{Hook, HookTrait, Role};
use crate::model::Block;
use crate::parse::{BlockItem, CONSTRUCTOR, TRAINER_DEFAULTS};
use crate::python_names;
use crate::source_file::SourceFile;
use crate::types::readable;
use proc_macro2::Span;
use std::collections::HashMap;
use syn::Ident;
use syn::ext::IdentExt;

/// A method whose name starts with `on_`, is that of a foreign hook, or is similar to a hook's, is an error unless it is marked. Returns the
/// methods that are meant as a hook or as the constructor, each with its name.
pub(crate) fn unknown_methods(block: &Block, diagnostics: &mut Diagnostics) -> Vec<(Ident, &'static str)> {
    let known = Known::of(block.role);
    let mut meant = Vec::new();
    let attribute = block.role.attribute();
    for (ident, conditions) in block.other_methods() {
        let name = &ident.unraw().to_string();
        // the signature of a hook that does not parse is reported by rustc
        if known.names.contains(&name.as_str()) {
            continue;
        }
        let guess = known.guess(name).or_else(|| {
            let mut methods = block.unread_methods(name);
            methods.find_map(|method| meant_hooks::hook_of(block, &method))
        });
        let diagnostic = if let Some(owner) = known.of_others.get(name.as_str()) {
            Some(catalogue::hook_of_another(name, format!("#[{owner}]"), attribute))
        } else if let Some((replaced, instead)) = foreign_hooks::replaced(name, block, &known.names) {
            meant.extend(instead.map(|hook| (ident.clone(), hook)));
            Some(replaced)
        } else if let Some(instead) = python_names::definition(block.role, name) {
            meant.extend(python_names::is_constructor(name).then(|| (ident.clone(), CONSTRUCTOR)));
            Some(catalogue::definition_of_python(name, instead))
        } else if let Some(hook) = guess {
            meant.push((ident.clone(), hook));
            Some(catalogue::misspelled_hook(name, attribute, hook))
        } else if name.starts_with("on_") {
            Some(catalogue::no_hook(name, attribute))
        } else {
            None
        };
        if let Some(diagnostic) = diagnostic {
            diagnostics.of_method(conditions, |diagnostics| diagnostics.add(ident, diagnostic));
        }
    }
    meant
}

/// A hook in a block of the type without the attribute would never be called. Those of other files are not known.
pub(crate) fn other_blocks(block: &Block, diagnostics: &mut Diagnostics) {
    let (attribute, ty) = (block.role.attribute(), &block.item.head.self_ty);
    let hooks = block.traits.iter().flat_map(|declared| declared.hooks()).map(Hook::name);
    let hooks: Vec<&str> = hooks.chain((block.role == Role::Module).then_some(TRAINER_DEFAULTS)).collect();
    for hook in block.others.methods.iter().filter(|method| hooks.contains(&method.as_str())) {
        // an error has no other place than in this block
        let line = SourceFile::of(Span::call_site()).and_then(|file| file.line_of_method(hook));
        let line = line.map(|line| format!(" on line {line}")).unwrap_or_default();
        diagnostics.add(ty, catalogue::hook_in_another_block(hook, line, attribute, readable(ty)));
    }
    let mut of_traits = block.others.of_traits.iter().filter(|(method, _)| hooks.contains(&method.as_str()));
    if let Some((hook, name)) = of_traits.find(|(hook, _)| is_of_lightning_alone(hook) && !block.has(hook)) {
        diagnostics.add(ty, catalogue::hook_of_a_trait(hook, name, readable(ty)));
    }
}

/// Whether the name of a hook is one that no other trait has by chance.
fn is_of_lightning_alone(hook: &str) -> bool {
    hook.starts_with("on_")
        || ["configure_callbacks", "configure_optimizers"].contains(&hook)
        || hook.ends_with("_dataloader")
}

/// The attribute sees the block before the macros in it are expanded: hooks that they write would never be called.
pub(crate) fn macro_calls(block: &Block, diagnostics: &mut Diagnostics) {
    for item in &block.item.items {
        let BlockItem::MacroCall(call) = item else { continue };
        if !call.conditions.is_marked {
            let path = &call.call.mac.path;
            let name = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            let diagnostic = catalogue::macro_call(block.role.attribute(), name);
            diagnostics.of_method(&call.conditions, |diagnostics| diagnostics.add(path, diagnostic));
        }
    }
}

/// Rejects `#[rank_zero_only]` and removes it, as rustc would not know it.
pub(crate) fn attributes_of_python(block: &mut Block, diagnostics: &mut Diagnostics) {
    const NAME: &str = "rank_zero_only";
    for attributes in block.item.items.iter_mut().filter_map(BlockItem::attributes_mut) {
        attributes.retain(|attribute| {
            let is_it = attribute.path().segments.last().is_some_and(|last| last.ident == NAME);
            if is_it {
                let instead = "write `if ctx.is_global_zero() { … }` in the body";
                diagnostics.add(attribute, catalogue::attribute_of_python(NAME, instead));
            }
            !is_it
        });
    }
}

/// `#[not_a_hook]` has no arguments, which would be ignored.
pub(crate) fn marker_arguments(block: &Block, diagnostics: &mut Diagnostics) {
    let attributes = block.item.items.iter().flat_map(BlockItem::attributes);
    for marker in attributes.filter(|attribute| attributes::is_marker_with_arguments(attribute)) {
        diagnostics.add(marker, catalogue::marker_arguments());
    }
}

/// The names that a misspelled name can be meant as.
struct Known {
    names: Vec<&'static str>,
    canonical: Vec<String>,
    /// Returns the attributes whose blocks have a hook of this name, if those of this role do not.
    of_others: HashMap<&'static str, &'static str>,
}

impl Known {
    fn of(role: Role) -> Self {
        let hooks = |role: Role| role.traits().flat_map(HookTrait::hooks).map(Hook::name);
        // not a hook, but read in the same way
        let defaults = (role == Role::Module).then_some(TRAINER_DEFAULTS);
        let names: Vec<&str> = role.traits().flat_map(HookTrait::methods).map(Hook::name).chain(defaults).collect();
        let canonical = names.iter().map(|name| canonical(name)).collect();
        let mut of_others = HashMap::new();
        for other in [Role::Module, Role::DataModule, Role::Callback] {
            for name in hooks(other) {
                of_others.entry(name).or_insert(other.attribute());
            }
        }
        of_others.insert(TRAINER_DEFAULTS, Role::Module.attribute());
        for name in hooks(role).chain(defaults) {
            of_others.remove(name);
        }
        Self { names, canonical, of_others }
    }

    /// Returns the known name that is most similar to `name`.
    fn guess(&self, name: &str) -> Option<&'static str> {
        if ORDINARY.contains(&name) {
            return None;
        }
        if name.contains(char::is_uppercase) {
            return self
                .names
                .iter()
                .find(|known| **known == snake_case(name))
                .copied()
                .or_else(|| self.guess(&snake_case(name)));
        }
        let meant = canonical(name);
        let same = self.canonical.iter().position(|known| *known == meant);
        same.map(|index| self.names[index]).or_else(|| self.nearest(name))
    }

    /// Returns the known name that `name` is a misspelling of, by the rule of [`edits`].
    fn nearest(&self, name: &str) -> Option<&'static str> {
        let length = name.chars().count();
        let near = self.names.iter().filter_map(|known| {
            let tolerated = edits(name, known);
            let may_be = known.len().abs_diff(length) <= tolerated && can_be_near(name, known, tolerated);
            let distance = if may_be { strsim::damerau_levenshtein(name, known) } else { return None };
            (distance <= tolerated && !has_another_short_word(name, known)).then_some((distance, *known))
        });
        near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
    }
}

/// The rule: how many letters of a hook's name may be missing, added, replaced or swapped in a method's name that is still taken for the
/// hook's.
///
/// Two, and in a name of five to seven letters, such as `setup`, one: `step` is two letters away from it. A method whose name starts with `on_` is a
/// mistake in any case, so more letters only decide which hook is suggested. Shorter names, such as a callback's `name`, are words of
/// their own.
fn edits(name: &str, known: &str) -> usize {
    match known.len() {
        ..5 => 0,
        5..8 => 1,
        _ if name.starts_with("on_") => 3 + name.len() / 12,
        _ => 2,
    }
}

/// Whether a short word was replaced by another one, whose first and last letters are others: `test_iter` is not `test_step` misspelled.
fn has_another_short_word(name: &str, known: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (name.split('_').collect(), known.split('_').collect());
    let ends = |word: &str| (word.chars().next(), word.chars().last());
    let is_another = |(one, other): (&&str, &&str)| {
        let (one_ends, other_ends) = (ends(one), ends(other));
        let is_short = one.len().max(other.len()) <= 4;
        let have_other_ends = one_ends.0 != other_ends.0 && one_ends.1 != other_ends.1;
        is_short && have_other_ends && strsim::damerau_levenshtein(one, other) > 1
    };
    !name.starts_with("on_") && one.len() == other.len() && one.iter().zip(&other).any(is_another)
}

/// What a module may do by a method of its own, though a hook is called `on_…` that.
const ORDINARY: [&str; 2] = ["load_checkpoint", "save_checkpoint"];

/// Returns whether the Damerau-Levenshtein distance of two names can be this small, which is faster than computing it: an
/// edit removes at most one letter and adds at most one.
fn can_be_near(one: &str, other: &str, distance: usize) -> bool {
    let letters = letters(one).into_iter().zip(letters(other)).map(|(one, other)| one.abs_diff(other));
    letters.sum::<usize>() <= 2 * distance
}

/// How often each letter occurs.
fn letters(name: &str) -> [usize; 26] {
    let mut letters = [0; 26];
    for letter in name.bytes().filter(u8::is_ascii_lowercase) {
        letters[usize::from(letter - b'a')] += 1;
    }
    letters
}

/// `on_train_epoch_end` for `onTrainEpochEnd`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A name without what people write differently: the forms of a stage's name, `on_`, and where a word ends.
pub(super) fn canonical(name: &str) -> String {
    let words = name.strip_prefix("on_").unwrap_or(name).split('_');
    words
        .map(|word| match word {
            "training" => "train",
            "valid" | "validation" => "val",
            "testing" => "test",
            "pred" | "prediction" => "predict",
            "begin" => "start",
            "finish" => "end",
            "gradient" | "gradients" | "grads" => "grad",
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(name: &str) -> Option<&'static str> {
        Known::of(Role::Module).guess(name)
    }

    #[test]
    fn misspelled_hooks_are_guessed() {
        for (written, meant) in [
            ("trainning_step", "training_step"),
            ("configure_optimizer", "configure_optimizers"),
            ("on_train_epoch_strat", "on_train_epoch_start"),
            ("on_train_epoch_ended", "on_train_epoch_end"),
            ("backwards", "backward"),
            ("validaton_step", "validation_step"),
            ("traning_step", "training_step"),
            ("configure_optimiser", "configure_optimizers"),
        ] {
            assert_eq!(guessed(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn stages_with_other_names_are_guessed() {
        for (written, meant) in [
            ("train_step", "training_step"),
            ("val_step", "validation_step"),
            ("prediction_step", "predict_step"),
            ("on_val_epoch_end", "on_validation_epoch_end"),
            ("validation_dataloader", "val_dataloader"),
            ("train_epoch_begin", "on_train_epoch_start"),
            ("on_before_zero_gradients", "on_before_zero_grad"),
            ("set_up", "setup"),
            ("onTrainEpochEnd", "on_train_epoch_end"),
            ("TrainingStep", "training_step"),
        ] {
            assert_eq!(guessed(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn ordinary_methods_are_not_changed() {
        for name in [
            "forward",
            "loss",
            "accuracy",
            "step",
            "load_checkpoint",
            "shared_step",
            "evaluation_step",
            "name",
            "reset",
            "test_data",
        ] {
            assert_eq!(guessed(name), None, "{name}");
        }
    }

    const ROLES: [Role; 3] = [Role::Module, Role::DataModule, Role::Callback];

    /// Every change of one letter: one that is missing, doubled, swapped with the next, or replaced.
    fn misspelled(name: &str) -> Vec<String> {
        let letters: Vec<char> = name.chars().collect();
        let mut all = Vec::new();
        for at in 0..letters.len() {
            let mut change = |change: &dyn Fn(&mut Vec<char>)| {
                let mut letters = letters.clone();
                change(&mut letters);
                all.push(letters.into_iter().collect());
            };
            change(&|letters| {
                letters.remove(at);
            });
            change(&|letters| letters.insert(at, letters[at]));
            change(&|letters| letters[at] = if letters[at] == 'r' { 't' } else { 'r' });
            if at + 1 < letters.len() {
                change(&|letters| letters.swap(at, at + 1));
            }
        }
        all.retain(|other| other != name);
        all
    }

    /// How many of the names are not noticed, and how many names there are.
    fn unnoticed(letters: usize) -> (usize, usize) {
        let known = Known::of(Role::Module);
        let hooks = Role::Module.traits().flat_map(HookTrait::methods).map(Hook::name);
        let names = hooks.flat_map(|hook| {
            let once = misspelled(hook);
            match letters {
                1 => once,
                // a part of the many
                _ => once.iter().step_by(7).flat_map(|name| misspelled(name)).step_by(5).collect(),
            }
        });
        let names: Vec<String> = names.filter(|name| !known.names.contains(&name.as_str())).collect();
        let unnoticed = names.iter().filter(|name| !name.starts_with("on_") && known.guess(name).is_none()).count();
        (unnoticed, names.len())
    }

    #[test]
    fn misspellings_of_up_to_two_letters_are_noticed() {
        assert_eq!(unnoticed(1), (0, 4367));
        assert_eq!(unnoticed(2), (57, 9626));
    }

    /// Methods of five projects, those within four letters of a hook's name: see the file.
    #[test]
    fn ordinary_names_of_five_projects_cause_no_alarm() {
        let file = include_str!("ordinary_names.txt");
        let names: Vec<&str> =
            file.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
        for role in ROLES {
            let known = Known::of(role);
            let alarms: Vec<_> = names
                .iter()
                .filter(|name| !known.names.contains(name))
                .filter_map(|name| Some((name, known.guess(name)?)))
                .collect();
            // Keras's name of the hook
            let expected = if role == Role::Module { &[(&"train_step", "training_step")][..] } else { &[] };
            assert_eq!(alarms, expected, "{} of {} names", alarms.len(), names.len());
        }
    }

    #[test]
    fn suggestions_are_similar_names() {
        let known = Known::of(Role::Module).names;
        for name in ["forward", "stpe", "on_fit_strat", "trainning_step", "on_épocas_end", ""].iter().chain(&known) {
            for other in &known {
                let distance = strsim::damerau_levenshtein(name, other);
                assert!(can_be_near(name, other, distance), "{name} and {other}: {distance}");
            }
        }
        assert!(!can_be_near("helper_12", "on_fit_end", 1));
    }

    #[test]
    fn hooks_of_others_are_known() {
        let owner = |role, name| Known::of(role).of_others.get(name).copied();
        assert_eq!(owner(Role::DataModule, "on_fit_start"), Some("lightning_module"));
        assert_eq!(owner(Role::Module, "on_sanity_check_start"), Some("lightning_callback"));
        assert_eq!(owner(Role::DataModule, "setup"), None);
        // a question to a callback, not a hook
        assert_eq!(owner(Role::Module, "name"), None);
    }
}
