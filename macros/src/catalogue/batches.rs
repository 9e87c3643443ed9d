//! Batches, and the samples that they are joined from.

catalogue! {
    TL0501 "The hooks of a block take batches of different types":;

    TL0502 "A batch borrows":
        borrowing_batch()
        "a batch must own its data: its type cannot borrow";

    TL0503 "A type is not a batch":
        underived_batch(name)
        "`{name}` is not a batch: write `#[derive(Batch)]` above `struct {name}`"
        loader_of_dataset(name, batch)
        "`{name}` is a dataset, and the type of a loader has that of its batches: write `DataLoader<{batch}>`, or another batch in place of `{batch}`";

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
        sample_without_batch(batch)
        "samples are joined into a struct of tensors with the same fields, which an attribute names: write `#[collate(batch = {batch})]`"
        batch_argument()
        "`batch` of `#[collate]` is the path of a struct, without quotes: `#[collate(batch = Rows)]`"
        attribute_of_sample_field()
        "`#[collate(…)]` is an attribute of the struct, and every field is joined into the field of that name in the batch: remove it"
        sample_of_several_forms()
        "`#[derive(Collate)]` joins structs, whose samples have the same fields: implement `Collate` by hand for this type";
}
