use std::collections::HashMap;
use tch_lightning::prelude::*;

struct Several {
    vs: nn::VarStore,
}

#[lightning_module]
impl Several {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor, optimizer_idx: usize) -> Tensor {
        batch * optimizer_idx as f64
    }

    fn setup(&mut self, stage: &str) {
        println!("{stage}");
    }

    fn validation_step(&mut self, x: &Tensor) {
        println!("{x}");
    }

    fn test_step(batch: &Tensor) {
        println!("{batch}");
    }
}

struct Dictionary {
    vs: nn::VarStore,
}

#[lightning_module]
impl Dictionary {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> HashMap<String, Tensor> {
        HashMap::from([("loss".to_owned(), batch.mean(None))])
    }
}

struct WithShared {
    vs: nn::VarStore,
}

#[lightning_module]
impl WithShared {
    fn parameters(&self) -> &nn::VarStore {
        &self.vs
    }

    fn configure_optimizers(&self) -> [AdamW; 2] {
        [AdamW::new(1e-3), AdamW::new(1e-4)]
    }
}

fn main() {}
