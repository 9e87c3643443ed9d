//! The checks of a block, one small function each. Errors have the location of the tokens that the user wrote; what rustc reports
//! better is left to rustc.

mod associated_items;
mod automatic_optimization;
mod bodies;
mod chosen_optimizers;
mod constructor;
mod constructor_calls;
mod constructor_self;
mod context_calls;
mod cross_checks;
mod foreign_hooks;
mod habits;
mod lost_graph;
mod manual_optimization;
mod meant_hooks;
mod missing_parameters;
mod names;
mod outputs;
mod pytorch_spelling;
mod question_mark;
mod several_types;
mod signature;
mod text_errors;
pub(crate) mod tokens;
mod torch;
mod torchmetrics;
mod trainer_defaults;
pub(crate) mod unannotated_module;
mod underived_batch;

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::erase_lifetimes::anonymous_lifetimes;
use crate::hooks::Role;
use crate::model::Block;
use crate::parse::CONSTRUCTOR;
use quote::ToTokens;

/// Reports every error of the block, and marks the hooks that must not be forwarded to.
pub(crate) fn block(block: &mut Block, diagnostics: &mut Diagnostics) {
    lifetimes(block, diagnostics);
    for (method, meant) in names::unknown_methods(block, diagnostics) {
        match meant {
            CONSTRUCTOR => block.mean_constructor(&method),
            hook => block.mean(&method, hook),
        }
    }
    constructor::renamed(block, diagnostics);
    constructor::in_another_block(block, diagnostics);
    cross_checks::parameters(block, diagnostics);
    cross_checks::loaders(block, diagnostics);
    cross_checks::loaders_of_datasets(block, diagnostics);
    cross_checks::loaders_without_batches(block, diagnostics);
    cross_checks::undeclared_modules(block, diagnostics);
    cross_checks::one_module(block, diagnostics);
    names::attributes_of_python(block, diagnostics);
    // the method of Python, which has been reported, says that it is manual
    block.arguments.automatic_optimization &= !block.has("automatic_optimization");
    block.has_faulty_loaders = !cross_checks::program_has_loaders(block, diagnostics);
    cross_checks::older_names(block, diagnostics);
    cross_checks::manual_optimization(block, diagnostics);
    cross_checks::several_optimizers(block, diagnostics);
    cross_checks::hooks_without_step(block, diagnostics);
    cross_checks::states(block, diagnostics);
    outputs::of_nothing(block, diagnostics);
    cross_checks::hooks_without_scheduler(block, diagnostics);
    names::macro_calls(block, diagnostics);
    names::marker_arguments(block, diagnostics);
    associated_items::without_effect(block, diagnostics);
    names::other_blocks(block, diagnostics);
    pytorch_spelling::of_optimizers(block, diagnostics);
    pytorch_spelling::of_callbacks(block, diagnostics);
    bodies::written_as_in_python(block, diagnostics);
    block.has_faulty_hparams = !constructor::is_sound(block, diagnostics);
    block.has_faulty_constructor = block.has_faulty_hparams && block.possible_constructors().next().is_none();
    block.has_faulty_defaults = !trainer_defaults::is_sound(block, diagnostics);
    let is_automatic = block.role == Role::Module && block.arguments.automatic_optimization;
    for hook in block.hooks.iter_mut().filter(|hook| !hook.faulty) {
        let is_sound = diagnostics.of_method(&hook.method.conditions, |diagnostics| {
            signature::loss(hook, is_automatic, diagnostics);
            let is_done_once = !is_automatic || automatic_optimization::done_twice(hook, diagnostics);
            lost_graph::of_loss(hook, is_automatic, diagnostics);
            signature::is_sound(hook, diagnostics)
                && is_done_once
                && missing_parameters::none_is_used(hook, diagnostics)
        });
        hook.faulty = !is_sound;
        hook.mean_result();
    }
    outputs::without_type(block);
    block.underived_batch = underived_batch::reported(block, diagnostics);
}

