//! Methods that look like hooks and are none.

use super::elsewhere;
use crate::catalogue;
use crate::hooks::{HookTrait, Role};
use crate::mistakes::Mistakes;
use crate::model::Block;
use syn::ext::IdentExt;

/// A method that starts with `on_`, has the name of somebody else's hook or nearly that of an own one, is a mistake unless
/// it is marked.
pub(crate) fn unknown_methods(block: &Block, mistakes: &mut Mistakes) {
    let known = hook_names(&block.traits);
    let attribute = block.role.attribute();
    for method in block.other_methods() {
        let name = method.sig.ident.unraw().to_string();
        let mistake = if let Some(owner) = other_owner(&name, block.role) {
            Some(catalogue::hook_of_another(&name, owner, attribute))
        } else if let Some(replaced) = elsewhere::replaced(method, &name, block, &known) {
            Some(replaced)
        } else if let Some(hook) = guess(&name, &known) {
            Some(catalogue::misspelled_hook(&name, attribute, hook))
        } else if name.starts_with("on_") {
            Some(catalogue::no_hook(&name, attribute))
        } else {
            None
        };
        if let Some(mistake) = mistake {
            mistakes.add(&method.sig.ident, mistake);
        }
    }
}

fn hook_names(traits: &[HookTrait]) -> Vec<String> {
    traits.iter().flat_map(HookTrait::methods).map(|hook| hook.name().to_string()).collect()
}

/// The attribute for the hook of this name, where a block of this role has no such hook.
fn other_owner(name: &str, role: Role) -> Option<String> {
    let has = |role: &Role| role.traits().iter().any(|one| one.hooks().any(|hook| *hook.name() == name));
    if has(&role) {
        return None;
    }
    let owner = [Role::Module, Role::DataModule, Role::Callback].into_iter().find(has)?;
    Some(format!("#[{}]", owner.attribute()))
}

/// The known name that `name` was most likely meant to be.
fn guess<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let same = |candidate: &&String| canonical(candidate) == canonical(name);
    known.iter().find(same).or_else(|| nearest(name, known))
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

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let distance = |candidate: &&String| strsim::damerau_levenshtein(name, candidate);
    let candidate = known.iter().filter(|candidate| candidate.len() >= SHORTEST_GUESS).min_by_key(distance)?;
    // `evaluation_step` may well be an ordinary method; what starts with `on_` is a mistake in any case
    let tolerated = if name.starts_with("on_") { 3 } else { 1 } + name.len() / 12;
    (distance(&candidate) <= tolerated).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(name: &str) -> Option<String> {
        guess(name, &hook_names(&Role::Module.traits())).cloned()
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
            assert_eq!(guessed(written).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn other_names_of_a_stage_are_guessed() {
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
            assert_eq!(guessed(written).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn ordinary_methods_are_left_alone() {
        for name in
            ["forward", "loss", "accuracy", "step", "shared_step", "evaluation_step", "name", "reset", "test_data"]
        {
            assert_eq!(guessed(name), None, "{name}");
        }
    }

    #[test]
    fn hooks_of_others_are_known() {
        assert_eq!(other_owner("on_fit_start", Role::DataModule).as_deref(), Some("#[lightning_module]"));
        assert_eq!(other_owner("on_sanity_check_start", Role::Module).as_deref(), Some("#[lightning_callback]"));
        assert_eq!(other_owner("setup", Role::DataModule), None);
        // a question to a callback, not a hook
        assert_eq!(other_owner("name", Role::Module), None);
    }
}
