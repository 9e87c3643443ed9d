//! Names: of hooks, of other frameworks, and of Python.

catalogue! {
    TL0001 "A hook's name is misspelled":
        misspelled_hook(name, attribute, hook)
        "`{name}` is not a hook of `#[{attribute}]`: rename it to `{hook}`, or mark it `#[not_a_hook]`";

    TL0002 "A method whose name starts with `on_` is not a hook":
        no_hook(name, attribute)
        "`{name}` is not a hook of `#[{attribute}]`: mark it `#[not_a_hook]` to keep it as an ordinary method";

    TL0003 "A hook is in the block of another attribute":
        hook_of_another(name, owner, attribute)
        "`{name}` is a hook of `{owner}`, not of `#[{attribute}]`: mark it `#[not_a_hook]` to keep it as an ordinary method";

    TL0004 "A hook of an older Lightning":
        older_hook(name, instead)
        "`{name}` is a hook of an older Lightning: {instead}, or mark it `#[not_a_hook]`";

    TL0005 "A hook of another framework":
        foreign_hook(name, framework, instead)
        "`{name}` is a hook of {framework}: {instead}, or mark it `#[not_a_hook]`";

    TL0006 "A name of Lightning's Python that is written otherwise":
        definition_of_python(name, instead)
        "`{name}` is written otherwise than in Lightning's Python: {instead}, or mark it `#[not_a_hook]`"
        attribute_of_python(name, instead)
        "`{name}` is written otherwise than in Lightning's Python: {instead}"
        name_of_pytorch(name, form)
        "`{name}` is written otherwise than in PyTorch's Python: write `{form}`"
        metric_of_torchmetrics(class, form, ty)
        "`{class}` of torchmetrics is made by `{form}`, of the type `{ty}` of `tch_lightning::metrics`"
        number_from_tensor(number, tensor)
        "a number is read from a tensor by `try_from`, as it waits for the device and may fail: write `{number}::try_from(&{tensor})?`"
        layer_without_path(name, form)
        "the first argument of `nn::{name}` is the path of its parameters in the store: write `{form}`"
        indexed_tensor(form)
        "brackets do not index a tensor: write `{form}`, with `use tch::IndexOp;`"
        self_in_constructor(name)
        "there is no `self` in `new`, which makes the value: write `let {name} = …;`, and end with `Self {{ {name}, … }}`"
        method_in_constructor(name)
        "there is no `self` in `new`, which makes the value: call a function without `self`, `Self::{name}(…)`"
        constructor_arguments(name, takes, form)
        "`{name}` takes {takes}: write `{form}`"
        no_constructor(name, form)
        "there is no `{name}::new`: write `{form}`"
        indexed_hyperparameter(name)
        "brackets do not read a field: write `hparams.{name}`"
        set_in_checkpoint(name)
        "brackets do not set a value of a checkpoint: write `checkpoint.insert({name}, value)?`"
        read_from_checkpoint(name)
        "brackets do not read a value of a checkpoint: write `checkpoint.get({name})?`, which is `None` if there is none"
        missing_argument(method, all, form)
        "`ctx.{method}` takes {all}: write `{form}`"
        log_with_settings(form)
        "`ctx.log` takes a name and a value: write `{form}`, and its settings as methods after it, such as `.prog_bar()`"
        printed_format(form)
        "`ctx.print` takes one value and formats no other: write `{form}`"
        ignored_context()
        "the closure of `ctx.no_sync` takes the context: write `ctx.no_sync(|ctx| ctx.manual_backward(self, &loss))?`"
        call_without_result(method, written)
        "`ctx.{method}` returns no `Result`: remove `{written}`"
        cloned_tensor(tensor)
        "a tensor has no `clone()` without arguments: write `&{tensor}`, or `{tensor}.shallow_clone()` for a second value with the same numbers"
        indexed_batch(index)
        "brackets do not read a part of a tuple: write `batch.{index}`"
        no_default_early_stopping()
        "`EarlyStopping` has no default: write `EarlyStopping::new(\"val_loss\").patience(3)`"
        keywords_of_log(arguments, methods)
        "arguments have no names in Rust: in place of `{arguments}`, write `{methods}` after `ctx.log(…)`"
        keywords(arguments, values, methods)
        "arguments have no names in Rust: in place of `{arguments}`, write `{values}`, or `{methods}` after the call if there is such a method";
}
