//! Hooks that require or exclude others.

catalogue! {
    TL0401 "A module has no `parameters`":
        no_parameters()
        "a module requires `fn parameters(&mut self) -> &mut nn::VarStore` in this block, which returns the store of its parameters"
        block_of_loaders()
        "this block has loaders and nothing of a module: write `#[lightning_datamodule]` above it; a module also requires `fn parameters(&mut self) -> &mut nn::VarStore`";

    TL0402 "`fit` without a `training_step`":;

    TL0403 "`fit` without `configure_optimizers`":;

    TL0404 "`validate` without a `validation_step`":;

    TL0405 "`test` without a `test_step`":;

    TL0406 "`predict` without a `predict_step`":;

    TL0407 "A loader without its step":
        loader_without_step(loader, step)
        "no step takes the batches of `{loader}`: define `{step}`, or remove `{loader}`";

    TL0408 "`configure_model` together with `configure_sharded_model`":
        written_under_both_names(older, newer)
        "`{older}` is the older name of `{newer}`, which is also defined: remove one of them";

    TL0409 "A hook that manual optimization never calls":
        hook_of_automatic_optimization(hook, instead)
        "`{hook}` is called in automatic optimization only, and this block has `automatic_optimization = false`: {instead}";

    TL0410 "Manual optimization in a module that is optimized automatically":
        second_backward(call, loss)
        "`{call}` and the trainer would both run the backward pass of `{loss}`: remove this call, or write `#[lightning_module(automatic_optimization = false)]` above the block, and `ctx.manual_backward(self, &{loss})?` here"
        second_step(call)
        "`{call}` and the trainer would both step the optimizer: remove this call, or write `#[lightning_module(automatic_optimization = false)]` above the block, and `ctx.manual_step(self, 0)?` here"
        manual_call(name)
        "`ctx.{name}` is for manual optimization, and the trainer optimizes this module: write `#[lightning_module(automatic_optimization = false)]` above the block, or remove it and return the loss from `training_step`";

    TL0411 "Several optimizers under automatic optimization":
        several_optimizers(hook, number)
        "`{hook}` returns {number} optimizers, and automatic optimization steps one: write `#[lightning_module(automatic_optimization = false)]` above the block and step each in `training_step`, or return one with several algorithms, `ParameterGroups::new(Adam::new(1e-3)).route(\"decoder.**\", Sgd::new(0.1))`";

    TL0412 "A hook that no run calls":
        hook_without_step(hook, step)
        "`{hook}` is never called, as the block has no `{step}`: define `{step}`, or remove `{hook}`"
        hook_without_scheduler(hook, optimizer)
        "`{hook}` is never called, as `configure_optimizers` returns no scheduler: return one, as in `-> ({optimizer}, StepLr)`, or remove `{hook}`";

    TL0413 "Manual optimization past the trainer":
        step_past_trainer(call, index, rest)
        "`{call}` takes a step that the trainer does not count, and runs no hooks: write `ctx.manual_step(self, {index})?`{rest}"
        backward_past_trainer(call, loss, rest)
        "`{call}` runs no hooks, and neither scales the loss nor averages the gradients of several processes: write `ctx.manual_backward(self, &{loss})?`{rest}"
        kept_optimizer(name, index)
        "`{name}` is a part of `ctx`, which is used before `{name}` is used again: write `ctx.optimizer({index})` in each of these lines, and `ctx.manual_step(self, {index})?` for its step"
        several_kept_optimizers(forms)
        "an optimizer is a part of `ctx`: write {forms} where each is used, and `ctx.manual_step(self, 0)?` for a step";

    TL0414 "A state that is saved or restored, and not both":
        state_that_is_not_restored(hook, counterpart)
        "what `{hook}` returns is saved and never restored: define `fn {counterpart}(&mut self, state_dict: &Value)`, or remove `{hook}`"
        state_that_is_not_saved(hook, counterpart)
        "`{hook}` is never called, as no state is saved: define `fn {counterpart}(&mut self) -> Value`, or remove `{hook}`";
}
