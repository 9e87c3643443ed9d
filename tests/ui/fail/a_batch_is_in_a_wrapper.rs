use std::any::Any;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: Arc<Vec<Tensor>>) -> Tensor {
        batch[0].mean(None)
    }

    fn validation_step(&mut self, batch: &[Tensor]) {
        drop(batch[0].mean(None));
    }

    fn test_step(&mut self, batch: Vec<Tensor>) {
        drop(batch);
    }

    fn predict_step(&mut self, batch: &Rc<Mutex<Vec<Tensor>>>) {
        drop(batch.clone());
    }

    fn on_train_batch_end(&mut self, batch: &dyn Any) {
        let _ = batch;
    }
}

struct Texts {
    vs: nn::VarStore,
}

#[lightning_module]
impl Texts {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step(&mut self, batch: &str) -> usize {
        batch.len()
    }
}

fn main() {}
