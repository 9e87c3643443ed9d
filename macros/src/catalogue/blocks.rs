//! The annotated block, and its attribute.

catalogue! {
    TL0301 "The attribute is on a type":
        on_a_type(attribute, name)
        "put `#[{attribute}]` on the block of the methods, `impl {name} {{ … }}`, not on the type"
        misnamed_attribute(name, attribute)
        "the attribute `{name}` is called `{attribute}`: write `#[{attribute}]`"
        derived_role(derived, attribute, name)
        "`{derived}` cannot be derived: put `#[{attribute}]` on the block of the methods, `impl {name} {{ … }}`";

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
        "the trainer never calls `{hook}`{line}, which is in an `impl {name}` without `#[{attribute}]`: move it to this block, or rename it"
        hook_of_a_trait(hook, of_trait, name)
        "the trainer never calls `{hook}` of `impl {of_trait} for {name}`: write `{hook}` in this block, where it may call a method of the trait that has another name";

    TL0310 "An item in the block has no effect":
        item_without_effect(name, instead)
        "`{name}` has no effect in the block: {instead}";
}
