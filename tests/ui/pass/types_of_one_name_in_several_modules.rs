//! Types with the name of an annotated one, in other modules and functions, have methods with the names of hooks.

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

    // called by hand
    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig::default().max_epochs(3)
    }
}

impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }
}

mod plain {
    pub(super) struct Model;

    impl Model {
        pub(super) fn training_step() -> usize {
            1
        }
    }
}

mod imported {
    use super::plain::Model;

    impl Model {
        pub(super) fn validation_step() -> usize {
            2
        }
    }
}

mod another {
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

        fn on_fit_start(&mut self) {}
    }

    #[test]
    fn hook_is_found() {
        assert_eq!(Model::hooks(), [Hook::OnFitStart]);
    }
}

#[test]
fn methods_of_other_types_are_no_hooks() {
    struct Model;

    impl Model {
        fn test_step() -> usize {
            3
        }
    }

    assert_eq!(super::types_of_one_name_in_several_modules::Model::hooks(), [] as [Hook; 0]);
    let steps = [plain::Model::training_step(), plain::Model::validation_step(), Model::test_step()];
    assert_eq!(steps, [1, 2, 3]);
}

#[test]
fn defaults_are_called_by_hand() {
    assert_eq!(Model::trainer_defaults().max_epochs, Some(3));
    assert!(Model::new().vs.is_empty());
}
