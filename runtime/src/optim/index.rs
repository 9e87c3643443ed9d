/// The index of one of a run's optimizers, an argument of hooks: `ctx.optimizer(optimizer)` returns the optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptimizerIndex(pub(crate) usize);

impl OptimizerIndex {
    /// The position of the optimizer in the result of `configure_optimizers`, from 0.
    pub fn get(self) -> usize {
        self.0
    }
}

impl From<usize> for OptimizerIndex {
    /// Returns the index of the optimizer at this position, for manual optimization.
    fn from(position: usize) -> Self {
        Self(position)
    }
}
