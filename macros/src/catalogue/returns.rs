//! What a hook returns.

catalogue! {
    TL0201 "A hook returns the wrong type":
        returned_type(hook, right, wrong)
        "`{hook}` returns `{right}`, not `{wrong}`"
        optimizer_object(hook, wrong)
        "`{hook}` returns the type of its optimizer, not `{wrong}`: write `fn {hook}(&mut self) -> AdamW`, or for one of several types `-> Optimizers`, of which `AdamW::new(1e-3).into()` is one"
        optimizer_of_several(hook, returned, other)
        "`{hook}` returns `{returned}`, and `{other}` here: for one of several types write `fn {hook}(&mut self) -> Optimizers`, and `.into()` after each of them"
        alias_of_result(hook, alias, meant)
        "`{alias}` is another name of `Result`, which `{hook}` must return under its own: write `{meant}`, or call the alias `Result`"
        loaders_in_tuple(hook, form)
        "`{hook}` returns several loaders in a `Vec`: write `{form}`, and `vec![first, second]`"
        loader_without_batch(form)
        "the type of a loader has that of its batches: write `{form}`"
        returns_nothing(hook, form)
        "`{hook}` returns nothing: write `{form}`"
        callbacks_without_module(hook, wrong)
        "`{hook}` returns callbacks in a tuple, not `{wrong}`: write `-> (ModelCheckpoint, EarlyStopping)`, or for a number of them `-> Vec<Box<dyn Callback<Self>>>`"
        lambda_without_module(hook)
        "`LambdaCallback` has the type of the module: write `LambdaCallback<Self>` in what `{hook}` returns"
        callback_of_several(hook, tuple)
        "the values of a list have one type, and callbacks of several types are in a tuple: write `fn {hook}(&self) -> {tuple}`, and `(…, …)` in place of the list"
        schedules_of_several(ty, form)
        "`{ty}` takes schedules of several types by `.into()`: write `{form}`"
        algorithm_of_several(first, other, selector)
        "`group` adds a group of the first algorithm, `{first}`, and `{other}` is another one: write `.route({selector}, {other}::new(…))`"
        optimizer_of_tch(hook, wrong)
        "`{hook}` returns an optimizer of tch-lightning, not `{wrong}` of tch: write `-> AdamW` and `AdamW::new(1e-3)`, which gets the parameters of `fn parameters`"
        plateau_without_metric(hook)
        "`{hook}` returns a `ReduceLrOnPlateau` without the metric that it watches: write `-> ScheduledOptimizer`, and `optimizer.lr_scheduler(scheduler).monitor(\"val_loss\")`"
        minus_one(hook, form)
        "`{hook}` skips the rest of the epoch by `return Flow::SkipEpoch`, not `-1`: write `{form}`, and `Flow::Continue` at its end";

    TL0202 "A training step returns no loss":
        step_without_loss(step)
        "`{step}` returns no loss, so nothing is trained: write `-> Tensor`, or `-> Option<Tensor>` to skip batches; a module that steps its optimizers itself has `#[lightning_module(automatic_optimization = false)]`"
        loss_without_graph(step, instead)
        "`{step}` returns a loss without its graph, so nothing would be trained: {instead}";

    TL0203 "A hook returns `impl Trait`":
        hidden_output(hook)
        "the hook `{hook}` cannot return `impl Trait`: write the type";

    TL0204 "A step returns a borrow":
        borrowed_output(hook, instead)
        "`{hook}` cannot return a borrow, as its value outlives the batch: write {instead}";

    TL0205 "A method fails with something that is not an error":
        question_mark_without_result(hook, form, end)
        "`{hook}` uses `?`, and returns no `Result`: write `-> {form}`, and {end}"
        error_of_text(form)
        "a text is not an error: write `{form};`, of the prelude, which makes one of it and returns it";
}
