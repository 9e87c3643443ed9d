//! Hooks of other frameworks and of older versions of Lightning, with their replacements.
//!
//! Lightning's are those of its [upgrade guide](https://lightning.ai/docs/pytorch/stable/upgrade/migration_guide.html).

use crate::catalogue::{self, Diagnostic};
use crate::hooks::Role;
use crate::model::Block;

/// A hook, and what to do instead.
type Replaced = (&'static str, &'static str);

const OLDER_LIGHTNING: [Replaced; 33] = [
    ("training_epoch_end", "write `on_train_epoch_end`, and keep what the steps returned in a field"),
    ("validation_epoch_end", "write `on_validation_epoch_end`, and keep what the steps returned in a field"),
    ("test_epoch_end", "write `on_test_epoch_end`, and keep what the steps returned in a field"),
    ("training_end", "write `on_train_batch_end`"),
    ("validation_end", "write `on_validation_epoch_end`"),
    ("test_end", "write `on_test_epoch_end`"),
    ("training_step_end", "write `on_train_batch_end`"),
    ("validation_step_end", "write `on_validation_batch_end`"),
    ("test_step_end", "write `on_test_batch_end`"),
    ("on_epoch_start", "write `on_train_epoch_start`, `on_validation_epoch_start` or `on_test_epoch_start`"),
    ("on_epoch_end", "write `on_train_epoch_end`, `on_validation_epoch_end` or `on_test_epoch_end`"),
    ("on_batch_start", "write `on_train_batch_start`"),
    ("on_batch_end", "write `on_train_batch_end`"),
    ("on_pretrain_routine_start", "write `on_fit_start`"),
    ("on_pretrain_routine_end", "write `on_fit_start`"),
    ("on_init_start", "write `on_train_start`"),
    ("on_init_end", "write `on_train_start`"),
    ("on_before_accelerator_backend_setup", "write `setup`"),
    ("on_configure_sharded_model", "write `setup`"),
    ("on_keyboard_interrupt", "write `on_exception`"),
    ("on_train_dataloader", "write `train_dataloader`"),
    ("on_val_dataloader", "write `val_dataloader`"),
    ("on_test_dataloader", "write `test_dataloader`"),
    ("on_predict_dataloader", "write `predict_dataloader`"),
    ("tng_dataloader", "write `train_dataloader`"),
    ("on_hpc_save", "write `on_save_checkpoint`"),
    ("on_hpc_load", "write `on_load_checkpoint`"),
    ("on_load", "write `on_load_checkpoint`"),
    ("on_save", "write `on_save_checkpoint`"),
    ("optimizer_zero_gradients", "write `optimizer_zero_grad`"),
    ("on_zero_grad", "write `on_before_zero_grad` or `optimizer_zero_grad`"),
    ("get_progress_bar_dict", "log with `ctx.log(…).prog_bar()`, in `training_step`"),
    ("tbptt_split_batch", "split the batch in `training_step`"),
];

const KERAS: [Replaced; 9] = [
    ("train_step", "write `training_step`"),
    ("on_epoch_begin", "write `on_train_epoch_start`"),
    ("on_batch_begin", "write `on_train_batch_start`"),
    ("on_train_begin", "write `on_train_start`"),
    ("on_train_batch_begin", "write `on_train_batch_start`"),
    ("on_test_begin", "write `on_validation_start` or `on_test_start`"),
    ("on_test_batch_begin", "write `on_validation_batch_start` or `on_test_batch_start`"),
    ("on_predict_begin", "write `on_predict_start`"),
    ("on_predict_batch_begin", "write `on_predict_batch_start`"),
];

const TRANSFORMERS: [Replaced; 5] = [
    ("on_step_begin", "write `on_train_batch_start`"),
    ("on_step_end", "write `on_train_batch_end`"),
    ("on_substep_end", "write `on_train_batch_end`"),
    ("on_pre_optimizer_step", "write `on_before_optimizer_step`"),
    ("on_evaluate", "write `on_validation_end`"),
];

const FASTAI: [Replaced; 16] = [
    ("before_fit", "write `on_fit_start`"),
    ("after_fit", "write `on_fit_end`"),
    ("before_epoch", "write `on_train_epoch_start`"),
    ("after_epoch", "write `on_train_epoch_end`"),
    ("before_train", "write `on_train_epoch_start`"),
    ("after_train", "write `on_train_epoch_end`"),
    ("before_train_epoch", "write `on_train_epoch_start`"),
    ("after_train_epoch", "write `on_train_epoch_end`"),
    ("before_validate", "write `on_validation_epoch_start`"),
    ("after_validate", "write `on_validation_epoch_end`"),
    ("before_validation_epoch", "write `on_validation_epoch_start`"),
    ("after_validation_epoch", "write `on_validation_epoch_end`"),
    ("before_backward", "write `on_before_backward`"),
    ("after_backward", "write `on_after_backward`"),
    ("before_batch", "write `on_train_batch_start`"),
    ("after_batch", "write `on_train_batch_end`"),
];

const BURN: [Replaced; 1] = [("step", "write `training_step` or `validation_step`")];

/// Returns the error for a method with the name of such a hook, and the hook that replaces it, if it is only one; `None` if a block of this
/// role has no replacement.
pub(super) fn replaced(
    name: &str,
    block: &Block,
    known: &[&'static str],
) -> Option<(Diagnostic, Option<&'static str>)> {
    let find = |hooks: &[Replaced]| {
        let (_, instead) = hooks.iter().find(|(replaced, _)| *replaced == name)?;
        instead.split('`').any(|word| known.contains(&word)).then_some(*instead)
    };
    // of another signature, where more is to do than to rename it
    let only = |instead: &str| {
        let renamed = instead.strip_prefix("write `")?.strip_suffix('`')?;
        known.iter().copied().find(|hook| *hook == renamed)
    };
    if let Some(instead) = find(&OLDER_LIGHTNING) {
        return Some((catalogue::older_hook(name, instead), only(instead)));
    }
    let burn: &[Replaced] = if is_burns_step(name, block) { &BURN } else { &[] };
    [("Keras", &KERAS[..]), ("Transformers' trainer", &TRANSFORMERS), ("fastai", &FASTAI), ("burn", burn)]
        .into_iter()
        .find_map(|(framework, hooks)| {
            let instead = find(hooks)?;
            Some((catalogue::foreign_hook(name, framework, instead), only(instead)))
        })
}

/// `step` is an ordinary word: it is meant as a hook where it takes a batch and no other step does.
fn is_burns_step(name: &str, block: &Block) -> bool {
    if name != "step" {
        return false;
    }
    let takes_a_batch = block.methods(name).any(|method| {
        let mut arguments = method.arguments().into_iter();
        arguments.any(|argument| argument.name == "batch" || argument.name == "item")
    });
    block.role == Role::Module && takes_a_batch && block.hooks.iter().all(|hook| !hook.declared.is_step())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::{Hook, HookTrait};

    #[test]
    fn replacements_of_foreign_hooks_exist() {
        let hooks: Vec<&str> = HookTrait::all().flat_map(HookTrait::hooks).map(Hook::name).collect();
        let all = OLDER_LIGHTNING.iter().chain(&KERAS).chain(&TRANSFORMERS).chain(&FASTAI).chain(&BURN);
        for (name, instead) in all {
            assert!(!hooks.contains(name), "`{name}` is a hook of ours");
            let named: Vec<&str> = instead.split('`').skip(1).step_by(2).filter(|word| !word.contains('.')).collect();
            assert!(!named.is_empty() && named.iter().all(|named| hooks.contains(named)), "{instead}");
        }
    }
}
