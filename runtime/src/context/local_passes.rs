//! Backward passes of manual optimization whose gradients stay in their process.

use super::RunContext;
use super::error::ContextError;
use crate::strategy::StrategyError;

/// Whether gradients of several processes are averaged in the running passes. Changed by all processes alike.
#[derive(Clone, Copy, Default)]
pub(super) struct LocalPasses {
    /// Whether the next backward passes are local.
    are_next: bool,
    /// Whether there were some since gradients were averaged, so that gradients may differ between the processes.
    are_open: bool,
}

impl RunContext {
    /// Chooses whether the next backward passes keep their gradients in this process. Returns whether they did before.
    pub(crate) fn keep_gradients_local(&mut self, keeps: bool) -> bool {
        let are_open = self.is_together() && (keeps || self.local_passes.are_open);
        std::mem::replace(&mut self.local_passes, LocalPasses { are_next: keeps, are_open }).are_next
    }

    /// Begins a backward pass. Returns whether its gradients are averaged, with those of the local passes before.
    pub(crate) fn begin_manual_pass(&mut self) -> bool {
        let averages = !self.local_passes.are_next;
        self.local_passes.are_open &= !averages;
        averages
    }

    /// Whether gradients may differ between the processes, as the last passes were local.
    #[inline]
    pub(crate) fn has_local_gradients(&self) -> bool {
        self.local_passes.are_open
    }

    /// Fails if an optimizer would step with gradients that differ between the processes.
    pub(crate) fn check_gradients_are_averaged(&self) -> Result<(), ContextError> {
        if self.has_local_gradients() { Err(StrategyError::LocalGradients.into()) } else { Ok(()) }
    }
}
