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
pub(crate) use paths::{VERSION, crate_root, private_module, private_module_name};

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
    let private = private_module(&block.arguments.root.clone().unwrap_or_else(crate_root));
    let generated = generated_beside(&mut block, &private);
    phases::fill(&mut block, &private);
    hover::document(&mut block);
    repeated::rename(&mut block);
    dictated::allow(&mut block);
    block.item.unmark();
    let written = block.item;
    let errors = mistakes.into_compile_errors();
    quote!(#written #generated #errors)
}

/// What is written beside a block that may be one of a type that borrows.
fn generated_beside(block: &mut Block, private: &TokenStream) -> TokenStream {
    if !block.borrows() {
        return generated(block, private);
    }
    let written = block.item.clone();
    make_owned(block);
    let generated = generated(block, private);
    block.item = written;
    generated
}

/// Everything that is written beside the block. `private` is the path of the runtime's private module.
pub(crate) fn generated(block: &Block, private: &TokenStream) -> TokenStream {
    let batches = block.decided_batches();
    let names = Names::new(private, None, batches.first());
    let forwards: TokenStream = block.traits.iter().map(|one| forward::implementation(block, *one, &names)).collect();
    if block.role == Role::Callback {
        return forwards;
    }
    let types = types::associated(block, &batches, private);
    let verbs = verbs::markers(block, private);
    let program = program::inherent(block, private);
    let constructors = constructor::implementations(block, private);
    quote!(#types #forwards #verbs #program #constructors)
}
