// One of several types of optimizers.
use tch_lightning::prelude::*;

struct Chosen {
    vs: nn::VarStore,
    lr: f64,
}

#[lightning_module]
impl Chosen {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&mut self) -> AdamW {
        if self.lr > 0.1 { Sgd::new(self.lr) } else { AdamW::new(self.lr) }
    }
}

struct Hidden {
    vs: nn::VarStore,
    name: String,
}

#[lightning_module]
impl Hidden {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&mut self) -> impl IntoOptimizer {
        match self.name.as_str() {
            "sgd" => Sgd::new(0.1),
            _ => AdamW::new(1e-3),
        }
    }
}

fn main() {}
