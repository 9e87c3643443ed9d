//! Programs, and what they make and run.

catalogue! {
    TL0601 "The program cannot construct the module or the data module":
        uncallable_constructor(name, forms)
        "the program cannot call this `new` of `{name}`: write {forms}, where `Hparams` is a struct of yours with `#[derive(clap::Args, serde::Serialize, serde::Deserialize)]`"
        constructor_of_another_name(name, ty)
        "the program makes `{ty}` by its function `new`: rename `{name}` to `new`"
        constructor_in_another_block(attribute, name)
        "the program makes `{name}` by the `new` of this block, which has none: move `fn new` here from the `impl {name}` without `#[{attribute}]`"
        data_module_taken_otherwise(written, name)
        "`{name}` is the program's data module, which `new` takes as `data: &{name}`, not as `{written}`";

    TL0602 "`new` returns another type":;

    TL0603 "Hyperparameters without their derives":
        hyperparameters_without_derives(name, missing)
        "`{name}` cannot be used as hyperparameters: write `#[derive({missing})]` above `struct {name}`, which becomes the program's flags"
        hyperparameter_without_flag(name, hparams, line)
        "`{name}` of `{hparams}` on line {line} has no flag: write `#[arg(long)]` above the field, or `#[arg(skip)]` for a value that is not set on the command line"
        plain_hyperparameters(written, field)
        "hyperparameters are a struct with a field for each, not `{written}`: write `fn new(hparams: Hparams) -> Self`, with `#[derive(clap::Args, serde::Serialize, serde::Deserialize)] struct Hparams {{ #[arg(long)] {field} }}`";

    TL0604 "The data does not fit the module":
        program_without_loader(name, step, loader, data)
        "`{name}::main()` has no batches for `{step}`: define `{loader}`, or write `{name}::main::<{data}>()` with a data module";

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
}
