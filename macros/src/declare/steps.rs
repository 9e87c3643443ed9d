//! The return types of the steps.

use crate::hooks;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// Returns the trait with an associated type for each step.
pub(crate) fn outputs() -> TokenStream {
    let outputs = hooks::steps().map(|(hook, step)| {
        let about = format!(" The return type of `{}`.", hook.name());
        let name = format_ident!("{}", step.output);
        let bound = if step.has_loss { quote!(TrainingOutput) } else { quote!('static) };
        quote!(#[doc = #about] type #name: #bound;)
    });
    quote! {
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
