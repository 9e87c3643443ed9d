//! Renames the second of two parameters with one name, which is already reported, so that rustc does not report it again.

use crate::model::{Block, argument_name};
use crate::parse::{BlockItem, Method};
use quote::format_ident;
use syn::{FnArg, Ident, Pat};

pub(super) fn rename(block: &mut Block) {
    let hooks: Vec<&str> = block.hooks.iter().filter(|hook| hook.faulty).map(|hook| hook.declared.name()).collect();
    for item in &mut block.item.items {
        if let BlockItem::Method(method) = item
            && hooks.contains(&method.name.as_str())
        {
            rename_in(method);
        }
    }
}

fn rename_in(method: &mut Method) {
    let mut seen: Vec<Ident> = Vec::new();
    for input in &mut method.sig.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let Pat::Ident(pattern) = typed.pat.as_mut() else { continue };
        if seen.contains(&pattern.ident) {
            pattern.ident =
                format_ident!("_{}_again_{}", argument_name(pattern), seen.len(), span = pattern.ident.span());
        }
        seen.push(pattern.ident.clone());
    }
}
