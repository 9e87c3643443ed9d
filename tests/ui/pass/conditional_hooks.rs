//! A hook under a condition is a hook where the condition holds.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    #[cfg(test)]
    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    #[cfg(not(test))]
    fn training_step(&mut self, batch: &Tensor) -> Option<Tensor> {
        Some(batch.sum(None))
    }

    #[cfg(not(test))]
    fn validation_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    #[cfg(any(unix, windows))]
    #[cfg(test)]
    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }

    #[cfg(not(test))]
    fn on_fit_start(&mut self) {}
}

#[test]
fn those_are_found_that_are_there() {
    assert_eq!(Model::hooks(), [Hook::TrainingStep, Hook::ConfigureOptimizers]);
}

#[allow(dead_code)]
fn it_can_be_trained(mut model: Model) -> Result<(), tch_lightning::Error> {
    Model::trainer().fit(&mut model, ())
}
