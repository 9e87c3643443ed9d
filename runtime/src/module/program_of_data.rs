//! The functions of a module's program on a data module, so that the compiler's error about types in the other order names the right one.

use std::process::ExitCode;

/// Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "`{Data}` is a data module, and a program is that of its module [TL0604]",
    label = "write `{Self}::main::<{Data}>()`, or `{Self}::program::<{Data}>()`"
)]
pub trait IsProgramOf<Data: ?Sized> {}

/// The functions, of a data module alone: an implementation for every one would be in the compiler's error about a module without its attribute.
pub trait FunctionsOfProgram {
    #[doc(hidden)]
    #[must_use]
    fn main<Module>() -> ExitCode
    where
        Module: IsProgramOf<Self>,
    {
        ExitCode::FAILURE
    }

    #[doc(hidden)]
    fn program<Module>()
    where
        Module: IsProgramOf<Self>,
    {
    }
}
