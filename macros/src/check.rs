//! The rules of a block, one function each. Every mistake is noted on the tokens that the user wrote; what rustc says better
//! itself is left to rustc.

use crate::hooks::{Hook, Role};
use crate::mistakes::Mistakes;
use crate::model::{Block, MARKER, Written};
use proc_macro2::Ident;
use quote::ToTokens;
use std::collections::HashSet;
use syn::{FnArg, GenericParam, Pat, PatType, Type};

/// Notes every mistake of the block, and marks the hooks that must not be forwarded to.
pub(crate) fn block(block: &mut Block, mistakes: &mut Mistakes) {
    unknown_methods(block, mistakes);
    parameters_method(block, mistakes);
    for hook in &mut block.hooks {
        let sound = qualifiers(hook, mistakes) & receiver(hook, mistakes) & arguments(hook, mistakes);
        hook.faulty = !sound;
    }
}

/// A method that starts with `on_`, or nearly has a hook's name, is a misspelled hook unless it is marked.
fn unknown_methods(block: &Block, mistakes: &mut Mistakes) {
    let names: Vec<String> = block
        .traits
        .iter()
        .flat_map(|one| one.methods().map(|hook| hook.name().to_string()).collect::<Vec<_>>())
        .collect();
    let attribute = block.role.attribute();
    for method in block.other_methods() {
        let name = &method.sig.ident;
        match nearest(&name.to_string(), &names) {
            Some(hook) => mistakes.add(
                name,
                format_args!("`{name}` is no hook of `#[{attribute}]`: did you mean `{hook}`? `#[{MARKER}]` above it keeps it as an ordinary method"),
            ),
            None if name.to_string().starts_with("on_") => mistakes.add(
                name,
                format_args!("`{name}` is no hook of `#[{attribute}]`; `#[{MARKER}]` above it keeps it as an ordinary method"),
            ),
            None => {}
        }
    }
}

/// Names shorter than this are too near to each other for a guess.
const SHORTEST_GUESS: usize = 8;

/// The known name that `name` was most likely meant to be.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let distance = |candidate: &&String| strsim::damerau_levenshtein(name, candidate);
    let candidate =
        known.iter().filter(|candidate| candidate.len() >= SHORTEST_GUESS.min(name.len() + 1)).min_by_key(distance)?;
    let tolerated = if name.len() < SHORTEST_GUESS { 1 } else { 2 + name.len() / 12 };
    (distance(&candidate) <= tolerated).then_some(candidate)
}

fn parameters_method(block: &Block, mistakes: &mut Mistakes) {
    if block.role == Role::Module && block.method("parameters").is_none() {
        mistakes.add(
            &block.item.self_ty,
            "a module needs `fn parameters(&mut self) -> &mut nn::VarStore`, which returns the store of its parameters",
        );
    }
}

/// A hook is called by the loops, which neither await it nor choose type arguments for it.
fn qualifiers(hook: &Written, mistakes: &mut Mistakes) -> bool {
    let signature = &hook.method.sig;
    let name = hook.declared.name();
    let mut sound = true;
    let mut refuse = |tokens: &dyn ToTokens, sentence: String| {
        mistakes.add(tokens.to_token_stream(), sentence);
        sound = false;
    };
    if let Some(keyword) = &signature.asyncness {
        refuse(keyword, format!("the hook `{name}` can't be `async`: the loops call it and wait for nothing"));
    }
    if let Some(keyword) = &signature.constness {
        refuse(keyword, format!("the hook `{name}` can't be `const`"));
    }
    if let Some(keyword) = &signature.unsafety {
        refuse(
            keyword,
            format!("the hook `{name}` can't be `unsafe`: the loops call it without knowing its conditions"),
        );
    }
    if signature.generics.params.iter().any(|parameter| !matches!(parameter, GenericParam::Lifetime(_))) {
        refuse(
            &signature.generics,
            format!("the hook `{name}` can't be generic: put the type parameter on the `impl` block"),
        );
    }
    sound
}

fn receiver(hook: &Written, mistakes: &mut Mistakes) -> bool {
    let name = hook.declared.name();
    match hook.method.sig.receiver() {
        None => mistakes.add(
            &hook.method.sig.ident,
            format_args!("the hook `{name}` needs `&mut self` or `&self` as its first parameter"),
        ),
        Some(by_value) if by_value.reference.is_none() => {
            mistakes.add(
                by_value,
                format_args!("the hook `{name}` takes `&mut self` or `&self`: the module goes on after it"),
            );
        }
        Some(_) => return true,
    }
    false
}

