//! Writes what a block leaves unsaid.

mod batches;
mod callback;
mod conditions;
mod constructor;
mod dictated;
mod forward;
mod hover;
mod paths;
mod phases;
mod program;
mod repeated;
mod types;
mod verbs;

use crate::arguments::Arguments;
use crate::hooks::Role;
use crate::mistakes::Mistakes;
use crate::model::Block;
use crate::owned::make_owned;
use crate::{check, parse};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) use dictated::{although_deprecated, quiet};
use paths::Names;
pub(crate) use paths::crate_root;

/// `#[lightning_module]` and its like: the block as it stands, what follows from it, and its mistakes.
pub(crate) fn attribute(role: Role, arguments: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let arguments = Arguments::read(role, &arguments, &mut mistakes);
    let Some(item) = parse::block(role, &tokens, &mut mistakes) else {
        let errors = mistakes.into_compile_errors();
        return quote!(#tokens #errors);
    };
    let mut block = Block::new(role, arguments, item);
    check::block(&mut block, &mut mistakes);
    let root = block.arguments.root.clone().unwrap_or_else(crate_root);
    let generated = generated_beside(&mut block, &root);
    phases::fill(&mut block, &root);
    hover::document(&mut block);
    repeated::rename(&mut block);
    dictated::allow(&mut block);
    block.item.unmark();
    let written = block.item;
    let errors = mistakes.into_compile_errors();
    quote!(#written #generated #errors)
}

/// What is written beside a block that may be one of a type that borrows.
fn generated_beside(block: &mut Block, root: &TokenStream) -> TokenStream {
    if !block.borrows() {
        return generated(block, root);
    }
    let written = block.item.clone();
    make_owned(block);
    let generated = generated(block, root);
    block.item = written;
    generated
}

/// Everything that is written beside the block. `root` is the path of the runtime crate.
pub(crate) fn generated(block: &Block, root: &TokenStream) -> TokenStream {
    let batches = block.decided_batches();
    let names = Names::new(root, None, batches.first());
    let forwards: TokenStream = block.traits.iter().map(|one| forward::implementation(block, *one, &names)).collect();
    if block.role == Role::Callback {
        return forwards;
    }
    let types = types::associated(block, &batches, root);
    let verbs = verbs::markers(block, root);
    let program = program::inherent(block, root);
    let constructors = constructor::implementations(block, root);
    quote!(#types #forwards #verbs #program #constructors)
}
