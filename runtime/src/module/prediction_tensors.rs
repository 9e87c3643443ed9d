//! The tensors of a prediction of any type: generated code knows the type, and with it whether it is a batch.

use crate::data::{Batch, tensors_of};
use tch::Tensor;

/// A prediction.
pub struct PredictionTensors<'a, P>(pub &'a P);

impl<P: Batch> PredictionTensors<'_, P> {
    /// Returns the tensors. The compiler takes this method rather than [`NoTensors::tensors`] where the prediction is a batch.
    #[must_use]
    pub fn tensors(&self) -> Option<Vec<Tensor>> {
        Some(tensors_of(self.0))
    }
}

/// The tensors of every prediction that is not a batch.
pub trait NoTensors {
    /// Returns `None`.
    fn tensors(&self) -> Option<Vec<Tensor>> {
        None
    }
}

impl<P> NoTensors for PredictionTensors<'_, P> {}
