//! The return types of the steps.

use crate::hooks::{self, Step};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// Returns the trait with an associated type for each step, and a trait for each of them, by which the compiler names the step whose type
/// is not that of a callback's `outputs`.
pub(crate) fn outputs() -> TokenStream {
    let outputs = hooks::steps().map(|(hook, step)| {
        let about = format!(" The return type of `{}`.", hook.name());
        let name = format_ident!("{}", step.output);
        let bound = if step.has_loss { quote!(TrainingOutput) } else { quote!('static) };
        quote!(#[doc = #about] type #name: #bound;)
    });
    let bounds = hooks::steps().map(|(hook, step)| {
        let (step, name, output) = (hook.name(), bound(step), format_ident!("{}", step.output));
        let about = format!(" A module whose `{step}` returns this type.");
        let message = format!("`{step}` of `{{Self}}` does not return `{{Output}}` [TL0606]");
        let label =
            format!("a hook of this callback takes `outputs: &{{Output}}`: return it in `{step}`, or change the hook");
        quote! {
            #[doc = #about]
            #[diagnostic::on_unimplemented(message = #message, label = #label)]
            pub trait #name<Output>: StepOutputs<#output = Output> {}

            #[diagnostic::do_not_recommend]
            impl<M: StepOutputs<#output = Output>, Output> #name<Output> for M {}
        }
    });
    quote! {
        #(#bounds)*

        /// The return types of a module's steps; `()` for a step that is not defined.
        pub trait StepOutputs: Batched {
            #(#outputs)*

            /// Returns the tensors of a prediction, for `Trainer::to_torchscript`; `None` if its type is not a tree of tensors.
            #[doc(hidden)]
            fn prediction_tensors(_prediction: &Self::Prediction) -> Option<Vec<Tensor>> {
                None
            }
        }
    }
}

/// The name of the trait of modules whose step returns a type.
pub(crate) fn bound(step: Step) -> Ident {
    format_ident!("Has{}", step.output)
}
