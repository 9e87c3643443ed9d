//! From tokens to an `impl` block.

use crate::hooks::Role;
use crate::mistakes::Mistakes;
use proc_macro2::TokenStream;
use syn::{Item, ItemImpl};

/// The block under the attribute, or nothing where there is no block to work on; every mistake is noted.
pub(crate) fn block(
    role: Role,
    arguments: &TokenStream,
    tokens: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<ItemImpl> {
    if !arguments.is_empty() {
        mistakes.add(arguments, format_args!("`#[{}]` takes no arguments", role.attribute()));
    }
    match syn::parse2::<ItemImpl>(tokens.clone()) {
        Ok(block) => on_a_type(role, block, mistakes),
        Err(error) => {
            mistakes.push(misplaced(role, tokens).unwrap_or(error));
            None
        }
    }
}

fn on_a_type(role: Role, block: ItemImpl, mistakes: &mut Mistakes) -> Option<ItemImpl> {
    let Some((_, path, _)) = &block.trait_ else { return Some(block) };
    let attribute = role.attribute();
    mistakes.add(
        path,
        format_args!(
            "`#[{attribute}]` stands on an `impl` block of the type itself: it writes the trait implementations"
        ),
    );
    None
}

/// The sentence for an attribute on something that is no `impl` block.
fn misplaced(role: Role, tokens: &TokenStream) -> Option<syn::Error> {
    let item = syn::parse2::<Item>(tokens.clone()).ok()?;
    let attribute = role.attribute();
    let (name, what) = match &item {
        Item::Struct(item) => (item.ident.clone(), "struct"),
        Item::Enum(item) => (item.ident.clone(), "enum"),
        Item::Trait(item) => (item.ident.clone(), "trait"),
        Item::Fn(item) => (item.sig.ident.clone(), "function"),
        Item::Mod(item) => (item.ident.clone(), "module"),
        _ => return None,
    };
    let sentence = match what {
        "struct" | "enum" => {
            format!(
                "`#[{attribute}]` stands on the block with the methods: `#[{attribute}] impl {name} {{ … }}`, not on the {what}"
            )
        }
        _ => format!("`#[{attribute}]` stands on an `impl` block, not on a {what}"),
    };
    Some(syn::Error::new_spanned(name, sentence))
}
