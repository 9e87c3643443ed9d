//! Methods that do the work of a hook under a name of their own, such as `val_loader` for `val_dataloader`.
//!
//! The names are ordinary words. So a method only counts if the block does not have the hook, and its signature is that of the hook.

use super::names::canonical;
use crate::hooks::{self, Role};
use crate::model::Block;
use crate::parse::Method;
use crate::types;
use quote::ToTokens;

/// The words of a method that evaluates a batch.
const EVALUATION: [&str; 4] = ["eval", "evaluate", "evaluation", "validate"];

/// The names of the algorithms and of what holds them, as return types have them.
pub(super) const OPTIMIZERS: [&str; 15] = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lbfgs",
    "Lion",
    "Muon",
    "NAdam",
    "ParameterGroups",
    "RAdam",
    "RmsProp",
    "ScheduledOptimizer",
    "Sgd",
];

/// Returns the hook whose work the method does; `None` if the block has that hook, or the method may have another purpose.
pub(super) fn hook_of(block: &Block, method: &Method) -> Option<&'static str> {
    let meant = if is_without_parameters(method) { answer(block.role, method)? } else { step(block.role, method)? };
    block.written(meant).next().is_none().then_some(meant)
}

/// The hook of a method that returns loaders, optimizers or callbacks.
fn answer(role: Role, method: &Method) -> Option<&'static str> {
    let returned = method.returned().to_token_stream().to_string();
    let mentions = |names: &[&str]| returned.split(' ').any(|word| names.contains(&word));
    let words: Vec<&str> = method.name.split('_').collect();
    // a module may have loaders for a run's `Loaders`
    if role == Role::DataModule && mentions(&["DataLoader", "DataLoaders"]) {
        let loaders = hooks::steps().map(|(_, step)| step.loader);
        let stage = |loader: &str| canonical(loader.split('_').next().unwrap_or_default());
        return loaders.into_iter().find(|loader| words.iter().any(|word| canonical(word) == stage(loader)));
    }
    let is_called = |subject: &str| words.iter().any(|word| word.trim_end_matches('s') == subject);
    match role {
        Role::Module if is_called("optimizer") && (mentions(&OPTIMIZERS) || mentions(&["Optimizers"])) => {
            Some("configure_optimizers")
        }
        Role::Module if is_called("callback") && mentions(&["ModelCheckpoint", "EarlyStopping", "Callback"]) => {
            Some("configure_callbacks")
        }
        _ => None,
    }
}

/// The step that a method with a batch is.
fn step(role: Role, method: &Method) -> Option<&'static str> {
    let words: Vec<&str> = method.name.split('_').collect();
    let takes_a_batch = method.arguments().iter().any(|argument| argument.name == "batch");
    if role != Role::Module || !takes_a_batch || words.last() != Some(&"step") {
        return None;
    }
    match words.as_slice() {
        ["fit", _] => Some("training_step"),
        [word, _] if EVALUATION.contains(word) => Some("validation_step"),
        _ => None,
    }
}

fn is_without_parameters(method: &Method) -> bool {
    method.sig.receiver().is_some() && method.sig.inputs.len() == 1 && !types::has_impl(&method.returned())
}
