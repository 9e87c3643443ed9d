//! Where in a run something happened.

use crate::hook::Hook;
use crate::stage::Stage;
use std::fmt;

/// A location in a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunLocation {
    pub(crate) stage: Stage,
    /// The training epoch, from 0, if one is running.
    pub(crate) epoch: Option<usize>,
    /// The batch, from 0, if one is running.
    pub(crate) batch_idx: Option<usize>,
}

impl fmt::Display for RunLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in `{}`{}", self.stage, at(self.epoch, self.batch_idx))
    }
}

/// The location of a hook's call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HookLocation {
    pub(crate) hook: Hook,
    pub(crate) callback: Option<&'static str>,
    pub(crate) location: RunLocation,
}

impl fmt::Display for HookLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, callback, location } = self;
        write!(f, "`{hook}`")?;
        if let Some(callback) = callback {
            write!(f, " of the callback {callback}")?;
        }
        write!(f, " failed {location}")
    }
}

/// Formats an epoch and a batch, as far as they are known, for the end of a sentence.
pub(crate) fn at(epoch: Option<usize>, batch_idx: Option<usize>) -> String {
    match (epoch, batch_idx) {
        (Some(epoch), Some(batch_idx)) => format!(" at epoch {epoch}, batch {batch_idx}"),
        (Some(epoch), None) => format!(" at epoch {epoch}"),
        (None, Some(batch_idx)) => format!(" at batch {batch_idx}"),
        (None, None) => String::new(),
    }
}
