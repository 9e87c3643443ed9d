//! A block with two attributes of ours, whose implementations would conflict.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::{Hook, HookTrait, Role};
use crate::parse::{BlockItem, ImplBlock};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Ident};

const ROLES: [Role; 3] = [Role::Module, Role::DataModule, Role::Callback];

/// Reports each further attribute of a block. Returns the block under the one attribute that most of its hooks belong to, so that one mistake
/// causes one error; `None` if this is the only attribute.
pub(crate) fn reported(
    role: Role,
    arguments: &TokenStream,
    block: &ImplBlock,
    root: &TokenStream,
    diagnostics: &mut Diagnostics,
) -> Option<TokenStream> {
    let others: Vec<(&Attribute, Role)> =
        block.head.attrs.iter().filter_map(|attribute| Some((attribute, of(attribute)?))).collect();
    for (attribute, other) in &others {
        diagnostics.add(attribute, catalogue::second_attribute(role.attribute(), other.attribute()));
    }
    let (kept, other) = others.iter().max_by_key(|(_, other)| hooks_of(*other, block))?;
    let is_own = hooks_of(role, block) >= hooks_of(*other, block);
    let kept = if is_own {
        let own = Ident::new(role.attribute(), proc_macro2::Span::call_site());
        quote!(#[#root::#own(#arguments)])
    } else {
        kept.to_token_stream()
    };
    let mut block = block.clone();
    block.head.attrs.retain(|attribute| of(attribute).is_none());
    Some(quote!(#kept #block))
}

/// The role whose attribute it is.
fn of(attribute: &Attribute) -> Option<Role> {
    let last = attribute.path().segments.last()?;
    ROLES.into_iter().find(|role| last.ident == role.attribute())
}

/// How many methods of the block are hooks of this role.
fn hooks_of(role: Role, block: &ImplBlock) -> usize {
    let hooks: Vec<&str> = role.traits().flat_map(HookTrait::methods).map(Hook::name).collect();
    let names = block.items.iter().filter_map(|item| match item {
        BlockItem::Method(method) => Some(method.name.clone()),
        BlockItem::Unread(method) => Some(method.ident.to_string()),
        _ => None,
    });
    names.filter(|name| hooks.contains(&name.as_str())).count()
}
