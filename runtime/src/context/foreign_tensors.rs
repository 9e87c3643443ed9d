use tch::Tensor;

/// What the losses of a run's first batch depend on that is not trained. The second batch tells what of it stays: a step may make a tensor
/// that requires a gradient for itself, as a gradient penalty does.
#[derive(Default)]
pub(crate) enum ForeignTensors {
    #[default]
    NotSought,
    OfFirstBatch {
        /// The number of batches before this one.
        batch: usize,
        /// The tensors that require a gradient and are none of the module's parameters.
        tensors: Vec<Tensor>,
        /// The number of variables in the module's store.
        variables: usize,
    },
    Sought,
}
