use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> (Watch, Undeclared) {
        (Watch, Undeclared)
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_start(&mut self, trainer: &mut Trainer, pl_module: &mut Model) {
        println!("{}", trainer.current_epoch);
    }
}

struct Undeclared;

#[lightning_callback]
impl Undeclared {
    fn on_train_end(&mut self, module: &mut M) {
        println!("{:?}", module.parameters().device());
    }
}

fn main() {}
