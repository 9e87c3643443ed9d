//! The file in which a block stands.
//!
//! An attribute sees its block alone. What else the file has is only read to explain a mistake where it was made: hooks in another
//! block of the type, hyperparameters of a program without their derives or flags, and fields that the type does not have. Nothing that is generated for a block without mistakes
//! depends on it, and where the file is not known, as in rust-analyzer, the compiler's own errors remain.
//!
//! The compiler could tell whether `Self::on_fit_start` is a method of the type. But where a trait in scope has a method of the name too, as
//! `Logger` has `state_dict`, that would be an error without a mistake.

use crate::attributes;
use crate::hooks::Role;
use crate::model::Block;
use crate::types::last_name;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::fs;
use syn::ext::IdentExt;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Field, File, ImplItem, Item, ItemImpl, ItemMod, ItemStruct, Stmt, Type};

pub(crate) struct SourceFile {
    text: String,
}

impl SourceFile {
    pub(crate) fn of(span: Span) -> Option<Self> {
        // outside of a compiler, as in tests, a span has no file
        if !proc_macro::is_available() {
            return None;
        }
        let text = fs::read_to_string(span.unwrap().local_file()?).ok()?;
        Some(Self { text })
    }

    /// Returns whether the file calls the program of this module, or of a module with this data module.
    pub(crate) fn calls_program_of(&self, ty: &Type) -> bool {
        let name = last_name(ty);
        let calls = |function: &str| [format!("{name}::{function}"), format!("{function}::<{name}>")];
        let continues = |before: &str| before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let mut calls = ["main", "program"].into_iter().flat_map(calls);
        calls.any(|call| self.text.match_indices(&call).any(|(place, _)| !continues(&self.text[..place])))
    }

    /// Returns whether the file certainly has the program of this module or data module, and no constructor for it that is written by hand.
    pub(crate) fn has_program_of(&self, ty: &Type) -> bool {
        let name = last_name(ty);
        let is_one = self.text.matches(&format!("struct {name}")).count() == 1;
        is_one && self.calls_program_of(ty) && !self.text.contains("FromHparams")
    }

    /// Returns the derives of a struct of hyperparameters that are missing; `None` if the file does not tell.
    pub(crate) fn missing_derives(&self, ty: &Type) -> Option<Vec<&'static str>> {
        let Type::Path(path) = ty else { return None };
        let name = path.path.get_ident()?;
        if self.text.contains(&format!("for {name}")) {
            return None;
        }
        let mut structs = Structs { name: name.to_string(), found: Vec::new() };
        structs.visit_file_mut(&mut self.parsed()?);
        let [found] = structs.found.as_slice() else { return None };
        if found.iter().any(|attribute| attribute.path().is_ident("cfg_attr")) {
            return None;
        }
        let derives: TokenStream = found
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive"))
            .map(ToTokens::to_token_stream)
            .collect();
        let derives = flat(derives);
        let needed = [("Args", "clap::Args"), ("Serialize", "serde::Serialize"), ("Deserialize", "serde::Deserialize")];
        let missing = needed.into_iter().filter(|(derive, _)| !derives.iter().any(|derived| derived == derive));
        Some(missing.map(|(_, path)| path).collect())
    }

    /// Returns the other blocks of the type next to this one; `None` if there is none. Blocks under conditions are not counted.
    pub(crate) fn other_blocks(&self, block: &Block, tokens: &TokenStream) -> Option<OtherBlocks> {
        let (role, ty) = (block.role, &block.item.head.self_ty);
        // parsing a file takes longer than an expansion
        let name = last_name(ty);
        let begins = |line: &&str| {
            let line = line.trim_start();
            line.starts_with("impl") && line.contains(&name) && !line.contains(" for ")
        };
        if self.text.lines().filter(begins).count() < 2 {
            return None;
        }
        let mut blocks = Blocks { role, block: flat(tokens.clone()), ty: flat(ty.to_token_stream()), found: None };
        blocks.visit_file_mut(&mut self.parsed()?);
        blocks.found
    }

    /// Returns the names of the fields of a struct; `None` if the file does not tell, or its values are also of another type.
    pub(crate) fn fields(&self, ty: &Type) -> Option<Vec<String>> {
        let found = self.structure(ty)?;
        let is_dereferenced = self.text.contains(&format!("Deref for {}", last_name(ty)));
        let name = |field: &Field| field.ident.as_ref().map(ToString::to_string);
        (!is_dereferenced).then(|| found.fields.iter().filter_map(name).collect())
    }

    /// Returns the fields of a struct of hyperparameters that have no flag, as clap takes their values without one. `None` if the file does
    /// not tell.
    pub(crate) fn fields_without_flag(&self, ty: &Type) -> Option<Vec<String>> {
        let found = self.structure(ty)?;
        let without_flag = found.fields.iter().filter(|field| !has_flag(field));
        Some(without_flag.filter_map(|field| field.ident.as_ref().map(ToString::to_string)).collect())
    }

    /// Returns the one struct of this type's name. Only its own text is parsed, as that of the file takes longer than an expansion.
    fn structure(&self, ty: &Type) -> Option<ItemStruct> {
        let head = format!("struct {}", last_name(ty));
        let is_name = |rest: &&str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        let mut found = self.text.split(&head).skip(1).filter(is_name);
        let (rest, None) = (found.next()?, found.next()) else { return None };
        let end = rest.find("\n}")?;
        syn::parse_str(&format!("{head}{}", &rest[..end + 2])).ok()
    }

    fn parsed(&self) -> Option<File> {
        syn::parse_file(&self.text).ok()
    }
}

