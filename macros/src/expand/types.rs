//! The associated types: the batch, and what each step returns; and the tensors of a prediction.

use super::conditions::first_of;
use super::quiet;
use crate::hooks::{self, Role};
use crate::model::{Block, DecidedBatch, Written};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Type, parse_quote};

const PREDICT_STEP: &str = "predict_step";

pub(super) fn associated(block: &Block, batches: &[DecidedBatch<'_>], private: &TokenStream) -> TokenStream {
    let generics = block.generics();
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    let batches = batches.iter().map(|decided| (decided.hook.method.condition(), decided.batch.clone()));
    let batch = associated_type("Batch", batches);
    let quiet = quiet(&block.item.head.attrs);
    let batched = quote! {
        #quiet
        impl #generics #private::Batched for #name #bounds {
            #batch
        }
    };
    if block.role == Role::DataModule {
        return batched;
    }
    let outputs = hooks::steps().map(|(hook, step)| {
        // what it most likely is, in place of a type that cannot be named: a reported mistake brings no other in the hooks that take it
        let most_likely = || parse_quote!(#private::Tensor);
        let written = |step: &Written| step.step_output().unwrap_or_else(most_likely);
        let values = block.written(hook.name()).map(|step| (step.method.condition(), written(step)));
        let unread = block.unread_step_output(hook.name()).map(|output| (None, output));
        associated_type(step.output, values.chain(unread))
    });
    let prediction_tensors = block.written(PREDICT_STEP).next().map(|_| {
        quote! {
            fn prediction_tensors(prediction: &Self::Prediction) -> #private::Option<#private::Vec<#private::Tensor>> {
                #[allow(unused_imports)] // it is used where the prediction is not a batch
                use #private::NoTensors as _;
                #private::PredictionTensors(prediction).tensors()
            }
        }
    });
    quote! {
        #batched
        #quiet
        impl #generics #private::StepOutputs for #name #bounds {
            #(#outputs)*
            #prediction_tensors
        }
    }
}

/// The associated type, each form with its own `#[cfg]`, and `()` where there is none.
fn associated_type(name: &str, types: impl Iterator<Item = (Option<TokenStream>, Type)>) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    let types = first_of(types, parse_quote!(())).into_iter();
    // if the type is private, the error is at it
    types.map(|(condition, ty)| quote_spanned!(ty.span()=> #condition type #name = #ty;)).collect()
}
