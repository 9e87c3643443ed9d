//! A module may be a type of one function.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

#[test]
fn hooks_are_found_in_a_function() {
    #[derive(Batch)]
    struct Rows {
        input: Tensor,
    }

    struct Model {
        vs: nn::VarStore,
    }

    #[lightning_module]
    impl Model {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        fn training_step(&mut self, batch: &Rows) -> Tensor {
            batch.input.mean(None)
        }
    }

    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    assert_eq!(Model::hooks(), [Hook::TrainingStep]);
    assert!(model.parameters().is_empty());
}
