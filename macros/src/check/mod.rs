//! The rules of a block, one function each. Every mistake is noted on the tokens that the user wrote; what rustc says better
//! itself is left to rustc.

mod names;
mod signature;

use crate::hooks::Role;
use crate::mistakes::Mistakes;
use crate::model::Block;

/// Notes every mistake of the block, and marks the hooks that must not be forwarded to.
pub(crate) fn block(block: &mut Block, mistakes: &mut Mistakes) {
    lifetimes(block, mistakes);
    parameters_method(block, mistakes);
    names::unknown_methods(block, mistakes);
    for hook in &mut block.hooks {
        hook.faulty = !signature::is_sound(hook, mistakes);
    }
}

/// The trainer keeps the module and the loops its batches: nothing in them may be borrowed.
fn lifetimes(block: &Block, mistakes: &mut Mistakes) {
    for lifetime in block.item.head.generics.lifetimes() {
        let attribute = block.role.attribute();
        mistakes
            .add(lifetime, format_args!("the type of a `#[{attribute}]` owns what it holds: it can't have lifetimes"));
    }
}

fn parameters_method(block: &Block, mistakes: &mut Mistakes) {
    if block.role == Role::Module && block.written("parameters").next().is_none() {
        mistakes.add(
            &block.item.head.self_ty,
            "a module needs `fn parameters(&mut self) -> &mut nn::VarStore`, which returns the store of its parameters",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use proc_macro2::TokenStream;
    use quote::quote;

    /// The sentences that are said to a module with these methods.
    fn mistakes(methods: TokenStream) -> Vec<String> {
        let tokens = quote! {
            impl Model {
                fn parameters(&mut self) -> &mut nn::VarStore {
                    &mut self.vs
                }

                #methods
            }
        };
        let mut mistakes = Mistakes::new();
        let item = parse::block(Role::Module, &TokenStream::new(), &tokens, &mut mistakes).unwrap();
        block(&mut Block::new(Role::Module, item), &mut mistakes);
        mistakes.into_sentences()
    }

    #[test]
    fn every_right_form_is_taken() {
        let right = quote! {
            fn new(learning_rate: f64) -> Self { todo!() }
            fn on_fit_start(self: &mut Self) {}
            fn on_fit_end(&self, mut ctx: &Context) {}
            const fn on_train_start(&mut self) {}
            fn r#backward(&mut self, r#loss: &Tensor) -> Result<()> { half. typed }
            fn training_step<'a>(&'a self, batch @ (x, y): &'a (Tensor, Tensor), _batch_idx: usize) -> Tensor { x }
            fn validation_step(&self, #[allow(unused)] batch_idx: usize) -> Box<dyn Fn(&Tensor) -> &str> { todo!() }
            #[not_a_hook]
            fn on_my_own(&self) {}
            #[not_a_hook]
            fn train_step(self) {}
            fn accuracy<T>(&self, values: impl Iterator<Item = T>) -> impl Iterator<Item = T> { values }
        };
        assert_eq!(mistakes(right), Vec::<String>::new());
    }

    #[test]
    fn every_mistake_is_noted() {
        let wrong = quote! {
            async fn on_fit_start(self: Box<Self>, ctx: Context, _: usize) {}
            fn training_step(&self, #[cfg(unix)] batch: &Tensor) -> &Tensor { batch }
            fn on_train_end(&self, batch: &Tensor) {}
        };
        let expected = [
            "the hook `on_fit_start` can't be `async`: the loops call it and wait for nothing",
            "the hook `on_fit_start` takes `&mut self` or `&self`: the trainer keeps what it calls",
            "`ctx` of `on_fit_start` is `&mut Context`, not `Context`",
            "`on_fit_start` is given its parameters by name: it can ask for `ctx`",
            "a hook asks for a parameter always or never: `#[cfg]` can stand on the whole hook",
            "`training_step` can't return a borrow: what it returns outlives the batch",
            "`on_train_end` has no parameter `batch`: it can ask for `ctx`",
        ];
        assert_eq!(mistakes(wrong), expected);
    }
}
