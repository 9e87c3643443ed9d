/// Which of a run's optimizers a hook is about: `ctx.optimizer(optimizer)` is the optimizer itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptimizerIndex(pub(crate) usize);

impl OptimizerIndex {
    /// The place of the optimizer in what `configure_optimizers` returned, from 0.
    pub fn get(self) -> usize {
        self.0
    }
}

impl From<usize> for OptimizerIndex {
    /// The optimizer at this place, as manual optimization names it.
    fn from(place: usize) -> Self {
        Self(place)
    }
}
