//! From tokens to an `impl` block.

use crate::attributes::{self, Conditions};
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::every_module;
use crate::hooks::{Hook, HookTrait, Role};
use crate::types::readable;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::HashSet;
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{Attribute, Ident, ImplItem, ImplItemMacro, Item, ItemImpl, Signature, Type, Visibility};

/// An `impl` block. Bodies are not parsed, nor the signatures of methods that are not relevant here. Incomplete code is passed on
/// for rustc to report, so that editors still get the expansion of the rest of the block.
#[derive(Clone)]
pub(crate) struct ImplBlock {
    /// The block without its items.
    pub(crate) head: ItemImpl,
    pub(crate) items: Vec<BlockItem>,
}

#[derive(Clone)]
pub(crate) enum BlockItem {
    Method(Box<Method>),
    /// A method that is not a hook or otherwise relevant, according to its name.
    Unread(Box<Unread>),
    /// A call of a macro, which may write hooks.
    MacroCall(Box<MacroCall>),
    /// A constant or a type, which cannot be a hook.
    Other(Box<ImplItem>),
    /// An item that is being written and does not parse, such as `fn on_val`.
    Unfinished(TokenStream),
}

impl BlockItem {
    /// Returns the attributes of a method.
    pub(crate) fn attributes_mut(&mut self) -> Option<&mut Vec<Attribute>> {
        match self {
            Self::Method(method) => Some(&mut method.attrs),
            Self::Unread(method) => Some(&mut method.attrs),
            Self::MacroCall(_) | Self::Other(_) | Self::Unfinished(_) => None,
        }
    }

    /// Returns the attributes that the user wrote.
    pub(crate) fn attributes(&self) -> &[Attribute] {
        match self {
            Self::Method(method) => &method.attrs,
            Self::Unread(method) => &method.attrs,
            Self::MacroCall(call) => &call.call.attrs,
            Self::Other(_) | Self::Unfinished(_) => &[],
        }
    }
}

#[derive(Clone)]
pub(crate) struct Method {
    /// Generated attributes, before the user's own, which take precedence for lints.
    pub(crate) ours: TokenStream,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) conditions: Conditions,
    /// Generated documentation, after the user's own.
    pub(crate) documentation: TokenStream,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// Its name, without `r#`.
    pub(crate) name: String,
    pub(crate) body: TokenTree,
}

#[derive(Clone)]
pub(crate) struct Unread {
    attrs: Vec<Attribute>,
    pub(crate) conditions: Conditions,
    pub(crate) ident: Ident,
    /// The tokens after the attributes.
    pub(crate) tokens: TokenStream,
}

#[derive(Clone)]
pub(crate) struct MacroCall {
    pub(crate) conditions: Conditions,
    pub(crate) call: ImplItemMacro,
}

impl Unread {
    /// Parses the method, as the one of this name; `None` if it does not parse.
    pub(crate) fn read(&self, name: String) -> Option<Method> {
        let parse = |input: ParseStream<'_>| Ok((input.parse()?, ungrouped(input.parse()?), input.parse()?));
        let (vis, sig, body) = parse.parse2(self.tokens.clone()).ok()?;
        let (attrs, conditions) = (self.attrs.clone(), self.conditions.clone());
        let (ours, documentation) = (TokenStream::new(), TokenStream::new());
        Some(Method { ours, attrs, conditions, documentation, vis, sig, name, body })
    }
}

impl ImplBlock {
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.items.iter().filter_map(|item| match item {
            BlockItem::Method(method) => Some(method.as_ref()),
            _ => None,
        })
    }

    /// Removes the markers, which are not attributes of rustc.
    pub(crate) fn unmark(&mut self) {
        for item in &mut self.items {
            match item {
                BlockItem::Method(method) => attributes::unmark(&mut method.attrs),
                BlockItem::Unread(method) => attributes::unmark(&mut method.attrs),
                BlockItem::MacroCall(call) => attributes::unmark(&mut call.call.attrs),
                BlockItem::Other(_) | BlockItem::Unfinished(_) => {}
            }
        }
    }
}

/// Parses the block under the attribute; `None` if it is not a block. Errors are reported.
pub(crate) fn block(role: Role, tokens: &TokenStream, diagnostics: &mut Diagnostics) -> Option<ImplBlock> {
    impl_block(role, tokens.clone()).map_err(|error| diagnostics.push(misplaced(role, tokens).unwrap_or(error))).ok()
}

