//! The functions that `#[lightning_module]` adds to a type, so that the compiler's error about a type without the attribute names it.
//!
//! As with [`python_names`](crate::python_names), rustc passes over a trait that no type implements while there is any other function of the
//! name, and otherwise shows the message of its bound.

/// Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no block with `#[lightning_module]`, which adds this function [TL0605]",
    label = "write `#[lightning_module]` above the `impl` block of its hooks"
)]
pub trait HasAttribute {}

/// The functions.
pub trait FunctionsOfAttribute {
    #[doc(hidden)]
    fn main() {}

    #[doc(hidden)]
    fn program() {}

    #[doc(hidden)]
    fn hooks() {}
}

impl<T: HasAttribute> FunctionsOfAttribute for T {}
