//! Optimizers and schedulers that are spelled as in PyTorch in what `configure_optimizers` returns. The compiler would report the name there
//! and in the body.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::model::Block;
use crate::parse::BlockItem;
use crate::source_file::SourceFile;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ReturnType;

/// The name in PyTorch, and the name here.
const SPELLED: [(&str, &str); 15] = [
    ("ConstantLR", "ConstantLr"),
    ("CosineAnnealingLR", "CosineAnnealingLr"),
    ("CyclicLR", "CyclicLr"),
    ("ExponentialLR", "ExponentialLr"),
    ("LBFGS", "Lbfgs"),
    ("LambdaLR", "LambdaLr"),
    ("LinearLR", "LinearLr"),
    ("MultiStepLR", "MultiStepLr"),
    ("MultiplicativeLR", "MultiplicativeLr"),
    ("OneCycleLR", "OneCycleLr"),
    ("PolynomialLR", "PolynomialLr"),
    ("RMSprop", "RmsProp"),
    ("ReduceLROnPlateau", "ReduceLrOnPlateau"),
    ("SGD", "Sgd"),
    ("StepLR", "StepLr"),
];

/// Reports such names, and writes those that are meant.
pub(super) fn of_optimizers(block: &mut Block, diagnostics: &mut Diagnostics) {
    const HOOK: &str = "configure_optimizers";
    for written in block.hooks.iter_mut().filter(|written| written.declared.name() == HOOK) {
        let ReturnType::Type(arrow, returned) = &written.method.sig.output else { continue };
        let mut spelled = Vec::new();
        let meant = respelled(returned.to_token_stream(), &mut spelled);
        let Some(first) = spelled.first() else { continue };
        let (Some(file), Ok(meant)) = (SourceFile::of(Span::call_site()), syn::parse2(meant)) else { continue };
        if spelled.iter().any(|(name, _)| file.has_another_type(&name.to_string())) {
            continue;
        }
        // the signature's check tells what it lacks, and its name
        if first.1 != "ReduceLrOnPlateau" {
            let diagnostic = catalogue::name_of_pytorch(&first.0, first.1);
            diagnostics.of_method(&written.method.conditions, |diagnostics| diagnostics.add(&first.0, diagnostic));
        }
        let meant = ReturnType::Type(*arrow, Box::new(meant));
        for item in &mut block.item.items {
            match item {
                BlockItem::Method(method) if method.name == HOOK && method.sig.output == written.method.sig.output => {
                    method.sig.output = meant.clone();
                    item.empty();
                }
                _ => {}
            }
        }
        written.method.sig.output = meant;
        written.method.empty();
    }
}

/// The type with the names that are meant, which adds the others to `spelled`.
fn respelled(ty: TokenStream, spelled: &mut Vec<(Ident, &'static str)>) -> TokenStream {
    let mut token = |token: TokenTree| match token {
        TokenTree::Ident(name) => match SPELLED.iter().find(|(spelled, _)| name == spelled) {
            Some((_, meant)) => {
                let ident = Ident::new(meant, name.span());
                spelled.push((name, meant));
                ident.into()
            }
            None => name.into(),
        },
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), respelled(group.stream(), spelled));
            inner.set_span(group.span());
            inner.into()
        }
        other => other,
    };
    ty.into_iter().map(&mut token).collect()
}
