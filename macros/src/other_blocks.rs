//! The blocks of a type in its file: next to an annotated one, and in other modules and functions.
//!
//! A path is followed as the compiler does, through modules of the file and `use`. Where that leads out of the file, a block is of the
//! type only if it stands next to the annotated one and names the type in the same way.

use crate::attributes;
use crate::hooks::Role;
use crate::source_file::flat;
use crate::types::last_name;
use quote::ToTokens;
use std::collections::{HashMap, HashSet};
use syn::ext::IdentExt;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, File, Ident, ImplItem, Item, ItemImpl, ItemMod, Path, PathArguments, Stmt, Type, UseTree};

/// The blocks of a type other than one of them.
#[derive(Clone, Default)]
pub(crate) struct OtherBlocks {
    /// Whether there is an annotated one before it.
    pub(crate) is_after_annotated: bool,
    /// Whether one of them is annotated.
    pub(crate) are_annotated: bool,
    /// The methods of those without the attribute.
    pub(crate) methods: Vec<String>,
    /// The methods of implementations of traits that the file defines, each with the name of its trait.
    pub(crate) of_traits: Vec<(String, String)>,
}

/// Returns the other blocks of the type of an annotated block; `None` if the file does not have this block. `block` is its tokens, without
/// the attribute.
pub(crate) fn of_type(file: &mut File, role: Role, ty: &Type, block: Vec<String>) -> Option<OtherBlocks> {
    let mut scopes = Scopes::of(file);
    let blocks = std::mem::take(&mut scopes.blocks);
    let own = blocks.iter().position(|other| other.is_annotated_as(role, &block))?;
    let (scope, own_type) = (blocks[own].scope, scopes.definition(blocks[own].scope, ty));
    let is_of_type = |other: &Found| {
        let other_type = &other.block.self_ty;
        let is_same = match (&own_type, scopes.definition(other.scope, other_type)) {
            (Some(own), Some(other)) => *own == other && arguments(ty) == arguments(other_type),
            _ => scope == other.scope && flat(ty.to_token_stream()) == flat(other_type.to_token_stream()),
        };
        is_same && !is_conditional(&other.block.attrs)
    };
    let is_compiled_as_well = |other: &Found| {
        let inner = scopes.around(other.scope).filter(|outer| !scopes.around(scope).any(|own| own == *outer));
        inner.into_iter().all(|scope| !scopes.all[scope].is_conditional)
    };
    let others = blocks.iter().enumerate().filter(|(place, _)| *place != own);
    let mut found = OtherBlocks::default();
    for (place, Found { block, .. }) in others.filter(|(_, other)| is_of_type(other) && is_compiled_as_well(other)) {
        if let Some((_, path, _)) = &block.trait_ {
            let name = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            if scopes.traits.contains(&name) {
                found.of_traits.extend(block.items.iter().filter_map(method).map(|method| (method, name.clone())));
            }
        } else if has_attribute(block, role) {
            found.are_annotated = true;
            found.is_after_annotated |= place < own;
        // a callback may be a module too
        } else if ![Role::Module, Role::DataModule, Role::Callback].iter().any(|role| has_attribute(block, *role)) {
            found.methods.extend(block.items.iter().filter_map(method));
        }
    }
    Some(found)
}

fn has_attribute(block: &ItemImpl, role: Role) -> bool {
    block.attrs.iter().any(|attribute| is_of(attribute, role))
}

fn is_of(attribute: &Attribute, role: Role) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == role.attribute())
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

/// The generic arguments of a type.
fn arguments(ty: &Type) -> Vec<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| flat(last.arguments.to_token_stream())),
        _ => None,
    }
    .unwrap_or_default()
}

/// A block with the scope in which it stands.
struct Found {
    scope: usize,
    block: ItemImpl,
}

impl Found {
    /// Whether these are its tokens under the attribute.
    fn is_annotated_as(&self, role: Role, tokens: &[String]) -> bool {
        let mut block = self.block.clone();
        block.attrs.retain(|attribute| !is_of(attribute, role));
        has_attribute(&self.block, role) && flat(block.to_token_stream()) == tokens
    }
}

/// A module, or a block of statements with items.
#[derive(Default)]
struct Scope {
    outer: Option<usize>,
    is_module: bool,
    is_conditional: bool,
    /// The types that are defined in it.
    types: HashSet<String>,
    modules: HashMap<String, usize>,
    uses: Vec<UseTree>,
}

/// The scopes of a file, the outermost first, and its blocks in their order.
#[derive(Default)]
struct Scopes {
    all: Vec<Scope>,
    blocks: Vec<Found>,
    /// The traits that the file defines.
    traits: HashSet<String>,
    current: usize,
}

impl Scopes {
    fn of(file: &mut File) -> Self {
        let mut scopes = Self::default();
        scopes.all.push(Scope { is_module: true, ..Scope::default() });
        scopes.visit_file_mut(file);
        scopes
    }

