//! The associated types: the batch, and what each step returns.

use crate::hooks::Role;
use crate::model::{Block, Written};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

pub(crate) fn associated(block: &Block, root: &TokenStream) -> TokenStream {
    let generics = block.generics();
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    let batch = block.batch();
    let batched = quote! {
        #[automatically_derived]
        impl #generics #root::__private::Batched for #name #bounds {
            type Batch = #batch;
        }
    };
    if block.role == Role::DataModule {
        return batched;
    }
    let outputs = [
        ("TrainingOutput", "training_step"),
        ("ValidationOutput", "validation_step"),
        ("TestOutput", "test_step"),
        ("Prediction", "predict_step"),
    ];
    let outputs = outputs.map(|(name, step)| output(block, name, step));
    quote! {
        #batched
        #[automatically_derived]
        impl #generics #root::__private::StepOutputs for #name #bounds {
            #(#outputs)*
        }
    }
}

/// What a step returns, `()` where it is not written, each under the step's own `#[cfg]`.
fn output(block: &Block, name: &str, step: &str) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    let written: Vec<&Written> = block.written(step).collect();
    let conditions: Vec<TokenStream> = written.iter().filter_map(|step| step.method.condition()).collect();
    let outputs = written.iter().map(|step| {
        let (condition, output) = (super::condition(&step.method), step.step_output());
        quote!(#condition type #name = #output;)
    });
    let otherwise = match (written.is_empty(), conditions.len() == written.len()) {
        (true, _) => quote!(type #name = ();),
        (false, true) => quote!(#[cfg(not(any(#(#conditions),*)))] type #name = ();),
        (false, false) => TokenStream::new(),
    };
    quote!(#(#outputs)* #otherwise)
}
