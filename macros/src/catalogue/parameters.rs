//! The parameters of a hook, and the forms of its signature.

catalogue! {
    TL0101 "A hook has an unknown parameter":
        misspelled_parameter(hook, asked, meant, list)
        "`{hook}` has no parameter `{asked}`: did you mean `{meant}`? It takes {list}"
        parameter_of_lightning(hook, asked, instead)
        "`{hook}` has no parameter `{asked}`: {instead}"
        trainer_and_module(hook, module)
        "`{hook}` takes `ctx: &mut Context, module: {module}` in place of Lightning's `trainer` and `pl_module`"
        batch_in_parts(hook, types, names)
        "`{hook}` takes the batch as one parameter: write `batch: &({types})`, and `let ({names}) = batch;` in its body"
        unknown_parameter(hook, asked, list)
        "`{hook}` has no parameter `{asked}`: it takes {list}";

    TL0102 "A hook has a parameter twice":
        parameter_twice(hook, name)
        "`{hook}` has the parameter `{name}` twice: remove one";

    TL0103 "A parameter of a hook has no name":
        parameter_without_name(hook, list)
        "the parameters of `{hook}` are matched by name: it takes {list}"
        batch_taken_apart(hook, ty, pattern)
        "the parameters of `{hook}` are matched by name: write `batch: {ty}`, and `let {pattern} = batch;` in its body";

    TL0104 "A parameter of a hook has the wrong type":
        parameter_type(hook, name, right, wrong)
        "`{name}` of `{hook}` is `{right}`, not `{wrong}`"
        outputs_of_nothing(hook, step, form)
        "`{step}` returns nothing, so that `{hook}` gets no `outputs`: write `{form}` and return the value in `{step}`, or remove `outputs`"
        dyn_batch(hook)
        "`batch` of `{hook}` cannot be a trait object: write the type of the batches, such as `&Tensor`"
        undeclared_module(hook, name)
        "`{name}` is not a type: for every module, write `module: &mut impl LightningModule` in `{hook}`, or the type of one module"
        module_of_one_hook(hook, name)
        "`{hook}` takes `{name}`, and another hook of the block takes every module: write `module: &mut {name}` in each of them, or `module: &mut impl LightningModule`"
        dyn_module(hook, form)
        "`module` of `{hook}` cannot be a trait object: for every module, write `{form}`";

    TL0105 "A parameter of a hook is conditional":
        conditional_parameter()
        "a parameter of a hook cannot be conditional: put `#[cfg]` on the hook";

    TL0106 "A hook is `async`":
        async_hook(hook)
        "the hook `{hook}` cannot be `async`: the trainer does not await it";

    TL0107 "A hook is `unsafe`":
        unsafe_hook(hook)
        "the hook `{hook}` cannot be `unsafe`: the trainer does not know its safety conditions"
        hook_of_some_processors(hook)
        "the hook `{hook}` cannot have `#[target_feature]`: the trainer calls it on every processor";

    TL0108 "A hook is generic":
        generic_hook(hook)
        "the hook `{hook}` cannot be generic: declare type parameters on the `impl` block"
        generic_parameter(hook, name)
        "the hook `{hook}` cannot be generic: write the type of `{name}`"
        generic_callback_hook(hook, form)
        "the hook `{hook}` can only have a type parameter for `module`: `{form}`"
        bounded_hook(hook, bounds)
        "the hook `{hook}` cannot have bounds of its own: write `where {bounds}` on the `impl` block";

    TL0109 "A hook does not take `self`":
        hook_without_self(hook)
        "the hook `{hook}` must take `&mut self` or `&self` as its first parameter"
        question_without_self(hook)
        "`{hook}` must take `&self` as its first parameter: the trainer calls it between hooks";

    TL0110 "A hook takes `self` by value":
        hook_takes_self_away(hook)
        "the hook `{hook}` must take `&mut self` or `&self`: the trainer keeps the value";

    TL0111 "A hook uses a parameter that it does not take":
        missing_parameter(hook, name, form)
        "`{hook}` uses `{name}`, which it does not take: add the parameter `{form}`";
}
