use tch_lightning::prelude::*;

struct Hparams {
    lr: f64,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn new(hparams: Hparams) -> Self {
        println!("a learning rate of {}", hparams.lr);
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }
}

fn main() {}
