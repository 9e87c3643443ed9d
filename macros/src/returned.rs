//! What a hook returns, as far as its signature and its body tell.

use crate::free_name::mentions;
use crate::hooks::result_value;
use crate::model::{Block, Written};
use crate::parse::BlockItem;
use crate::source_file::SourceFile;
use crate::types;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Ident, PathArguments, ReturnType, Type, TypeParamBound, parse_quote};

impl Written {
    /// The `-1` of a `return -1` in a hook that returns a `Flow` and whose return type is not written.
    pub(crate) fn returned_minus_one(&self) -> Option<[TokenTree; 2]> {
        let is_written = matches!(self.method.sig.output, ReturnType::Type(..));
        if self.declared.value() != Some("Flow") || is_written {
            return None;
        }
        find_minus_one(self.method.body.clone().into())
    }

    /// Whether it returns no value, in a `Result` or not.
    pub(crate) fn returns_nothing(&self) -> bool {
        matches!(self.method.output(), Type::Tuple(tuple) if tuple.elems.is_empty())
    }

    /// Whether it returns optimizers as trait objects, or as an `impl Trait`.
    pub(crate) fn returns_optimizer_object(&self) -> bool {
        let output = self.method.output();
        self.declared.value() == Some("Optimizers") && (types::has_dyn(&output) || types::has_impl(&output))
    }

    /// Whether it returns callbacks as Lightning's `list[Callback]`: the trait without a module.
    pub(crate) fn returns_callbacks_without_module(&self) -> bool {
        let is_bare = self.declared.name() == "configure_callbacks"
            && has_bare_name(self.method.output().to_token_stream(), "Callback");
        // the file may have another type of the name
        let file = || SourceFile::of(self.method.sig.ident.span());
        is_bare && file().is_some_and(|file| !file.has_another_type("Callback"))
    }

    /// Whether its return type has this name without arguments.
    pub(crate) fn returns_bare(&self, name: &str) -> bool {
        has_bare_name(self.method.output().to_token_stream(), name)
    }

    /// The name under which it returns a `Result`, as the file tells, and what that stands for.
    pub(crate) fn returned_alias(&self) -> Option<(Ident, String)> {
        let Type::Path(path) = self.method.returned() else { return None };
        let last = path.path.segments.last().filter(|last| last.ident != "Result")?;
        let file = SourceFile::of(last.ident.span())?;
        let argument = match &last.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.first().map(ToTokens::to_token_stream),
            _ => None,
        };
        Some((last.ident.clone(), file.alias_of_result(&last.ident.to_string(), argument)?))
    }

    /// Takes the `Result` for its alias, which is reported and brings no other mistake.
    pub(crate) fn mean_result(&mut self) {
        if let Some(meant) = self.returned_alias().and_then(|(_, meant)| syn::parse_str(&format!("-> {meant}")).ok()) {
            self.method.sig.output = meant;
        }
    }

    /// The type for the loaders that it returns in a tuple.
    pub(crate) fn returned_loaders(&self) -> Option<Type> {
        let Type::Tuple(several) = self.method.output() else { return None };
        let is_loader = |ty: &Type| types::last_name(ty) == "DataLoader";
        let first = several.elems.first()?;
        let returns_several = self.declared.value().is_some_and(|value| value.starts_with("DataLoaders"));
        let ty: Type = match self.method.returns_result() {
            true => parse_quote!(Result<Vec<#first>>),
            false => parse_quote!(Vec<#first>),
        };
        (returns_several && several.elems.iter().all(is_loader)).then_some(ty)
    }

    /// Whether it returns a `DataLoader` without the type of its batches.
    pub(crate) fn returns_loader_without_batch(&self) -> bool {
        let Type::Path(path) = self.method.output() else { return false };
        let is_bare =
            path.path.segments.last().is_some_and(|last| last.ident == "DataLoader" && last.arguments.is_none());
        self.declared.is_dataloader() && is_bare
    }

    /// The `ReduceLrOnPlateau` in its return type, which has no place for the name of a metric.
    pub(crate) fn returned_plateau(&self) -> Option<Ident> {
        let is_of_optimizers = self.declared.value() == Some("Optimizers");
        is_of_optimizers.then(|| find_name(self.method.output().to_token_stream(), "ReduceLrOnPlateau")).flatten()
    }

    /// `B` of a hook that returns `DataLoader<B>` or `Vec<DataLoader<B>>`.
    pub(crate) fn loaded_batch(&self) -> Option<Type> {
        if !self.declared.is_dataloader() {
            return None;
        }
        let mut ty = self.method.output();
        while let Type::Path(path) = &ty {
            let last = path.path.segments.last()?;
            let inner = first_type(&last.arguments)?;
            if last.ident == "DataLoader" || last.ident == "DataLoaders" {
                return Some(inner);
            }
            ty = inner;
        }
        None
    }

    /// The batch that is meant where a loader's hook returns something else, such as `Vec<(Tensor, Tensor)>` or `&DataLoader<Tensor>`.
    /// The type is reported, and brings no other mistake where the block is used.
    pub(crate) fn meant_batch(&self) -> Option<Type> {
        let mut ty = self.declared.is_dataloader().then(|| self.method.output())?;
        loop {
            ty = match ty {
                Type::Reference(borrowed) => *borrowed.elem,
                Type::Path(path) => first_type(&path.path.segments.last()?.arguments)?,
                Type::TraitObject(object) => object.bounds.iter().find_map(|bound| match bound {
                    TypeParamBound::Trait(bound) => associated_type(&bound.path.segments.last()?.arguments),
                    _ => None,
                })?,
                _ => return None,
            };
            if matches!(&ty, Type::Tuple(_)) || types::last_name(&ty) == "Tensor" {
                return Some(ty);
            }
        }
    }

    /// Returns the associated type for a step's value; `None` if its type cannot be named.
    pub(crate) fn step_output(&self) -> Option<Type> {
        let output = self.method.output();
        let parameters = self.method.sig.generics.type_params();
        let is_open = parameters.into_iter().any(|parameter| mentions(output.to_token_stream(), &parameter.ident));
        // a reported mistake brings no other in the hooks that take it
        (!types::has_impl(&output) && !is_open).then(|| types::owned(&output))
    }
}

/// `T` of `<T>`.
fn first_type(arguments: &PathArguments) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    let GenericArgument::Type(ty) = arguments.args.first()? else { return None };
    Some(ty.clone())
}

