use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module(crate = tch_lightning)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Data;

#[lightning_datamodule(crate = "tch-lightning")]
impl Data {}

#[derive(Batch)]
#[batch(path = "tch_lightning")]
struct Rows(Tensor);

fn main() {}
