//! What rust-analyzer gets, and rustc does not.
//!
//! rust-analyzer also expands the attribute while a method is being written. It offers the methods of a trait where one of its
//! implementations is edited, and nothing in the block of a type. So an incomplete item, such as `fn on_val`, is moved into an
//! implementation of a trait with the hooks that the block does not have yet, in the form in which users write them.

use crate::hooks::{self, Hook, Role, parsed};
use crate::model::{Block, Written};
use crate::parse::BlockItem;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::visit_mut::{VisitMut, visit_path_mut, visit_type_mut};
use syn::{Path, Type, parse_quote};

/// Whether rust-analyzer expands the macro, in its own process.
pub(super) fn is_expanding() -> bool {
    let program = std::env::current_exe().unwrap_or_default();
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rust-analyzer"))
}

/// Returns an implementation for each incomplete item of the block.
pub(super) fn unfinished(block: &Block) -> TokenStream {
    let unfinished = block.item.items.iter().filter_map(|item| match item {
        BlockItem::Unfinished(tokens) => Some(implementation(block, tokens)),
        _ => None,
    });
    unfinished.collect()
}

fn implementation(block: &Block, unfinished: &TokenStream) -> TokenStream {
    let generics = block.generics();
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    let declared = block.traits.iter().flat_map(|one| one.methods());
    let missing = declared.filter(|hook| block.written(hook.name()).next().is_none() && hook.newer_name().is_none());
    let methods = missing.map(|hook| method(block, hook));
    // without it, the incomplete name would be one that the trait does not have
    let own = method_name(unfinished).map(|own| Ident::new(&own.to_string(), Span::call_site()));
    let own = own.map(|own| quote!(fn #own(&mut self) {}));
    quote! {
        const _: () = {
            // first, as rust-analyzer expects an incomplete name at the same place as without what it adds to it
            impl #generics LightningHooks for #name #bounds {
                #unfinished
            }
            trait LightningHooks {
                #(#methods)*
                #own
            }
        };
    }
}

/// The name of an incomplete method.
fn method_name(unfinished: &TokenStream) -> Option<Ident> {
    let mut tokens = unfinished.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(keyword) if keyword == "fn"))?;
    match tokens.next()? {
        TokenTree::Ident(name) => Some(name),
        _ => None,
    }
}

/// The hook with its documentation, as a user writes it.
fn method(block: &Block, hook: Hook) -> TokenStream {
    let (name, lines) = (hook.ident(), hook.documentation());
    let generics = (block.role == Role::Callback).then(|| quote!(<M: LightningModule>));
    let receiver = if hook.takes_self_mutably() { quote!(&mut self) } else { quote!(&self) };
    let parameters = hook.parameters().map(|parameter| {
        let (name, ty) = (parameter.ident(), usual(block, parameter.written()));
        quote!(#name: #ty)
    });
    let output = hook.value().or(hook.output()).map(|output| usual(block, output));
    let output = output.filter(|output| *output != parse_quote!(())).map(|output| quote!(-> #output));
    quote! {
        #(#[doc = #lines])*
        fn #name #generics(#receiver, #(#parameters),*) #output {
            loop {}
        }
    }
}

/// Returns a declared type as a user writes it, with the types that the block decides.
fn usual(block: &Block, declared: &str) -> Type {
    let mut ty: Type = parsed(declared);
    Usual(block).visit_type_mut(&mut ty);
    ty
}

struct Usual<'a>(&'a Block);

impl VisitMut for Usual<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = ty
            && let Some(usual) = of_step(self.0, &path.path).or_else(|| batch(self.0, &path.path))
        {
            *ty = usual;
            return;
        }
        visit_type_mut(self, ty);
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_path_mut(self, path);
        if let Some(name) = path.get_ident()
            && let Some(written) = outside_prelude(name)
        {
            *path = written;
            return;
        }
        // one optimizer and one loader are what most modules have
        for segment in &mut path.segments {
            if segment.ident == "DataLoaders" {
                segment.ident = Ident::new("DataLoader", segment.ident.span());
            } else if segment.ident == "Optimizers" {
                segment.ident = Ident::new("AdamW", segment.ident.span());
            }
        }
    }
}

