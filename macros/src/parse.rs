//! From tokens to an `impl` block.

use crate::catalogue;
use crate::hooks::{HookTrait, Role};
use crate::mistakes::Mistakes;
use crate::types::readable;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{Attribute, Ident, ImplItem, Item, ItemImpl, Signature, Type, Visibility};

/// An `impl` block whose bodies are not looked into. A body that is only half typed is passed on for the compiler to speak
/// of, and an editor still sees everything else that the block means.
#[derive(Clone)]
pub(crate) struct ImplBlock {
    /// The block without its items.
    pub(crate) head: ItemImpl,
    pub(crate) items: Vec<BlockItem>,
}

#[derive(Clone)]
pub(crate) enum BlockItem {
    Method(Box<Method>),
    /// An item that can't be a hook.
    Other(TokenStream),
}

#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    body: TokenTree,
}

impl ImplBlock {
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.items.iter().filter_map(|item| match item {
            BlockItem::Method(method) => Some(method.as_ref()),
            BlockItem::Other(_) => None,
        })
    }
}

/// The block under the attribute, or nothing where there is no block to work on; every mistake is noted.
pub(crate) fn block(role: Role, tokens: &TokenStream, mistakes: &mut Mistakes) -> Option<ImplBlock> {
    match syn::parse2::<ImplBlock>(tokens.clone()) {
        Ok(block) => on_a_type(role, block, mistakes),
        Err(error) => {
            mistakes.push(misplaced(role, tokens).unwrap_or(error));
            None
        }
    }
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut tokens: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        let mut body = TokenStream::new();
        if let Some(TokenTree::Group(group)) = tokens.last_mut() {
            body = group.stream();
            // syn reads the head of a block only together with its braces
            *group = emptied(group);
        }
        let mut head: ItemImpl = syn::parse2(tokens.into_iter().collect())?;
        let (attributes, items) = contents.parse2(body)?;
        head.attrs.extend(attributes);
        Ok(Self { head, items })
    }
}

fn emptied(group: &Group) -> Group {
    let mut empty = Group::new(group.delimiter(), TokenStream::new());
    empty.set_span(group.span());
    empty
}

fn contents(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Vec<BlockItem>)> {
    let attributes = input.call(Attribute::parse_inner)?;
    let mut items = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        items.push(match ahead.parse() {
            Ok(method) => {
                input.advance_to(&ahead);
                BlockItem::Method(Box::new(method))
            }
            Err(_) => BlockItem::Other(input.parse::<ImplItem>()?.into_token_stream()),
        });
    }
    Ok((attributes, items))
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: ungrouped(input.parse()?),
            body: match input.parse()? {
                TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => body.into(),
                other => return Err(syn::Error::new(other.span(), "expected the method's body")),
            },
        })
    }
}

/// Takes off the invisible brackets in which a type of a signature stands that came through a macro, where it means the same
/// without them.
fn ungrouped(mut signature: Signature) -> Signature {
    struct Ungrouped;
    impl VisitMut for Ungrouped {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            while let Type::Group(group) = ty
                && matches!(*group.elem, Type::Group(_) | Type::Path(_) | Type::Reference(_) | Type::Tuple(_))
            {
                *ty = group.elem.as_ref().clone();
            }
            visit_type_mut(self, ty);
        }
    }
    Ungrouped.visit_signature_mut(&mut signature);
    signature
}

impl ToTokens for ImplBlock {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut block = self.head.clone();
        block.items = self.items.iter().map(|item| ImplItem::Verbatim(item.to_token_stream())).collect();
        block.to_tokens(tokens);
    }
}

impl ToTokens for BlockItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Method(method) => method.to_tokens(tokens),
            Self::Other(item) => item.to_tokens(tokens),
        }
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.attrs.iter().for_each(|attribute| attribute.to_tokens(tokens));
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

fn on_a_type(role: Role, mut block: ImplBlock, mistakes: &mut Mistakes) -> Option<ImplBlock> {
    let Some((_, path, _)) = &block.head.trait_ else { return Some(block) };
    let (attribute, last) = (role.attribute(), path.segments.last());
    let is_named = |declared: &HookTrait| last.is_some_and(|last| last.ident == *declared.name());
    let Some(own) = role.traits().into_iter().find(is_named) else {
        mistakes.add(path, catalogue::on_a_trait_impl(attribute));
        return None;
    };
    mistakes.add(path, catalogue::on_its_own_trait_impl(attribute, own.name(), readable(&block.head.self_ty)));
    // read as the block that it should be, it brings no other mistakes
    block.head.trait_ = None;
    Some(block)
}

/// The sentence for an attribute on something that is no `impl` block.
fn misplaced(role: Role, tokens: &TokenStream) -> Option<syn::Error> {
    let item = syn::parse2::<Item>(tokens.clone()).ok()?;
    let attribute = role.attribute();
    let on_the_type = |name: &Ident| syn::Error::new_spanned(name, catalogue::on_a_type(attribute, name));
    match &item {
        Item::Impl(_) => None,
        Item::Struct(item) => Some(on_the_type(&item.ident)),
        Item::Enum(item) => Some(on_the_type(&item.ident)),
        Item::Fn(item) => Some(syn::Error::new_spanned(&item.sig, catalogue::on_no_block(attribute))),
        other => Some(syn::Error::new_spanned(other, catalogue::on_no_block(attribute))),
    }
}
