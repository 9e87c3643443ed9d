//! Generates the implementations for a block.

mod batches;
mod callback;
mod capabilities;
mod conditions;
mod constructor;
mod editor;
mod faulty_hooks;
mod forward;
mod hook_docs;
mod lint_allows;
mod paths;
mod phases;
mod program;
mod types;

use crate::arguments::Arguments;
use crate::diagnostics::Diagnostics;
use crate::erase_lifetimes::erase_lifetimes;
use crate::hooks::Role;
use crate::model::Block;
use crate::source_file::SourceFile;
use crate::types::readable;
use crate::{catalogue, check, misplaced_role, parse, second_attribute};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Ident;

pub(crate) use lint_allows::{although_deprecated, quiet};
use paths::Names;
pub(crate) use paths::{VERSION, crate_root, private_module, private_module_name};

/// Expands an attribute to the block, the implementations for it, and its errors.
pub(crate) fn attribute(role: Role, arguments: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let read = Arguments::read(role, &arguments, &mut diagnostics);
    let unexpanded = |diagnostics: Diagnostics, tokens: TokenStream| {
        let errors = diagnostics.into_compile_errors();
        quote!(#tokens #errors)
    };
    let root = read.root.clone().unwrap_or_else(crate_root);
    let Some(item) = parse::block(role, &tokens, &mut diagnostics) else {
        let generated = parse::type_name(&tokens).and_then(|name| generated_for_type(role, &name, &root));
        return unexpanded(diagnostics, quote!(#tokens #generated));
    };
    if let Some(block) = second_attribute::reported(role, &arguments, &item, &root, &mut diagnostics) {
        return unexpanded(diagnostics, block);
    }
    let is_of_trait = item.head.trait_.is_some();
    let Some(item) = parse::block_of_type(role, item, &mut diagnostics) else {
        // rustc would reject a block of a type that is not the user's
        return unexpanded(diagnostics, if is_of_trait { tokens } else { TokenStream::new() });
    };
    let role = misplaced_role::meant(role, &item, &mut diagnostics);
    let mut block = Block::new(role, read, item);
    if block.has_unconstrained_parameter() {
        // rustc's error about it is the only one
        return unexpanded(diagnostics, block.item.into_token_stream());
    }
    let (public, private) = (quote!(#root::context::phase), private_module(&root));
    if let Some(others) = SourceFile::of(Span::call_site()).and_then(|file| file.other_blocks(&block, &tokens)) {
        if others.is_after_annotated {
            return second(block, diagnostics, &public, &private);
        }
        block.others = others;
    }
    check::block(&mut block, &mut diagnostics);
    let module = check::unannotated_module::reported(&block, &mut diagnostics);
    let module = module.map(|module| self::generated(&module, &private));
    let use_of_name = phases::use_of_name(&block);
    let generated = generated_beside(&mut block, &private);
    let unfinished = editor::is_expanding().then(|| editor::unfinished(&block));
    phases::fill(&mut block, &public, &private);
    hook_docs::document(&mut block);
    faulty_hooks::mend(&mut block);
    lint_allows::allow(&mut block);
    block.item.unmark();
    let written = block.item;
    let errors = diagnostics.into_compile_errors();
    quote!(#written #generated #module #unfinished #use_of_name #errors)
}

/// Expands an attribute under another name of it.
pub(crate) fn misnamed(role: Role, name: &str, arguments: TokenStream, block: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(syn::Error::new(Span::call_site(), catalogue::misnamed_attribute(name, role.attribute())));
    let (expanded, errors) = (attribute(role, arguments, block), diagnostics.into_compile_errors());
    quote!(#expanded #errors)
}

/// Expands a derive, which is not how a type gets a role, to its error.
pub(crate) fn derive(role: Role, derived: &str, tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let name = parse::type_name(&tokens);
    let shown = name.as_ref().map_or_else(|| "…".to_owned(), Ident::to_string);
    diagnostics.push(syn::Error::new(Span::call_site(), catalogue::derived_role(derived, role.attribute(), shown)));
    let generated = name.and_then(|name| generated_for_type(role, &name, &crate_root()));
    let errors = diagnostics.into_compile_errors();
    quote!(#generated #errors)
}

/// Returns the implementations for the block of a type that has the attribute in another place, so that this mistake causes one error.
fn generated_for_type(role: Role, name: &Ident, root: &TokenStream) -> Option<TokenStream> {
    let block = check::unannotated_module::of_type(role, name)?;
    Some(generated(&block, &private_module(root)))
}

/// Returns the second annotated block of a type, for which nothing is generated, with its error.
fn second(mut block: Block, mut diagnostics: Diagnostics, public: &TokenStream, private: &TokenStream) -> TokenStream {
    let (attribute, name) = (block.role.attribute(), readable(&block.item.head.self_ty));
    diagnostics.push(syn::Error::new(Span::call_site(), catalogue::second_block(attribute, name)));
    phases::fill(&mut block, public, private);
    block.item.unmark();
    let (written, errors) = (block.item, diagnostics.into_compile_errors());
    quote!(#[allow(dead_code)] #written #errors)
}

/// Returns the implementations for a block whose type may borrow.
fn generated_beside(block: &mut Block, private: &TokenStream) -> TokenStream {
    if !block.borrows() {
        return generated(block, private);
    }
    let written = block.item.clone();
    erase_lifetimes(block);
    let generated = generated(block, private);
    block.item = written;
    generated
}

/// Returns the implementations for the block. `private` is the path of the runtime's private module.
pub(crate) fn generated(block: &Block, private: &TokenStream) -> TokenStream {
    let batches = block.decided_batches();
    let names = Names::new(private, None, batches.first());
    let forwards: TokenStream = block.traits.iter().map(|one| forward::implementation(block, *one, &names)).collect();
    if block.role == Role::Callback {
        let batch_check = callback::batch_check(block, private);
        return quote!(#forwards #batch_check);
    }
    let types = types::associated(block, &batches, private);
    let capabilities = capabilities::markers(block, private);
    let program = program::inherent(block, private);
    let runs_by_itself = program::runs_by_itself(block, private);
    let constructors = constructor::implementations(block, private);
    let batch = block.underived_batch.as_ref().map(|name| stand_in_batch(name, private));
    let of_data = program::of_data(block, private);
    quote!(#types #forwards #capabilities #program #runs_by_itself #of_data #constructors #batch)
}

/// Returns an implementation of `Batch` for a struct without its derive, so that this mistake causes one error.
fn stand_in_batch(name: &Ident, private: &TokenStream) -> TokenStream {
    quote! {
        #[automatically_derived]
        #[allow(clippy::unimplemented)]
        impl #private::Batch for #name {
            fn map_tensors(
                self,
                _: &mut dyn ::core::ops::FnMut(#private::Tensor) -> ::core::result::Result<#private::Tensor, #private::TchError>,
            ) -> ::core::result::Result<Self, #private::TchError> {
                ::core::unimplemented!()
            }

            fn visit_tensors(&self, _: &mut dyn ::core::ops::FnMut(&#private::Tensor)) {}
        }
    }
}