/// The path of a type that the prelude does not have.
fn outside_prelude(name: &Ident) -> Option<Path> {
    match name.to_string().as_str() {
        "Error" => Some(parse_quote!(tch_lightning::Error)),
        "GradientClipAlgorithm" => Some(parse_quote!(tch_lightning::trainer::GradientClipAlgorithm)),
        "Value" => Some(parse_quote!(tch_lightning::serde_json::Value)),
        _ => None,
    }
}

/// The type of a step's value, `Self::TrainingOutput` in the declarations: what the block's step returns, or what most do.
fn of_step(block: &Block, path: &Path) -> Option<Type> {
    let (hook, step) = hooks::steps().find(|(_, step)| is_associated(path, step.output))?;
    let written = block.written(hook.name()).next().and_then(Written::step_output);
    let returns_tensor = step.has_loss || hook.capability().is_some_and(|one| one.form.ends_with("-> Tensor"));
    written.or_else(|| Some(if returns_tensor { parse_quote!(Tensor) } else { parse_quote!(()) }))
}

/// The type of the block's batches, `Self::Batch` in the declarations: images with labels where no hook has decided it.
fn batch(block: &Block, path: &Path) -> Option<Type> {
    let is_batch = is_associated(path, "Batch");
    let decided = || block.decided_batches().into_iter().next().map(|decided| decided.batch);
    is_batch.then(|| decided().unwrap_or_else(|| parse_quote!((Tensor, Tensor))))
}

fn is_associated(path: &Path, name: &str) -> bool {
    let names: Vec<&Ident> = path.segments.iter().map(|segment| &segment.ident).collect();
    matches!(names.as_slice(), [owner, associated] if *owner == "Self" && *associated == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use crate::diagnostics::Diagnostics;
    use crate::parse;
    use quote::ToTokens;

    #[test]
    fn method_that_is_being_written_is_completed_by_rust_analyzer() {
        let block = quote! {
            impl<N: nn::Module> Model<N> {
                fn parameters(&mut self) -> &mut VarStore {
                    &mut self.vs
                }

                fn training_step(&mut self, batch: &Rows) -> Loss {
                    self.loss(batch)
                }

                fn on_val

                fn helper(&self) {}
            }
        };
        let mut diagnostics = Diagnostics::new();
        let item = parse::block(Role::Module, &block, &mut diagnostics).unwrap();
        let block = Block::new(Role::Module, Arguments::default(), item);
        assert_eq!(diagnostics.into_compile_errors().to_string(), "");
        assert!(!block.item.to_token_stream().to_string().contains("on_val"), "the rest of the block still compiles");
        assert_eq!(block.other_methods().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["helper"]);

        let offered = unfinished(&block).to_string();
        let offers = |form: TokenStream| assert!(offered.contains(&form.to_string()), "{form} is not in {offered}");
        offers(quote!(impl<N: nn::Module> LightningHooks for Model<N> where N: 'static { fn on_val }));
        offers(quote!(fn on_validation_epoch_end(&mut self, ctx: &mut Context)));
        offers(quote!(fn on_train_batch_start(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Flow));
        offers(quote!(
            fn on_train_batch_end(&mut self, ctx: &mut Context, outputs: &Loss, batch: &Rows, batch_idx: usize) {
                loop {}
            }
        ));
        offers(quote!(fn predict_step(
            &mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize, dataloader_idx: usize
        ) -> Tensor));
        offers(quote!(fn on_predict_epoch_end(&mut self, ctx: &mut Context, predictions: &[Tensor])));
        offers(quote!(gradient_clip_algorithm: tch_lightning::trainer::GradientClipAlgorithm));
        assert!(!offered.contains("configure_sharded_model"), "it is an older name");
        offers(quote!(fn configure_optimizers(&mut self, ctx: &mut Context) -> AdamW));
        offers(quote!(fn val_dataloader(&mut self, ctx: &mut Context) -> DataLoader<Rows>));
        assert!(!offered.contains("fn training_step"), "it is written already");
    }
}
