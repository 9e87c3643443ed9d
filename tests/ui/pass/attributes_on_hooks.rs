//! Documentation and attributes stay on the method.

use tch_lightning::prelude::*;

/// A model.
struct Model {
    vs: nn::VarStore,
}

/// Its hooks.
#[lightning_module]
#[allow(clippy::pedantic)]
impl Model {
    #![allow(clippy::style)]

    /// The store.
    #[inline]
    pub fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    /// The loss of a batch.
    ///
    /// ```ignore
    /// model.training_step(&batch);
    /// ```
    #[must_use]
    pub(crate) fn training_step(&mut self, #[allow(unused_variables)] batch: &Tensor) -> Tensor {
        return Tensor::from(1.0);
    }

    #[doc(hidden)]
    #[cold]
    fn on_fit_end(&self) {}

    const fn on_fit_start(&self) {}

    #[doc = "Not the trainer's affair"]
    #[deprecated]
    pub const LAYERS: usize = 3;
}

#[test]
fn every_hook_is_found() {
    assert_eq!(Model::hooks().len(), 3);
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    assert_eq!(model.training_step(&Tensor::from(2.0)), Tensor::from(1.0));
}
