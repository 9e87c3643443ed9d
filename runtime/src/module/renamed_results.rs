//! A `Result` under another name, which the macro takes for the value of a step: its error would be part of the step's output, and the
//! run would continue.

/// The result of a step.
pub struct Returned<T>(pub T);

/// Implemented by nothing: an alias of `Result` as the return type of a step is an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a `Result` under another name, which the macro does not recognize [TL0201]",
    label = "write `Result<…>` here, or call the alias `Result`"
)]
pub trait UnderItsName {}

impl<T, E> Returned<Result<T, E>> {
    /// The compiler takes this method rather than [`Output::output`].
    pub fn output(self) -> Result<T, E>
    where
        Result<T, E>: UnderItsName,
    {
        self.0
    }
}

/// The output of every step that does not return a `Result`.
pub trait Output {
    /// The result of the method.
    type Value;

    /// The value.
    fn output(self) -> Self::Value;
}

impl<T> Output for Returned<T> {
    type Value = T;

    #[inline]
    fn output(self) -> T {
        self.0
    }
}
