//! The enumeration of all hooks, written from their declarations.

tch_lightning_macros::declare_hooks!(Hook);

/// A hook that is called though nobody has written it.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not written")]
pub struct MissingHook(Hook);

impl MissingHook {
    /// The error of calling `hook` where there is none.
    pub fn new(hook: Hook) -> Self {
        Self(hook)
    }
}