/// Returns the block as one of a type, in the form that is expanded; `None` if it cannot be one. Errors are reported.
pub(crate) fn block_of_type(role: Role, block: ImplBlock, diagnostics: &mut Diagnostics) -> Option<ImplBlock> {
    let mut block = on_a_type(role, block, diagnostics)?;
    if !matches!(block.head.self_ty.as_ref(), Type::Path(_) | Type::Macro(_) | Type::Group(_) | Type::Paren(_)) {
        diagnostics
            .add(&block.head.self_ty, catalogue::on_another_type(role.attribute(), readable(&block.head.self_ty)));
        return None;
    }
    if role == Role::Callback {
        every_module::move_to_methods(&mut block);
    }
    Some(block)
}

fn impl_block(role: Role, tokens: TokenStream) -> syn::Result<ImplBlock> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut body = TokenStream::new();
    if let Some(TokenTree::Group(group)) = tokens.last_mut() {
        body = group.stream();
        // syn reads the head of a block only together with its braces
        *group = emptied(group);
    }
    let mut head: ItemImpl = syn::parse2(tokens.into_iter().collect())?;
    let read: HashSet<&str> = role.traits().flat_map(HookTrait::methods).map(Hook::name).chain(OTHERS).collect();
    let contents = |input: ParseStream<'_>| contents(&read, input);
    let (attributes, items) = contents.parse2(body)?;
    head.attrs.extend(attributes);
    Ok(ImplBlock { head, items })
}

/// The function of a module with the default configuration of its trainer.
pub(crate) const TRAINER_DEFAULTS: &str = "trainer_defaults";

/// The function of a module or a data module by which the program makes it.
pub(crate) const CONSTRUCTOR: &str = "new";

/// The methods that are parsed although they are not hooks: those of the generated program, and one that may be meant as a hook.
const OTHERS: [&str; 6] = [CONSTRUCTOR, TRAINER_DEFAULTS, "main", "trainer", "hooks", "step"];

fn emptied(group: &Group) -> Group {
    let mut empty = Group::new(group.delimiter(), TokenStream::new());
    empty.set_span(group.span());
    empty
}

fn contents(read: &HashSet<&str>, input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Vec<BlockItem>)> {
    let attributes = input.call(Attribute::parse_inner)?;
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(item(read, input)?);
    }
    Ok((attributes, items))
}

fn item(read: &HashSet<&str>, input: ParseStream<'_>) -> syn::Result<BlockItem> {
    let ahead = input.fork();
    let attrs = ahead.call(Attribute::parse_outer)?;
    let Some((ident, tokens)) = ahead.step(|cursor| Ok(method(*cursor).unwrap_or((None, *cursor))))? else {
        let item = input.fork();
        return Ok(match item.parse::<ImplItem>() {
            Ok(parsed) => {
                input.advance_to(&item);
                other(parsed)
            }
            // rustc has reported it when it parsed the block
            Err(_) => BlockItem::Unfinished(input.step(|cursor| Ok(unfinished(*cursor)))?),
        });
    };
    let (name, conditions) = (ident.unraw().to_string(), Conditions::of(&attrs));
    if !read.contains(name.as_str()) {
        input.advance_to(&ahead);
        return Ok(BlockItem::Unread(Box::new(Unread { attrs, conditions, ident, tokens })));
    }
    input.advance_to(&ahead);
    let unread = Unread { attrs, conditions, ident, tokens };
    Ok(match unread.read(name) {
        Some(method) => BlockItem::Method(Box::new(method)),
        // rustc has reported it when it parsed the block
        None => BlockItem::Unread(Box::new(unread)),
    })
}

fn other(item: ImplItem) -> BlockItem {
    match item {
        ImplItem::Macro(call) => {
            BlockItem::MacroCall(Box::new(MacroCall { conditions: Conditions::of(&call.attrs), call }))
        }
        other => BlockItem::Other(Box::new(other)),
    }
}

/// The tokens of an item that is being written, up to the next item.
fn unfinished(start: Cursor<'_>) -> (TokenStream, Cursor<'_>) {
    const BEGINNINGS: [&str; 7] = ["pub", "const", "async", "unsafe", "extern", "fn", "type"];
    let (mut tokens, mut cursor) = (TokenStream::new(), start);
    let mut is_named = false;
    while let Some((token, rest)) = cursor.token_tree() {
        let begins = match &token {
            TokenTree::Ident(ident) => BEGINNINGS.iter().any(|keyword| ident == keyword),
            TokenTree::Punct(punct) => punct.as_char() == '#',
            _ => false,
        };
        let is_function = |token: &TokenTree| matches!(token, TokenTree::Ident(keyword) if keyword == "fn");
        let follows_function = is_function(&token) && tokens.clone().into_iter().any(|token| is_function(&token));
        if begins && (is_named || follows_function) {
            break;
        }
        is_named |= matches!(&token, TokenTree::Ident(_)) && !begins;
        let ends = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
            || matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
        tokens.extend([token]);
        cursor = rest;
        if ends {
            break;
        }
    }
    (tokens, cursor)
}

