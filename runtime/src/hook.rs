//! The enumeration of all hooks, written from their declarations.

tch_lightning_macros::declare_hooks!(Hook);

/// The error of calling a hook that is not overridden.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not overridden")]
pub struct MissingHook(Hook);

impl MissingHook {
    /// Returns the error of calling `hook`, which is not overridden.
    pub fn new(hook: Hook) -> Self {
        Self(hook)
    }
}
