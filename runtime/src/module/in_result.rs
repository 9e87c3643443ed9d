//! The methods of a module on the `Result` of its constructor, so that the compiler's error about a forgotten `?` says so.
//!
//! Methods of `Freeze` are those of every module: without this, the error would say that a `Result` is not a module.

/// A result, whatever is in it.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnyResult {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this is the `Result` of a module, not the module [TL0605]",
    label = "write `?` after the call that returned it, as in `Model::load_from_checkpoint(\"last.ckpt\")?`"
)]
pub trait IsModule {}

/// The methods.
pub trait MethodsOfModule {
    #[doc(hidden)]
    fn freeze(&mut self)
    where
        for<'any> AnyResult: IsModule,
    {
    }

    #[doc(hidden)]
    fn unfreeze(&mut self)
    where
        for<'any> AnyResult: IsModule,
    {
    }
}

impl<T, E> MethodsOfModule for Result<T, E> {}