/// The trainer keeps the module, and the loops its batches: neither may borrow.
fn lifetimes(block: &Block, diagnostics: &mut Diagnostics) {
    let head = &block.item.head;
    let named = head.generics.lifetimes().map(ToTokens::to_token_stream);
    for lifetime in named.chain(anonymous_lifetimes(&head.self_ty)) {
        diagnostics.add(lifetime, catalogue::borrowing_block(block.role.attribute()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use crate::parse;
    use proc_macro2::TokenStream;
    use quote::quote;

    /// Returns the messages for a module with these methods.
    fn diagnostics(methods: TokenStream) -> Vec<String> {
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
        let mut diagnostics = Diagnostics::new();
        let item = parse::block(Role::Module, &tokens, &mut diagnostics).unwrap();
        block(&mut Block::new(Role::Module, arguments, item), &mut diagnostics);
        diagnostics.into_sentences()
    }

    #[test]
    fn valid_forms_are_accepted() {
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
        assert_eq!(diagnostics(right), Vec::<String>::new());
    }

    #[test]
    fn mistakes_are_all_reported() {
        let wrong = quote! {
            async fn on_fit_start(self: Box<Self>, ctx: Context, _: usize) {}
            fn training_step(&self, #[cfg(unix)] batch: &Tensor) -> &Tensor { batch }
            fn on_train_end(&self, batch: &Tensor) {}
            fn backward(&self, loss: &Tensor, _loss: &Tensor) {}
        };
        let expected = [
            "the hook `on_fit_start` cannot be `async`: the trainer does not await it [TL0106]",
            "the hook `on_fit_start` must take `&mut self` or `&self`: the trainer keeps the value [TL0110]",
            "`ctx` of `on_fit_start` is `&mut Context`, not `Context` [TL0104]",
            "the parameters of `on_fit_start` are matched by name: it takes `ctx: &mut Context` [TL0103]",
            "a parameter of a hook cannot be conditional: put `#[cfg]` on the hook [TL0105]",
            "`training_step` cannot return a borrow, as its value outlives the batch: write `-> Tensor` [TL0204]",
            "`on_train_end` has no parameter `batch`: it takes `ctx: &mut Context` [TL0101]",
            "`backward` has the parameter `loss` twice: remove one [TL0102]",
        ];
        assert_eq!(diagnostics(wrong), expected);
    }

    #[test]
    fn python_in_bodies_is_reported() {
        let wrong = quote! {
            fn training_step(&self, ctx: &mut Context, batch: &Tensor) -> Tensor {
                ctx.log("loss", batch, prog_bar = True);
                ctx.print(ctx.trainer.max_epochs);
                batch
            }
            fn report(&self, ctx: &mut Context) { ctx.log(self.loss()) }
        };
        let expected = [
            "arguments have no names in Rust: in place of `prog_bar = true`, write `.prog_bar()` after `ctx.log(…)` [TL0006]",
            "`max_epochs` is written otherwise than in Lightning's Python: write `ctx.config().max_epochs` [TL0006]",
            "`ctx.log` takes a name and a value: write `ctx.log(\"loss\", &loss)` [TL0006]",
        ];
        assert_eq!(diagnostics(wrong), expected);
    }

    #[test]
    fn rust_in_bodies_is_not_taken_for_python() {
        let right = quote! {
            fn training_step(&self, ctx: &mut Context, batch: &Tensor) -> Tensor {
                let mut seen = 0;
                println!("{loss}", loss = batch);
                batch.apply(|x| seen = x.size());
                check(seen == 3, &self.trainer, ctx.current_epoch());
                info!(ctx.log(batch));
                #[allow(unused, reason = "none")]
                let ctx = self.other();
                let loss = batch.mean(None);
                batch.backward();
                loss
            }
            fn draw(&self, ctx: &mut Canvas) { ctx.log(ctx.device) }
        };
        assert_eq!(diagnostics(right), Vec::<String>::new());
    }

    #[test]
    fn counterparts_that_are_missing_are_reported() {
        let wrong = quote! {
            fn val_dataloader(&self) -> DataLoader<Tensor> { todo!() }
            fn test_dataloader(&self) -> DataLoader<Tensor> { todo!() }
            fn test_step(&self) {}
            fn configure_sharded_model(&self) {}
            fn configure_model(&self) {}
        };
        let expected = [
            "no step takes the batches of `val_dataloader`: define `validation_step`, or remove `val_dataloader` [TL0407]",
            "`configure_sharded_model` is the older name of `configure_model`, which is also defined: remove one of them [TL0408]",
        ];
        assert_eq!(diagnostics(wrong), expected);
    }

    #[test]
    fn manual_optimization_leaves_some_hooks_uncalled() {
        let methods = quote! {
            fn training_step(&self, batch: &Tensor) -> Option<Tensor> { None }
            fn backward(&self, loss: &Tensor) {}
            fn optimizer_step(&self) {}
            fn on_before_zero_grad(&self) {}
        };
        let expected = [
            "`optimizer_step` is called in automatic optimization only, and this block has `automatic_optimization = false`: call `ctx.manual_step(self, optimizer)` in `training_step` [TL0409]",
            "`on_before_zero_grad` is called in automatic optimization only, and this block has `automatic_optimization = false`: do it in `training_step` [TL0409]",
        ];
        let manual = Arguments { automatic_optimization: false, ..Arguments::default() };
        assert_eq!(mistakes_under(manual, methods.clone()), expected);
        assert_eq!(diagnostics(methods), Vec::<String>::new());
    }

    #[test]
    fn optimization_past_the_trainer_is_reported() {
        let manual = || Arguments { automatic_optimization: false, ..Arguments::default() };
        let wrong = quote! {
            fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
                let mut opt = ctx.optimizer(1);
                if batch.numel() > 1 {
                    g_loss.backward();
                }
                opt.step()?;
                Ok(())
            }
            fn on_train_end(&mut self, ctx: &mut Context) { ctx.optimizers_mut()[0].step(); }
        };
        let expected = [
            "`opt.step()` takes a step that the trainer does not count, and runs no hooks: write `ctx.manual_step(self, 1)?` [TL0413]",
            "`g_loss.backward()` runs no hooks, and neither scales the loss nor averages the gradients of several processes: write `ctx.manual_backward(self, &g_loss)?` [TL0413]",
            "`ctx.optimizers_mut()[0].step()` takes a step that the trainer does not count, and runs no hooks: write `ctx.manual_step(self, 0)?` in `training_step` [TL0413]",
        ];
        assert_eq!(mistakes_under(manual(), wrong), expected);
        let right = quote! {
            fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
                let lr = ctx.optimizer(0).lr();
                let opt = ctx.optimizer(0);
                opt.set_lr(lr);
                let opt = clock();
                opt.step();
                ctx.optimizer(0).set_lr(lr);
                batch.square().sum(None).backward();
                ctx.manual_backward(self, &batch.grad())?;
                self.clock.step();
                Ok(ctx.manual_step(self, 0)?)
            }
            fn penalty(&self, clock: &mut Clock, loss: &Tensor) { loss.backward(); clock.step(); }
        };
        assert_eq!(mistakes_under(manual(), right), Vec::<String>::new());
    }

    #[test]
    fn parameters_that_are_not_taken_are_reported() {
        let wrong = quote! {
            fn training_step(&mut self, batch: &Tensor) -> Tensor {
                if batch_idx > 3 { ctx.log("loss", batch); }
                batch.mean(None)
            }
        };
        let expected = [
            "`training_step` uses `ctx`, which it does not take: add the parameter `ctx: &mut Context` [TL0111]",
            "`training_step` uses `batch_idx`, which it does not take: add the parameter `batch_idx: usize` [TL0111]",
        ];
        assert_eq!(diagnostics(wrong), expected);
        let right = quote! {
            fn training_step(&mut self, batch: &Tensor) -> Tensor {
                let ctx = self.audio();
                ctx.play();
                self.batch_idx += 1;
                self.each(|batch_idx| batch_idx + 1);
                batch.mean(None)
            }
            fn test_step(&mut self, r#ctx: &mut Context, _batch_idx: usize) { ctx.log("loss", batch_idx); }
            fn validation_step(&mut self, batch: &Tensor) {
                fn draw(ctx: &mut Canvas) { ctx.line(); }
                println!("{batch_idx}", batch_idx = self.batch_idx());
                Row { batch_idx: 3 };
            }
            fn on_train_end(&mut self) { cairo::ctx.draw(); batch_idx(3); self.ctx.draw(); }
        };
        assert_eq!(diagnostics(right), Vec::<String>::new());
    }

    #[test]
    fn calls_of_the_context_are_checked() {
        let wrong = quote! {
            fn on_train_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
                ctx.log("loss", 1.0, true);
                ctx.log("loss", 1.0).prog_bar()?;
                ctx.print("epoch {} over", epoch);
                ctx.print("epoch {epoch} over").unwrap();
                if ctx.rank() == 0 { ctx.broadcast(Tensor::from(1.0))?; }
                Ok(())
            }
            fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
                let loss = batch[0].mse_loss(&batch.1, tch::Reduction::Mean);
                self.keep(loss.clone());
                loss
            }
        };
        let expected = [
            "`ctx.log` takes a name and a value: write `ctx.log(\"loss\", 1.0)`, and its settings as methods after it, such as `.prog_bar()` [TL0006]",
            "`ctx.log` returns no `Result`: remove `?` [TL0006]",
            "`ctx.print` takes one value and formats no other: write `ctx.print(format_args!(\"epoch {} over\", epoch))` [TL0006]",
            "`ctx.print` takes one value and formats no other: write `ctx.print(format_args!(\"epoch {epoch} over\"))` [TL0006]",
            "`ctx.rank() == 0` is written otherwise than in Lightning's Python: write `ctx.rank().global == 0`, or `ctx.is_global_zero()` [TL0006]",
            "`broadcast` is written otherwise than in Lightning's Python: tensors are gathered: write `ctx.all_gather(&tensor)?.get(0)`, which is that of rank 0 [TL0006]",
            "brackets do not read a part of a tuple: write `batch.0` [TL0006]",
            "a tensor has no `clone()` without arguments: write `&loss`, or `loss.shallow_clone()` for a second value with the same numbers [TL0006]",
        ];
        assert_eq!(diagnostics(wrong), expected);
        let right = quote! {
            fn on_train_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
                ctx.log("loss", max(1.0, self.value::<f64, 3>(3, 4)));
                ctx.log("loss", values.iter().fold(0.0, |sum, value| sum + value));
                ctx.log_dir()?;
                ctx.print(format_args!("{}", 3));
                ctx.print("{{}} is JSON, {\"a\": 3} too");
                ctx.print(text);
                ctx.rank().global == 0;
                ctx.broadcast(3)?;
                Ok(())
            }
            fn validation_step(&mut self, batch: &(Tensor, Tensor)) -> f64 {
                let loss = batch.0.mse_loss(&batch.1, tch::Reduction::Mean);
                let loss = loss.double_value(&[]);
                self.keep(loss.clone());
                self.names[0].clone();
                loss
            }
        };
        assert_eq!(diagnostics(right), Vec::<String>::new());
    }

    #[test]
    fn foreign_hooks_are_known() {
        let wrong = quote! {
            fn on_epoch_begin(&self) {}
            fn on_hpc_save(&self) {}
            fn step(&self, batch: &Tensor) -> Tensor { todo!() }
            fn on_train_dataloaders(&self) {}
        };
        let expected = [
            "`on_epoch_begin` is a hook of Keras: write `on_train_epoch_start`, or mark it `#[not_a_hook]` [TL0005]",
            "`on_hpc_save` is a hook of an older Lightning: write `on_save_checkpoint`, or mark it `#[not_a_hook]` [TL0004]",
            "`step` is a hook of burn: write `training_step` or `validation_step`, or mark it `#[not_a_hook]` [TL0005]",
            "`on_train_dataloaders` is not a hook of `#[lightning_module]`: rename it to `train_dataloader`, or mark it `#[not_a_hook]` [TL0001]",
        ];
        assert_eq!(diagnostics(wrong), expected);
        let ordinary = quote! {
            fn training_step(&self, batch: &Tensor) -> Tensor { self.step(batch) }
            fn step(&self, batch: &Tensor) -> Tensor { todo!() }
        };
        assert_eq!(diagnostics(ordinary), Vec::<String>::new());
    }
}
