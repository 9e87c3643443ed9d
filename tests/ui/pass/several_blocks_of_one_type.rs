//! Of several blocks one is annotated; the others have other methods.

#![allow(clippy::unused_self)]

use tch_lightning::Hook;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

impl Model {
    fn loss(&self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn len(&self) -> usize {
        self.vs.len()
    }
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.loss(batch)
    }
}

impl Model {
    fn empty() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Model")
    }
}

#[test]
fn hook_is_found() {
    assert_eq!(Model::hooks(), [Hook::TrainingStep]);
    assert_eq!(Model::empty().len(), 0);
}
