//! The catalogue of diagnostics: each has a stable code, a title, and its messages.
//!
//! `tch_lightning::errors` has a page for each code, `tests/ui/fail` a program with the error; the tests below compare the three.
//! A code without a message here is reported by rustc, which has the types, with the message of a trait of the runtime
//! crate (`#[diagnostic::on_unimplemented]`).

use std::fmt::{self, Display};

/// A diagnostic with its message.
pub(crate) struct Diagnostic {
    code: &'static str,
    sentence: String,
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.sentence, self.code)
    }
}

/// Defines a function for each message, with the parameters that the message names, and a list of all codes with their titles.
macro_rules! catalogue {
    ($($code:ident $title:literal: $($diagnostic:ident($($value:ident),*) $sentence:literal)*;)*) => {
        $($(
            pub(crate) fn $diagnostic($($value: impl Display),*) -> Diagnostic {
                Diagnostic { code: stringify!($code), sentence: format!($sentence) }
            }
        )*)*

        /// Every code with its title.
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($code), $title)),*];
    };
}

catalogue! {
    // names

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
        keywords_of_log(arguments, methods)
        "arguments have no names in Rust: in place of `{arguments}`, write `{methods}` after `ctx.log(…)`"
        keywords(arguments, values, methods)
        "arguments have no names in Rust: in place of `{arguments}`, write `{values}`, or `{methods}` after the call if there is such a method";

    // parameters and forms

    TL0101 "A hook has an unknown parameter":
        misspelled_parameter(hook, asked, meant, list)
        "`{hook}` has no parameter `{asked}`: did you mean `{meant}`? It takes {list}"
        parameter_of_lightning(hook, asked, instead)
        "`{hook}` has no parameter `{asked}`: {instead}"
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
        dyn_batch(hook)
        "`batch` of `{hook}` cannot be a trait object: write the type of the batches, such as `&Tensor`"
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

    // what a hook returns

    TL0201 "A hook returns the wrong type":
        returned_type(hook, right, wrong)
        "`{hook}` returns `{right}`, not `{wrong}`"
        optimizer_object(hook, wrong)
        "`{hook}` returns the type of its optimizer, not `{wrong}`: write `fn {hook}(&mut self) -> AdamW`, or for one of several types `-> Optimizers`, of which `AdamW::new(1e-3).into()` is one"
        optimizer_of_several(hook, returned, other)
        "`{hook}` returns `{returned}`, and `{other}` here: for one of several types write `fn {hook}(&mut self) -> Optimizers`, and `.into()` after each of them"
        returns_nothing(hook, form)
        "`{hook}` returns nothing: write `{form}`"
        callbacks_without_module(hook, wrong)
        "`{hook}` returns callbacks in a tuple, not `{wrong}`: write `-> (ModelCheckpoint, EarlyStopping)`, or for a number of them `-> Vec<Box<dyn Callback<Self>>>`"
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

    TL0205 "A method fails with something that is not an error":;

    // the block and its attribute

    TL0301 "The attribute is on a type":
        on_a_type(attribute, name)
        "put `#[{attribute}]` on the block of the methods, `impl {name} {{ … }}`, not on the type";

    TL0302 "The attribute is not on an `impl` block":
        on_no_block(attribute)
        "put `#[{attribute}]` on an `impl` block";

    TL0303 "The attribute is on the implementation of a trait":
        on_a_trait_impl(attribute)
        "put `#[{attribute}]` on an `impl` block of the type itself, not of a trait"
        on_another_type(attribute, name)
        "put `#[{attribute}]` on the `impl` block of a struct of yours, not of `{name}`"
        on_its_own_trait_impl(attribute, declared, name)
        "`#[{attribute}]` generates the implementation of `{declared}`: write `impl {name} {{ … }}`";

    TL0304 "The attribute has an unknown argument":
        unknown_argument(attribute, argument, known)
        "`#[{attribute}]` has no argument `{argument}`: it takes {known}, or none"
        argument_value(argument)
        "`{argument}` must be `true` or `false`: write `{argument} = false`"
        attribute_without_arguments(attribute)
        "`#[{attribute}]` without arguments has no effect: remove it, or write `#[{attribute}(crate = \"other_crate::tch_lightning\")]`"
        repeated_argument(attribute, argument)
        "`#[{attribute}]` has the argument `{argument}` twice: remove one"
        marker_arguments()
        "`#[not_a_hook]` has no arguments: write `#[not_a_hook]`"
        crate_argument()
        "`crate` must be the path of tch-lightning in a string: write `crate = \"other_crate::tch_lightning\"`";

    TL0305 "A block's type borrows":
        borrowing_block(attribute)
        "the type of a `#[{attribute}]` must own its data: it cannot have lifetimes";

    TL0306 "A block has two attributes":
        second_attribute(attribute, other)
        "the block has `#[{attribute}]` and `#[{other}]`: remove one, and write the hooks of another role in a block of another type";

    TL0307 "A macro call in the block may write hooks":
        macro_call(attribute, call)
        "`#[{attribute}]` does not see the methods that `{call}!` writes: write its hooks in the block, or mark the call `#[not_a_hook]`";

    TL0308 "A type has two annotated blocks":
        second_block(attribute, name)
        "`{name}` has another block with `#[{attribute}]`: move these methods there, as one block has all hooks of a type";

    TL0309 "A hook is in a block without the attribute":
        hook_in_another_block(hook, line, attribute, name)
        "the trainer never calls `{hook}`{line}, which is in an `impl {name}` without `#[{attribute}]`: move it to this block, or rename it";

    TL0310 "An item in the block has no effect":
        item_without_effect(name, instead)
        "`{name}` has no effect in the block: {instead}";

    // what belongs together

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

    // batches

    TL0501 "The hooks of a block take batches of different types":;

    TL0502 "A batch borrows":
        borrowing_batch()
        "a batch must own its data: its type cannot borrow";

    TL0503 "A type is not a batch":
        underived_batch(name)
        "`{name}` is not a batch: write `#[derive(Batch)]` above `struct {name}`"
        loader_of_dataset(name)
        "`{name}` is a dataset, and the type of a loader has that of its batches: write `DataLoader<Tensor>`, or another batch in place of `Tensor`";

    TL0504 "A union is not a batch":
        union_batch()
        "a union cannot be a batch: its active field is unknown";

    TL0505 "An enum without variants is not a batch":
        empty_batch()
        "an enum without variants cannot be a batch: it has no values";

    TL0506 "A field of a batch has an attribute that is not a contract":
        batch_contract()
        "the attribute of a field is `#[batch(\"N 3 H W\", f32, 0.0..=1.0)]`, its sizes, dtype and range of values, of which each can be left out, or `#[batch(skip)]`"
        misplaced_contract(place)
        "`#[batch(\"N 3 H W\", f32, 0.0..=1.0)]` and `#[batch(skip)]` are attributes of a field, not of {place}: write them above a field"
        contract_without_tensors(ty)
        "a field of the type `{ty}` holds no tensors, so that its contract checks nothing: remove this attribute"
        empty_range(range)
        "no value is in the range `{range}`: write the smaller bound first"
        batch_dimension(word)
        "`{word}` is not a size: write a number, a name such as `N`, `_` for any size, or `...` once for any number of dimensions"
        named_dtype(name, dtype)
        "`{name}` is not a dtype in Rust: write `{dtype}`"
        unknown_dtype(name)
        "`{name}` is not a dtype: write `f16`, `bf16`, `f32`, `f64`, `u8`, `i8`, `i16`, `i32`, `i64` or `bool`";

    TL0507 "A sample cannot be joined into a batch":;

    TL0508 "A derived sample does not name its batch":
        sample_without_batch()
        "samples are joined into a struct of tensors, with the same fields: write `#[collate(batch = Rows)]` with its name"
        batch_argument()
        "`batch` of `#[collate]` is the path of a struct, without quotes: `#[collate(batch = Rows)]`"
        sample_of_several_forms()
        "`#[derive(Collate)]` joins structs, whose samples have the same fields: implement `Collate` by hand for this type";

    // programs and runs

    TL0601 "The program cannot construct the module or the data module":
        uncallable_constructor(name, forms)
        "the program cannot call this `new` of `{name}`: write {forms}, where `Hparams` is a struct of yours with `#[derive(clap::Args, serde::Serialize, serde::Deserialize)]`"
        constructor_of_another_name(name, ty)
        "the program makes `{ty}` by its function `new`: rename `{name}` to `new`";

    TL0602 "`new` returns another type":;

    TL0603 "Hyperparameters without their derives":
        hyperparameters_without_derives(name, missing)
        "`{name}` cannot be used as hyperparameters: write `#[derive({missing})]` above `struct {name}`, which becomes the program's flags"
        hyperparameter_without_flag(name, hparams, line)
        "`{name}` of `{hparams}` on line {line} has no flag: write `#[arg(long)]` above the field, or `#[arg(skip)]` for a value that is not set on the command line"
        plain_hyperparameters(written, name)
        "hyperparameters are a struct with a field for each, not `{written}`: write `fn new(hparams: Hparams) -> Self`, with `#[derive(clap::Args, serde::Serialize, serde::Deserialize)] struct Hparams {{ #[arg(long)] {name}: {written} }}`";

    TL0604 "The data does not fit the module":
        program_without_loader(name, step, loader)
        "`{name}::main()` has no batches for `{step}`: define `{loader}`, or write `{name}::main::<Data>()` with a data module";

    TL0605 "A type is not a module":
        unannotated_module(name)
        "`{name}` is not a module: write `#[lightning_module]` above its block `impl {name}`";

    TL0606 "A type is not a callback for the module":;

    TL0607 "A type is not a choice":
        choice_without_tag()
        "a choice must have a tag: add `#[serde(tag = \"name\")]`"
        choice_of_a_value(ty)
        "a value in a variant of a choice has a name, which is that of its flag: write `{{ value: {ty} }}`"
        misplaced_choice()
        "`#[choice(…)]` is an attribute of the enumeration, not of its variants and fields: remove it"
        choice_without_variants()
        "a choice must be an enumeration with variants, one for each choice";

    TL0608 "`trainer_defaults` has another form":
        defaults_with_parameters()
        "`trainer_defaults` takes nothing, as it is called before the module is made: write `fn trainer_defaults() -> TrainerConfig`"
        defaults_of_another_type(wrong)
        "`trainer_defaults` returns `TrainerConfig`, not `{wrong}`: write `fn trainer_defaults() -> TrainerConfig`"
        defaults_without_constructor()
        "`trainer_defaults` is called by the program, which makes the module by `new`: write `fn new() -> Self` in this block, or remove `trainer_defaults`";

    // logging

    TL0701 "A value is logged in a hook where nothing can be logged":;

    TL0702 "A value is logged by step in the hook of an epoch":;

    TL0703 "A value cannot be logged":;
}

#[cfg(test)]
#[path = "catalogue/tests.rs"]
mod tests;
