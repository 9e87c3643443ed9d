//! Types that are spelled as in PyTorch and Lightning in what `configure_optimizers` and `configure_callbacks` return. The compiler would
//! report the name there and in the body.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::model::{Block, Written};
use crate::parse::{BlockItem, Method};
use crate::source_file::SourceFile;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ReturnType, parse_quote};

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

/// Lightning's callbacks that have another name or another form here.
const CALLBACKS: [(&str, &str); 8] = [
    (
        "BatchSizeFinder",
        "write `trainer.scale_batch_size(&mut model, |batch_size| …, &BatchSizeFinder::default())?` before `fit`, of `tch_lightning::trainer`",
    ),
    ("EMAWeightAveraging", "write `ExponentialMovingAverage`, of `tch_lightning::callbacks`"),
    (
        "LearningRateFinder",
        "write `trainer.lr_find(&mut model, &mut data, &LearningRateFinder::default())?` before `fit`, of `tch_lightning::trainer`",
    ),
    ("ModelPruning", "there is none: set weights to 0 in `on_before_optimizer_step`"),
    ("RichModelSummary", "write `ModelSummary`, of `tch_lightning::callbacks`"),
    ("RichProgressBar", "write `ProgressBar`, of `tch_lightning::callbacks`, or nothing, as a trainer has one"),
    ("TQDMProgressBar", "write `ProgressBar`, of `tch_lightning::callbacks`, or nothing, as a trainer has one"),
    ("WeightAveraging", "write `ExponentialMovingAverage`, of `tch_lightning::callbacks`"),
];

/// Reports such names, and writes those that are meant.
pub(super) fn of_optimizers(block: &mut Block, diagnostics: &mut Diagnostics) {
    const HOOK: &str = "configure_optimizers";
    let names: Vec<&str> = SPELLED.iter().map(|(name, _)| *name).collect();
    replace(block, HOOK, &names, |name, method| {
        let meant = |name: &str| SPELLED.iter().find(|(spelled, _)| name == *spelled).map_or("", |(_, meant)| *meant);
        let right = meant(&name.to_string());
        // the signature's check tells what it lacks, and its name
        if right != "ReduceLrOnPlateau" {
            let diagnostic = catalogue::name_of_pytorch(name, right);
            diagnostics.of_method(&method.conditions, |diagnostics| diagnostics.add(name, diagnostic));
        }
        syn::parse2(respelled(method.sig.output.to_token_stream(), &meant)).ok()
    });
}

/// Reports Lightning's callbacks that have another name, and leaves them out.
pub(super) fn of_callbacks(block: &mut Block, diagnostics: &mut Diagnostics) {
    const HOOK: &str = "configure_callbacks";
    const LAMBDA: &str = "LambdaCallback";
    let is_bare = |written: &&Written| written.declared.name() == HOOK && written.returns_bare(LAMBDA);
    if block.hooks.iter().find(is_bare).is_some() {
        replace(block, HOOK, &[LAMBDA], |name, method| {
            let diagnostic = catalogue::lambda_without_module(HOOK);
            diagnostics.of_method(&method.conditions, |diagnostics| diagnostics.add(name, diagnostic));
            Some(parse_quote!(-> Option<::core::convert::Infallible>))
        });
    }
    let names: Vec<&str> = CALLBACKS.iter().map(|(name, _)| *name).collect();
    replace(block, HOOK, &names, |name, method| {
        let (_, instead) = CALLBACKS.iter().find(|(callback, _)| name == callback)?;
        let diagnostic = catalogue::attribute_of_python(name, instead);
        diagnostics.of_method(&method.conditions, |diagnostics| diagnostics.add(name, diagnostic));
        Some(parse_quote!(-> Option<::core::convert::Infallible>))
    });
}

/// Replaces the return type of a hook that has one of these names, and empties the hook. `meant` gets the first name, and returns what the
/// hook returns instead.
fn replace(
    block: &mut Block,
    hook: &str,
    names: &[&str],
    mut meant: impl FnMut(&Ident, &Method) -> Option<ReturnType>,
) {
    for written in block.hooks.iter_mut().filter(|written| written.declared.name() == hook) {
        let output = written.method.sig.output.clone();
        let Some(name) = first(output.to_token_stream(), names) else { continue };
        if SourceFile::of(Span::call_site()).is_none_or(|file| file.has_another_type(&name.to_string())) {
            continue;
        }
        let Some(meant) = meant(&name, &written.method) else { continue };
        for item in &mut block.item.items {
            match item {
                BlockItem::Method(method) if method.name == hook && method.sig.output == output => {
                    method.sig.output = meant.clone();
                    item.empty();
                }
                _ => {}
            }
        }
        written.faulty = hook == "configure_callbacks";
        written.method.sig.output = meant;
        written.method.empty();
    }
}

/// The first of these names.
fn first(ty: TokenStream, names: &[&str]) -> Option<Ident> {
    ty.into_iter().find_map(|token| match token {
        TokenTree::Ident(name) => names.iter().any(|other| name == other).then_some(name),
        TokenTree::Group(group) => first(group.stream(), names),
        _ => None,
    })
}

/// The type with the names that are meant.
fn respelled(ty: TokenStream, meant: &impl Fn(&str) -> &'static str) -> TokenStream {
    let token = |token: TokenTree| match token {
        TokenTree::Ident(name) => match meant(&name.to_string()) {
            "" => name.into(),
            meant => Ident::new(meant, name.span()).into(),
        },
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), respelled(group.stream(), meant));
            inner.set_span(group.span());
            inner.into()
        }
        other => other,
    };
    ty.into_iter().map(token).collect()
}
