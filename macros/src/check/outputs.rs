//! The parameter `outputs` of a module's hooks, which is what a step returned.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::{self, Step};
use crate::model::{Block, Written};
use crate::types::{self, last_name};
use syn::Type;

/// Rejects the `outputs` of a step that returns nothing. Of a training step under automatic optimization, the missing loss is reported.
pub(super) fn of_nothing(block: &mut Block, diagnostics: &mut Diagnostics) {
    let is_automatic = block.arguments.automatic_optimization;
    for (hook, step) in hooks::steps().filter(|(_, step)| !(step.has_loss && is_automatic)) {
        let Some(first) = block.written(hook.name()).next() else { continue };
        if !block.written(hook.name()).all(Written::returns_nothing) {
            continue;
        }
        let is_fallible = first.method.returns_result();
        for written in block.hooks.iter_mut().filter(|hook| !hook.faulty && hook.takes_output_of(step)) {
            let arguments = written.method.arguments();
            let outputs = arguments.iter().find(|argument| argument.name == "outputs").map(|outputs| outputs.ty);
            let Some(outputs) = outputs.filter(|outputs| types::is_something(types::without_reference(outputs))) else {
                continue;
            };
            let value = value(step, types::without_reference(outputs));
            let form = if is_fallible { format!("-> Result<{value}>") } else { format!("-> {value}") };
            let diagnostic = catalogue::outputs_of_nothing(written.declared.name(), hook.name(), form);
            diagnostics.of_method(&written.method.conditions, |diagnostics| diagnostics.add(outputs, diagnostic));
            written.faulty = true;
        }
    }
}

/// The type of the value that the step may return for a hook that takes this type.
fn value(step: Step, outputs: &Type) -> String {
    if step.has_loss && !["Option", "Tensor"].contains(&last_name(outputs).as_str()) {
        return "Tensor".to_owned();
    }
    types::readable(types::meant_batch(outputs).as_ref().unwrap_or(outputs))
}

/// Marks the hooks that take what a step returns, where a mistake in its return type is reported at the step.
pub(super) fn without_type(block: &mut Block) {
    let is_automatic = block.arguments.automatic_optimization;
    for (hook, step) in hooks::steps() {
        let is_reported = |written: &Written| {
            let lacks_loss = step.has_loss && is_automatic && written.returns_nothing();
            lacks_loss || (written.faulty && types::has_impl(&written.method.output()))
        };
        if block.written(hook.name()).any(is_reported) {
            block.hooks.iter_mut().filter(|hook| hook.takes_output_of(step)).for_each(|hook| hook.faulty = true);
        }
    }
}
