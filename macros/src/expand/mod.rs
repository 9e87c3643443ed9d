//! Writes what a block leaves unsaid.

mod forward;
mod paths;
mod program;
mod types;

use crate::hooks::Role;
use crate::mistakes::Mistakes;
use crate::model::{Block, MARKER};
use crate::{check, parse};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ImplItem, ItemImpl};

pub(crate) use paths::crate_root;

/// `#[lightning_module]` and `#[lightning_datamodule]`: the block as it stands, what follows from it, and its mistakes.
pub(crate) fn attribute(role: Role, arguments: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let Some(item) = parse::block(role, &arguments, &tokens, &mut mistakes) else {
        let errors = mistakes.into_compile_errors();
        return quote!(#tokens #errors);
    };
    let mut block = Block::new(role, item);
    check::block(&mut block, &mut mistakes);
    let written = without_markers(block.item.clone());
    let generated = generated(&block, &crate_root());
    let errors = mistakes.into_compile_errors();
    quote!(#written #generated #errors)
}

/// Everything that is written beside the block. `root` is the path of the runtime crate.
pub(crate) fn generated(block: &Block, root: &TokenStream) -> TokenStream {
    let types = types::associated(block, root);
    let forwards: TokenStream = block.traits.iter().map(|one| forward::implementation(block, one, root)).collect();
    let program = program::inherent(block, root);
    let constructor = program::constructor(block, root);
    quote!(#types #forwards #program #constructor)
}

fn without_markers(mut item: ItemImpl) -> TokenStream {
    for method in &mut item.items {
        if let ImplItem::Fn(method) = method {
            method.attrs.retain(|attribute| !attribute.path().is_ident(MARKER));
        }
    }
    item.into_token_stream()
}
