//! Hooks that require or exclude others.

catalogue! {
    TL0401 "A module has no `parameters`":
        no_parameters()
        "a module requires `fn parameters(&mut self) -> &mut nn::VarStore` in this block, which returns the store of its parameters";

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
        "`{call}` and the trainer would both step the optimizer: remove this call, or write `#[lightning_module(automatic_optimization = false)]` above the block, and `ctx.manual_step(self, 0)?` here";

    TL0411 "Several optimizers under automatic optimization":
        several_optimizers(hook, number)
        "`{hook}` returns {number} optimizers, and automatic optimization steps one: write `#[lightning_module(automatic_optimization = false)]` above the block and step each in `training_step`, or return one with several algorithms, `ParameterGroups::new(Adam::new(1e-3)).route(\"decoder.**\", Sgd::new(0.1))`";

    TL0412 "A hook that no run calls":
        hook_without_step(hook, step)
        "`{hook}` is never called, as the block has no `{step}`: define `{step}`, or remove `{hook}`"
        hook_without_scheduler(hook, optimizer)
        "`{hook}` is never called, as `configure_optimizers` returns no scheduler: return one, as in `-> ({optimizer}, StepLr)`, or remove `{hook}`";
}