/// `T` of `<Item = T>`.
fn associated_type(arguments: &PathArguments) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    let GenericArgument::AssocType(associated) = arguments.args.first()? else { return None };
    Some(associated.ty.clone())
}

impl Block {
    /// Returns the type of the value of a step whose parameters do not parse, which rustc reports.
    pub(crate) fn unread_step_output(&self, step: &str) -> Option<Type> {
        let signature = self.item.items.iter().find_map(|item| match item {
            BlockItem::Unread(method) if method.ident == step => method.body_and_signature(),
            _ => None,
        });
        let tokens: Vec<TokenTree> = signature?.1.into_iter().collect();
        let arrow = tokens.windows(2).position(|pair| pair[0].to_string() == "-" && pair[1].to_string() == ">")?;
        let returned: Type = syn::parse2(tokens[arrow + 2..].iter().cloned().collect()).ok()?;
        let value = result_value(&returned).unwrap_or(&returned);
        types::can_be_named(value).then(|| value.clone())
    }
}

fn find_name(code: TokenStream, name: &str) -> Option<Ident> {
    code.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => (ident == name).then_some(ident),
        TokenTree::Group(group) => find_name(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

/// Whether the type has this name without arguments.
fn has_bare_name(ty: TokenStream, name: &str) -> bool {
    let tokens: Vec<TokenTree> = ty.into_iter().collect();
    tokens.iter().enumerate().any(|(place, token)| match token {
        TokenTree::Ident(ident) => {
            let has_arguments = matches!(tokens.get(place + 1), Some(TokenTree::Punct(open)) if open.as_char() == '<');
            ident == name && !has_arguments
        }
        TokenTree::Group(group) => has_bare_name(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn find_minus_one(code: TokenStream) -> Option<[TokenTree; 2]> {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let here = tokens.windows(3).find_map(|three| match three {
        [TokenTree::Ident(keyword), minus @ TokenTree::Punct(sign), one @ TokenTree::Literal(number)]
            if keyword == "return" && sign.as_char() == '-' && number.to_string() == "1" =>
        {
            Some([minus.clone(), one.clone()])
        }
        _ => None,
    });
    here.or_else(|| {
        tokens.iter().find_map(|token| match token {
            TokenTree::Group(group) => find_minus_one(group.stream()),
            _ => None,
        })
    })
}
