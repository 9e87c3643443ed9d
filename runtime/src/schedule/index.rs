/// Which of a run's learning-rate schedulers a hook is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LrSchedulerIndex(pub(crate) usize);

impl LrSchedulerIndex {
    /// The place of the scheduler among all that `configure_optimizers` returned, from 0.
    pub fn get(self) -> usize {
        self.0
    }
}

impl From<usize> for LrSchedulerIndex {
    /// The scheduler at this place, as manual optimization names it.
    fn from(place: usize) -> Self {
        Self(place)
    }
}