/// Every parameter is one of the hook's, asked for by its name and with its type.
fn arguments(hook: &Written, mistakes: &mut Mistakes) -> bool {
    let mut asked = HashSet::new();
    let typed = hook.method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let mut sound = true;
    for argument in typed {
        // rustc itself reports a name that is bound twice
        sound &= match parameter_name(&hook.declared, argument, mistakes) {
            Some(name) => parameter_type(&hook.declared, &name, &argument.ty, mistakes) && asked.insert(name),
            None => false,
        };
    }
    sound
}

fn parameter_name(declared: &Hook, argument: &PatType, mistakes: &mut Mistakes) -> Option<Ident> {
    let hook = declared.name();
    let Pat::Ident(pattern) = argument.pat.as_ref() else {
        let sentence = format!(
            "a hook's parameters are told apart by their names: `{hook}` can ask for {}",
            declared.parameter_list()
        );
        mistakes.add(&argument.pat, sentence);
        return None;
    };
    let name = &pattern.ident;
    let known: Vec<String> = declared.parameters().iter().map(|parameter| parameter.name.to_string()).collect();
    if known.iter().any(|known| name == known) {
        return Some(name.clone());
    }
    let guess = known.iter().find(|known| strsim::damerau_levenshtein(&name.to_string(), known) <= 2);
    let guess = guess.map(|guess| format!(" (did you mean `{guess}`?)")).unwrap_or_default();
    mistakes.add(
        name,
        format_args!("`{hook}` has no parameter `{name}`{guess}: it can ask for {}", declared.parameter_list()),
    );
    None
}

/// Refuses the types that can't be right. Others are held against the declaration by the compiler, which knows aliases.
fn parameter_type(declared: &Hook, name: &Ident, written: &Type, mistakes: &mut Mistakes) -> bool {
    let Some(parameter) = declared.parameters().into_iter().find(|parameter| parameter.name == *name) else {
        return true;
    };
    if !surely_differ(&parameter.ty, written) {
        return true;
    }
    let right = expected(&parameter.ty, written);
    let wrong = readable(written);
    mistakes.add(written, format_args!("`{name}` of `{}` is `{right}`, not `{wrong}`", declared.name()));
    false
}

fn surely_differ(declared: &Type, written: &Type) -> bool {
    match (declared, written) {
        (declared, written) if is_associated(declared) => matches!(written, Type::Reference(_)),
        (Type::Reference(declared), Type::Reference(written)) => surely_differ(&declared.elem, &written.elem),
        (Type::Reference(declared), written) => {
            is_plain(written) || matches!(written, Type::Tuple(_)) || readable(&declared.elem) == readable(written)
        }
        (declared, Type::Reference(_)) => is_plain(declared),
        (declared, written) => !is_alias(written) && readable(declared) != readable(written),
    }
}

/// The types whose names nobody gives to something else.
fn is_plain(ty: &Type) -> bool {
    const PLAIN: [&str; 20] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64",
        "u128", "usize", "String", "Tensor", "Stage",
    ];
    matches!(ty, Type::Path(path) if path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)))
}

/// A path that may well be another name of the declared type.
fn is_alias(ty: &Type) -> bool {
    matches!(ty, Type::Path(_)) && !is_plain(ty)
}

/// `Self::Batch` and its like, which the block itself decides.
fn is_associated(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.first().is_some_and(|first| first.ident == "Self"))
}

/// The declared type as the user would write it: where the block decides the type, with the user's own.
fn expected(declared: &Type, written: &Type) -> String {
    let bare = match written {
        Type::Reference(reference) => &reference.elem,
        owned => owned,
    };
    match declared {
        Type::Reference(reference) if is_associated(&reference.elem) => format!("&{}", readable(bare)),
        declared if is_associated(declared) => readable(bare),
        declared => readable(declared),
    }
}

/// A type as people write it: tokens without the blanks that `quote` puts between them.
fn readable(ty: &Type) -> String {
    let spaced = ty.to_token_stream().to_string();
    [("& mut ", "&mut "), ("& ", "&"), (" :: ", "::"), (" < ", "<"), (" >", ">"), (" ,", ",")]
        .iter()
        .fold(spaced, |text, (spaced, tight)| text.replace(spaced, tight))
}
