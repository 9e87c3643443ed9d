//! What can be wrong with a block, one small function each. Every mistake is noted on the tokens that the user wrote; what
//! rustc says better itself is left to rustc.

mod elsewhere;
mod names;
mod signature;
mod together;

use crate::catalogue;
use crate::mistakes::Mistakes;
use crate::model::Block;
use crate::owned::anonymous_lifetimes;
use quote::ToTokens;

/// Notes every mistake of the block, and marks the hooks that must not be forwarded to.
pub(crate) fn block(block: &mut Block, mistakes: &mut Mistakes) {
    lifetimes(block, mistakes);
    together::parameters(block, mistakes);
    together::loaders(block, mistakes);
    together::older_names(block, mistakes);
    together::manual_optimization(block, mistakes);
    names::unknown_methods(block, mistakes);
    for hook in &mut block.hooks {
        let is_sound = mistakes.of_method(&hook.method.conditions, |mistakes| signature::is_sound(hook, mistakes));
        hook.faulty = !is_sound;
    }
}

/// The trainer keeps the module and the loops its batches: nothing in them may be borrowed.
fn lifetimes(block: &Block, mistakes: &mut Mistakes) {
    let head = &block.item.head;
    let named = head.generics.lifetimes().map(ToTokens::to_token_stream);
    for lifetime in named.chain(anonymous_lifetimes(&head.self_ty)) {
        mistakes.add(lifetime, catalogue::borrowing_block(block.role.attribute()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use crate::hooks::Role;
    use crate::parse;
    use proc_macro2::TokenStream;
    use quote::quote;

    /// The sentences that are said to a module with these methods.
    fn mistakes(methods: TokenStream) -> Vec<String> {
        mistakes_under(Arguments::default(), methods)
    }

    fn mistakes_under(arguments: Arguments, methods: TokenStream) -> Vec<String> {
        let tokens = quote! {
            impl Model {
                fn parameters(&mut self) -> &mut nn::VarStore {
                    &mut self.vs
                }

                #methods
            }
        };
        let mut mistakes = Mistakes::new();
        let item = parse::block(Role::Module, &tokens, &mut mistakes).unwrap();
        block(&mut Block::new(Role::Module, arguments, item), &mut mistakes);
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
            fn backward(&self, loss: &Tensor, _loss: &Tensor) {}
        };
        let expected = [
            "the hook `on_fit_start` can't be `async`: the loops call it and wait for nothing [TL0106]",
            "the hook `on_fit_start` takes `&mut self` or `&self`: the trainer keeps what it calls [TL0110]",
            "`ctx` of `on_fit_start` is `&mut Context`, not `Context` [TL0104]",
            "`on_fit_start` is given its parameters by name: it can ask for `ctx` [TL0103]",
            "a hook asks for a parameter always or never: `#[cfg]` can stand on the whole hook [TL0105]",
            "`training_step` can't return a borrow: what it returns outlives the batch [TL0204]",
            "`on_train_end` has no parameter `batch`: it can ask for `ctx` [TL0101]",
            "`backward` asks for `loss` twice: once is enough [TL0102]",
        ];
        assert_eq!(mistakes(wrong), expected);
    }

    #[test]
    fn what_belongs_together_is_missed_where_it_is_not() {
        let wrong = quote! {
            fn val_dataloader(&self) -> DataLoader<Tensor> { todo!() }
            fn test_dataloader(&self) -> DataLoader<Tensor> { todo!() }
            fn test_step(&self) {}
            fn configure_sharded_model(&self) {}
            fn configure_model(&self) {}
        };
        let expected = [
            "`val_dataloader` loads batches that no step takes: write `validation_step` too, or leave the loader out [TL0407]",
            "`configure_sharded_model` is the older name of `configure_model`, which is written too: keep one of them [TL0408]",
        ];
        assert_eq!(mistakes(wrong), expected);
    }

    #[test]
    fn manual_optimization_leaves_some_hooks_uncalled() {
        let methods = quote! {
            fn training_step(&self, batch: &Tensor) {}
            fn backward(&self, loss: &Tensor) {}
            fn optimizer_step(&self) {}
            fn on_before_zero_grad(&self) {}
        };
        let expected = [
            "`optimizer_step` is a hook of automatic optimization, and this block says `automatic_optimization = false`: call `ctx.manual_step(self, optimizer)` in `training_step` [TL0409]",
            "`on_before_zero_grad` is a hook of automatic optimization, and this block says `automatic_optimization = false`: do it in `training_step` [TL0409]",
        ];
        let manual = Arguments { automatic_optimization: false, ..Arguments::default() };
        assert_eq!(mistakes_under(manual, methods.clone()), expected);
        assert_eq!(mistakes(methods), Vec::<String>::new());
    }

    #[test]
    fn hooks_of_elsewhere_are_known() {
        let wrong = quote! {
            fn on_epoch_begin(&self) {}
            fn on_hpc_save(&self) {}
            fn step(&self, batch: &Tensor) -> Tensor { todo!() }
            fn on_train_dataloaders(&self) {}
        };
        let expected = [
            "`on_epoch_begin` is a hook of Keras: write `on_train_epoch_start`, or `#[not_a_hook]` above it [TL0005]",
            "`on_hpc_save` is a hook of an older Lightning: write `on_save_checkpoint`, or `#[not_a_hook]` above it [TL0004]",
            "`step` is a hook of burn: write `training_step` or `validation_step`, or `#[not_a_hook]` above it [TL0005]",
            "`on_train_dataloaders` is no hook of `#[lightning_module]`: write `train_dataloader`, or `#[not_a_hook]` above it [TL0001]",
        ];
        assert_eq!(mistakes(wrong), expected);
        let ordinary = quote! {
            fn training_step(&self, batch: &Tensor) -> Tensor { self.step(batch) }
            fn step(&self, batch: &Tensor) -> Tensor { todo!() }
        };
        assert_eq!(mistakes(ordinary), Vec::<String>::new());
    }
}
