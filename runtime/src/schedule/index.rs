/// The index of one of a run's learning-rate schedulers, an argument of hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LrSchedulerIndex(pub(crate) usize);

impl LrSchedulerIndex {
    /// The position of the scheduler among all that `configure_optimizers` returned, from 0.
    pub fn get(self) -> usize {
        self.0
    }
}

impl From<usize> for LrSchedulerIndex {
    /// Returns the index of the scheduler at this position, for manual optimization.
    fn from(position: usize) -> Self {
        Self(position)
    }
}