    fn enter(&mut self, is_module: bool, is_conditional: bool, visit: impl FnOnce(&mut Self)) -> usize {
        let (scope, outer) = (self.all.len(), self.current);
        self.all.push(Scope { outer: Some(outer), is_module, is_conditional, ..Scope::default() });
        self.current = scope;
        visit(self);
        self.current = outer;
        scope
    }

    /// The scope and those around it, from the inside out.
    fn around(&self, scope: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(scope), |scope| self.all[*scope].outer)
    }

    fn module_of(&self, scope: usize) -> Option<usize> {
        self.around(scope).find(|scope| self.all[*scope].is_module)
    }

    /// Returns the scope that defines a type, and its name there; `None` if that is not in the file.
    fn definition(&self, scope: usize, ty: &Type) -> Option<(usize, String)> {
        let Type::Path(path) = ty else { return None };
        let is_plain = |path: &Path| {
            let outer = path.segments.iter().rev().skip(1);
            path.leading_colon.is_none() && outer.into_iter().all(|segment| segment.arguments == PathArguments::None)
        };
        if path.qself.is_some() || !is_plain(&path.path) {
            return None;
        }
        let names: Vec<&Ident> = path.path.segments.iter().map(|segment| &segment.ident).collect();
        let name = last_name(ty);
        match names.as_slice() {
            [_] => self.named(scope, name),
            [outer @ .., _] => self.defined(self.module(self.module_of(scope)?, outer)?, name),
            [] => None,
        }
    }

    /// The module of the file at this path.
    fn module(&self, from: usize, path: &[&Ident]) -> Option<usize> {
        path.iter().try_fold(from, |module, name| match name.to_string().as_str() {
            "self" => Some(module),
            "super" => self.module_of(self.all[module].outer?),
            name => self.all[module].modules.get(name).copied(),
        })
    }

    fn defined(&self, scope: usize, name: String) -> Option<(usize, String)> {
        self.all[scope].types.contains(&name).then_some((scope, name))
    }

    /// What a name alone means in a scope: a type of the scope or one around it up to the module, or one that they import.
    fn named(&self, scope: usize, name: String) -> Option<(usize, String)> {
        let module = self.module_of(scope)?;
        for scope in self.around(scope) {
            let found = self.defined(scope, name.clone());
            let imported =
                || self.all[scope].uses.iter().find_map(|tree| self.imported(module, tree, &mut vec![], &name));
            if let Some(found) = found.or_else(imported) {
                return Some(found);
            }
            if scope == module {
                break;
            }
        }
        None
    }

    /// What a `use` in a module imports under a name.
    fn imported<'t>(
        &self,
        module: usize,
        tree: &'t UseTree,
        path: &mut Vec<&'t Ident>,
        name: &str,
    ) -> Option<(usize, String)> {
        let defined = |path: &[&Ident], name: String| self.defined(self.module(module, path)?, name);
        match tree {
            UseTree::Path(outer) => {
                path.push(&outer.ident);
                let found = self.imported(module, &outer.tree, path, name);
                path.pop();
                found
            }
            UseTree::Name(leaf) if leaf.ident == name => defined(path, name.to_owned()),
            UseTree::Rename(leaf) if leaf.rename == name => defined(path, leaf.ident.to_string()),
            UseTree::Glob(_) => defined(path, name.to_owned()),
            UseTree::Group(group) => group.items.iter().find_map(|tree| self.imported(module, tree, path, name)),
            UseTree::Name(_) | UseTree::Rename(_) => None,
        }
    }
}

impl VisitMut for Scopes {
    fn visit_item_mut(&mut self, item: &mut Item) {
        let current = self.current;
        let scope = &mut self.all[current];
        match item {
            Item::Struct(item) => drop(scope.types.insert(item.ident.to_string())),
            Item::Enum(item) => drop(scope.types.insert(item.ident.to_string())),
            Item::Union(item) => drop(scope.types.insert(item.ident.to_string())),
            Item::Trait(item) => drop(self.traits.insert(item.ident.to_string())),
            Item::Use(item) => scope.uses.push(item.tree.clone()),
            Item::Impl(block) => self.blocks.push(Found { scope: current, block: block.clone() }),
            _ => {}
        }
        visit_mut::visit_item_mut(self, item);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        let (name, is_conditional) = (module.ident.to_string(), is_conditional(&module.attrs));
        let scope = self.enter(true, is_conditional, |scopes| visit_mut::visit_item_mod_mut(scopes, module));
        self.all[self.current].modules.insert(name, scope);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        if block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(_))) {
            self.enter(false, false, |scopes| visit_mut::visit_block_mut(scopes, block));
        } else {
            visit_mut::visit_block_mut(self, block);
        }
    }
}
