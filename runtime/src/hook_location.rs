//! Which hook failed, and where in the run.

use crate::hook::Hook;
use crate::stage::Stage;
use std::fmt;

#[derive(Clone, Copy, Debug)]
pub(crate) struct HookLocation {
    pub(crate) hook: Hook,
    pub(crate) callback: Option<&'static str>,
    pub(crate) stage: Stage,
    pub(crate) epoch: Option<usize>,
    pub(crate) batch_idx: Option<usize>,
}

impl fmt::Display for HookLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, stage, .. } = self;
        write!(f, "`{hook}`")?;
        if let Some(callback) = self.callback {
            write!(f, " of the callback {callback}")?;
        }
        write!(f, " failed in `{stage}`{}", at(self.epoch, self.batch_idx))
    }
}

/// The epoch and the batch as the end of a sentence about what happened there, as far as they are known.
pub(crate) fn at(epoch: Option<usize>, batch_idx: Option<usize>) -> String {
    match (epoch, batch_idx) {
        (Some(epoch), Some(batch_idx)) => format!(" at epoch {epoch}, batch {batch_idx}"),
        (Some(epoch), None) => format!(" at epoch {epoch}"),
        (None, Some(batch_idx)) => format!(" at batch {batch_idx}"),
        (None, None) => String::new(),
    }
}
