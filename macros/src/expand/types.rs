//! The associated types: the batch, and what each step returns.

use crate::hooks::Role;
use crate::model::Block;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn associated(block: &Block, root: &TokenStream) -> TokenStream {
    let (generics, _, bounds) = block.item.generics.split_for_impl();
    let name = &block.item.self_ty;
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
    let [training, validation, test, prediction] =
        ["training_step", "validation_step", "test_step", "predict_step"].map(|step| block.output(step));
    quote! {
        #batched
        #[automatically_derived]
        impl #generics #root::__private::StepOutputs for #name #bounds {
            type TrainingOutput = #training;
            type ValidationOutput = #validation;
            type TestOutput = #test;
            type Prediction = #prediction;
        }
    }
}
