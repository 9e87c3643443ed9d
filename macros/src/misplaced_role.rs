//! A data module under the attribute of modules.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::{Hook, HookTrait, Role};
use crate::parse::{BlockItem, ImplBlock};
use crate::source_file::SourceFile;
use crate::types::readable;
use proc_macro2::Span;

/// Reports a block with loaders and nothing of a module under `#[lightning_module]`. Returns the role that its methods have.
pub(crate) fn meant(role: Role, block: &ImplBlock, diagnostics: &mut Diagnostics) -> Role {
    let of_data: Vec<&str> = Role::DataModule.traits().flat_map(HookTrait::methods).map(Hook::name).collect();
    let of_module: Vec<&str> = Role::Module.traits().flat_map(HookTrait::methods).map(Hook::name).collect();
    let names: Vec<String> = block
        .items
        .iter()
        .filter_map(|item| match item {
            BlockItem::Method(method) => Some(method.name.clone()),
            BlockItem::Unread(method) => Some(method.ident.to_string()),
            BlockItem::MacroCall(_) | BlockItem::Other(_) | BlockItem::Unfinished(_) => None,
        })
        .collect();
    let is_only_of_module = |name: &String| {
        let name = name.as_str();
        name == "forward" || of_module.contains(&name) && !of_data.contains(&name)
    };
    let loads = names.iter().any(|name| name.ends_with("_dataloader") && of_data.contains(&name.as_str()));
    let is_seen = block.items.iter().all(|item| matches!(item, BlockItem::Method(_) | BlockItem::Unread(_)));
    if role != Role::Module || !loads || !is_seen || names.iter().any(is_only_of_module) || !is_only_block(block) {
        return role;
    }
    diagnostics.add(&block.head.self_ty, catalogue::block_of_loaders());
    Role::DataModule
}

/// Whether the type has no other block, as far as the file tells.
fn is_only_block(block: &ImplBlock) -> bool {
    let head = format!("impl {} ", readable(&block.head.self_ty));
    SourceFile::of(Span::call_site()).is_some_and(|file| file.has_text(|text| text.matches(&head).count() == 1))
}
