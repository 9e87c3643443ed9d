//! Methods that look like hooks and are not.

use super::foreign_hooks;
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::{Hook, HookTrait, Role};
use crate::model::Block;
use std::collections::HashMap;
use syn::ext::IdentExt;

/// A method whose name starts with `on_`, is that of a foreign hook, or is similar to a hook's, is an error unless it is marked.
pub(crate) fn unknown_methods(block: &Block, diagnostics: &mut Diagnostics) {
    let known = Known::of(block.role);
    let attribute = block.role.attribute();
    for (ident, conditions) in block.other_methods() {
        let name = &ident.unraw().to_string();
        let diagnostic = if let Some(owner) = known.of_others.get(name.as_str()) {
            Some(catalogue::hook_of_another(name, format!("#[{owner}]"), attribute))
        } else if let Some(replaced) = foreign_hooks::replaced(name, block, &known.names) {
            Some(replaced)
        } else if let Some(hook) = known.guess(name) {
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
        let names: Vec<&str> = role.traits().flat_map(HookTrait::methods).map(Hook::name).collect();
        let canonical = names.iter().map(|name| canonical(name)).collect();
        let mut of_others = HashMap::new();
        for other in [Role::Module, Role::DataModule, Role::Callback] {
            for name in hooks(other) {
                of_others.entry(name).or_insert(other.attribute());
            }
        }
        for name in hooks(role) {
            of_others.remove(name);
        }
        Self { names, canonical, of_others }
    }

    /// Returns the known name that is most similar to `name`.
    fn guess(&self, name: &str) -> Option<&'static str> {
        let meant = canonical(name);
        let same = self.canonical.iter().position(|known| *known == meant);
        same.map(|index| self.names[index]).or_else(|| self.nearest(name))
    }

    fn nearest(&self, name: &str) -> Option<&'static str> {
        // `evaluation_step` may well be an ordinary method; what starts with `on_` is a mistake in any case
        let tolerated = if name.starts_with("on_") { 3 } else { 1 } + name.len() / 12;
        let length = name.chars().count();
        let near = self.names.iter().filter(|known| {
            known.len() >= SHORTEST_GUESS
                && known.len().abs_diff(length) <= tolerated
                && can_be_near(name, known, tolerated)
        });
        let distances = near.map(|known| (strsim::damerau_levenshtein(name, known), *known));
        let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
        (distance <= tolerated).then_some(known)
    }
}

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

/// A name without what people write differently: the forms of a stage's name, `on_`, and where a word ends.
fn canonical(name: &str) -> String {
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

/// Names shorter than this are too near to each other for a guess.
const SHORTEST_GUESS: usize = 8;

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
        ] {
            assert_eq!(guessed(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn ordinary_methods_are_not_changed() {
        for name in
            ["forward", "loss", "accuracy", "step", "shared_step", "evaluation_step", "name", "reset", "test_data"]
        {
            assert_eq!(guessed(name), None, "{name}");
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
