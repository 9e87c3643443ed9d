use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

mod validation {
    use super::Model;
    use tch_lightning::prelude::*;

    #[lightning_module]
    impl Model {
        fn validation_step(&mut self, batch: &Tensor) {
            println!("{}", batch.mean(None));
        }
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_fit_start(&mut self) {}
}

mod ending {
    use tch_lightning::prelude::*;

    #[lightning_callback]
    impl super::Watch {
        fn on_fit_end(&mut self) {}
    }
}

fn main() {}