/// Returns the name and the tokens of the method that starts here, and its end; `None` if it is not a method.
fn method(start: Cursor<'_>) -> Option<(Option<(Ident, TokenStream)>, Cursor<'_>)> {
    const QUALIFIERS: [&str; 7] = ["pub", "default", "const", "async", "unsafe", "safe", "extern"];
    let (mut tokens, mut cursor) = (TokenStream::new(), start);
    let mut next = |cursor: &mut Cursor<'_>| {
        let (token, rest) = cursor.token_tree()?;
        *cursor = rest;
        tokens.extend([token.clone()]);
        Some(token)
    };
    loop {
        match next(&mut cursor)? {
            TokenTree::Ident(keyword) if keyword == "fn" => break,
            TokenTree::Ident(keyword) if QUALIFIERS.iter().any(|qualifier| keyword == qualifier) => {}
            // of `pub(crate)` and `extern "C"`
            TokenTree::Group(_) | TokenTree::Literal(_) => {}
            _ => return None,
        }
    }
    let TokenTree::Ident(name) = next(&mut cursor)? else { return None };
    let (following, _) = cursor.token_tree()?;
    let has_parameters = match &following {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        TokenTree::Punct(punct) => punct.as_char() == '<',
        _ => false,
    };
    if !has_parameters {
        return None;
    }
    // there may be braces in the brackets of a type, and after the name of a macro
    let (mut depth, mut before) = (0_usize, [None, None]);
    loop {
        let token = next(&mut cursor)?;
        let punct = |token: &Option<TokenTree>, character| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character);
        match &token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && depth == 0 => {
                let is_of_macro = punct(&before[1], '!') && matches!(before[0], Some(TokenTree::Ident(_)));
                if !is_of_macro {
                    break;
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => return None,
            // the next item: this one has no body yet
            TokenTree::Punct(punct) if punct.as_char() == '#' && depth == 0 => return None,
            TokenTree::Ident(keyword) if keyword == "pub" && depth == 0 => return None,
            TokenTree::Ident(keyword) if keyword == "fn" && depth == 0 => {
                if let Some((TokenTree::Ident(_), _)) = cursor.token_tree() {
                    return None;
                }
            }
            TokenTree::Punct(open) if open.as_char() == '<' => depth += 1,
            TokenTree::Punct(close) if close.as_char() == '>' && !punct(&before[1], '-') => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        before = [before[1].take(), Some(token)];
    }
    Some((Some((name, tokens)), cursor))
}

/// Removes the invisible groups around types of a signature that came through a macro, if the types mean the same without.
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
            Self::Unread(method) => method.to_tokens(tokens),
            Self::MacroCall(call) => call.call.to_tokens(tokens),
            Self::Other(item) => item.to_tokens(tokens),
            // rustc has reported it, and editors find it in an implementation of its own
            Self::Unfinished(_) => {}
        }
    }
}

impl ToTokens for Unread {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.attrs.iter().for_each(|attribute| attribute.to_tokens(tokens));
        self.tokens.to_tokens(tokens);
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.ours.to_tokens(tokens);
        self.attrs.iter().for_each(|attribute| attribute.to_tokens(tokens));
        self.documentation.to_tokens(tokens);
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

fn on_a_type(role: Role, mut block: ImplBlock, diagnostics: &mut Diagnostics) -> Option<ImplBlock> {
    let Some((_, path, _)) = &block.head.trait_ else { return Some(block) };
    let (attribute, last) = (role.attribute(), path.segments.last());
    let is_named = |declared: &HookTrait| last.is_some_and(|last| last.ident == declared.name());
    let Some(own) = role.traits().find(is_named) else {
        diagnostics.add(path, catalogue::on_a_trait_impl(attribute));
        return None;
    };
    diagnostics.add(path, catalogue::on_its_own_trait_impl(attribute, own.name(), readable(&block.head.self_ty)));
    // read as the block that it should be, it brings no other mistakes
    block.head.trait_ = None;
    Some(block)
}

/// Returns the error for an attribute on something that is not an `impl` block.
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

/// Returns the name of a struct or an enumeration; `None` if the tokens are something else.
pub(crate) fn type_name(tokens: &TokenStream) -> Option<Ident> {
    match syn::parse2::<Item>(tokens.clone()).ok()? {
        Item::Struct(item) => Some(item.ident),
        Item::Enum(item) => Some(item.ident),
        _ => None,
    }
}
