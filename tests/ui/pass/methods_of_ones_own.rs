//! Ordinary methods are left alone, and what looks like a hook is kept by a mark.

#![allow(clippy::unused_self)]

use tch_lightning::Hook;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    const LAYERS: usize = 3;

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.step(batch)
    }

    fn step(&self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn shared<T: Clone>(values: &[T], count: impl Into<usize>) -> impl Iterator<Item = T> {
        values.iter().take(count.into()).cloned().collect::<Vec<_>>().into_iter()
    }

    async fn download(self) -> Self {
        self
    }

    unsafe fn raw(&self) -> *const nn::VarStore {
        &raw const self.vs
    }

    #[not_a_hook]
    fn on_download(&self, percent: f64) -> bool {
        percent >= 100.0
    }

    #[not_a_hook]
    fn validation_step(batch: Tensor) -> Tensor {
        batch
    }

    #[not_a_hook]
    fn train_step(self) -> usize {
        Self::LAYERS
    }
}

#[test]
fn hook_is_found() {
    assert_eq!(Model::hooks(), [Hook::TrainingStep]);
    assert_eq!(Model::shared(&[1, 2, 3], 2_usize).count(), 2);
    let model = Model { vs: nn::VarStore::new(Device::Cpu) };
    assert!(model.on_download(100.0));
    assert_eq!(model.train_step(), 3);
}