/// Whether clap makes a flag of the field, or it is marked as something else than a flag.
fn has_flag(field: &Field) -> bool {
    const SETTINGS: [&str; 8] = ["flatten", "index", "last", "long", "raw", "short", "skip", "subcommand"];
    field.attrs.iter().filter(|attribute| !attribute.path().is_ident("doc")).any(|attribute| {
        let is_conditional = attribute.path().is_ident("cfg_attr");
        is_conditional || flat(attribute.to_token_stream()).iter().any(|word| SETTINGS.contains(&word.as_str()))
    })
}

/// The attributes of the structs of a name.
struct Structs {
    name: String,
    found: Vec<Vec<Attribute>>,
}

impl VisitMut for Structs {
    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        if item.ident == self.name {
            self.found.push(item.attrs.clone());
        }
    }
}

/// The blocks of a type other than one of them.
#[derive(Clone, Default)]
pub(crate) struct OtherBlocks {
    /// Whether there is an annotated one before it.
    pub(crate) is_after_annotated: bool,
    /// Whether one of them is annotated.
    pub(crate) are_annotated: bool,
    /// The methods of those without the attribute.
    pub(crate) methods: Vec<String>,
}

/// Finds the blocks of a type next to one of them.
struct Blocks {
    role: Role,
    block: Vec<String>,
    ty: Vec<String>,
    found: Option<OtherBlocks>,
}

impl Blocks {
    fn look_among<'i>(&mut self, items: impl Iterator<Item = &'i Item>) {
        let blocks: Vec<&ItemImpl> = items
            .filter_map(|item| match item {
                Item::Impl(block) if self.is_of_type(block) => Some(block),
                _ => None,
            })
            .collect();
        let Some(own) = blocks.iter().position(|block| self.is_own(block)) else { return };
        let is_annotated = |block: &ItemImpl| block.attrs.iter().any(|attribute| is_of(attribute, self.role));
        // a callback may be a module too
        let roles = [Role::Module, Role::DataModule, Role::Callback];
        let is_of_other_role =
            |block: &ItemImpl| roles.iter().any(|role| block.attrs.iter().any(|attribute| is_of(attribute, *role)));
        let mut found = OtherBlocks::default();
        for (place, block) in blocks.iter().enumerate().filter(|(place, _)| *place != own) {
            if is_annotated(block) {
                found.are_annotated = true;
                found.is_after_annotated |= place < own;
            } else if !is_of_other_role(block) {
                found.methods.extend(block.items.iter().filter_map(method));
            }
        }
        self.found = Some(found);
    }

    fn is_of_type(&self, block: &ItemImpl) -> bool {
        block.trait_.is_none() && !is_conditional(&block.attrs) && flat(block.self_ty.to_token_stream()) == self.ty
    }

    fn is_own(&self, block: &ItemImpl) -> bool {
        let mut block = block.clone();
        block.attrs.retain(|attribute| !is_of(attribute, self.role));
        flat(block.to_token_stream()) == self.block
    }
}

fn method(item: &ImplItem) -> Option<String> {
    match item {
        ImplItem::Fn(method) if !is_conditional(&method.attrs) => Some(method.sig.ident.unraw().to_string()),
        _ => None,
    }
}

fn is_conditional(attributes: &[Attribute]) -> bool {
    attributes.iter().any(attributes::is_conditional)
}

impl VisitMut for Blocks {
    fn visit_file_mut(&mut self, file: &mut File) {
        self.look_among(file.items.iter());
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        self.look_among(module.content.iter().flat_map(|(_, items)| items));
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        self.look_among(block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        }));
        visit_mut::visit_block_mut(self, block);
    }
}

fn is_of(attribute: &Attribute, role: Role) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == role.attribute())
}

/// The tokens without their spacing, which differs between the compiler's and parsed ones.
fn flat(tokens: TokenStream) -> Vec<String> {
    fn add(tokens: TokenStream, flat: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                        proc_macro2::Delimiter::Brace => ("{", "}"),
                        proc_macro2::Delimiter::Bracket => ("[", "]"),
                        proc_macro2::Delimiter::None => ("", ""),
                    };
                    flat.push(open.to_owned());
                    add(group.stream(), flat);
                    flat.push(close.to_owned());
                }
                other => flat.push(other.to_string()),
            }
        }
    }
    let mut all = Vec::new();
    add(tokens, &mut all);
    all.retain(|token| !token.is_empty());
    all
}
