//! Several modules and data modules stand in one file, and share types.

use tch_lightning::prelude::*;

type Rows = (Tensor, Tensor);

struct First {
    vs: nn::VarStore,
}

#[lightning_module]
impl First {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Tensor {
        batch.0.mean(None)
    }
}

mod other {
    use super::Rows;
    use tch_lightning::prelude::*;

    pub(super) struct Second {
        vs: nn::VarStore,
    }

    #[lightning_module]
    impl Second {
        fn new() -> Self {
            Self { vs: nn::VarStore::new(Device::Cpu) }
        }

        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        fn validation_step(&mut self, batch: &Rows) -> Tensor {
            batch.1.mean(None)
        }
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        bail!("no data")
    }
}

#[test]
fn modules_are_programs_with_the_same_data() {
    let programs: [fn() -> ExitCode; 2] = [First::main::<Data>, other::Second::main::<Data>];
    assert_eq!(programs.len(), 2);
    assert_eq!(First::hooks().len() + other::Second::hooks().len(), 2);
}
