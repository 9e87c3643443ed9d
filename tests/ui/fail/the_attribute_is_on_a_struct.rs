use tch_lightning::prelude::*;

#[lightning_module]
struct Model {
    vs: nn::VarStore,
}

#[lightning_datamodule]
fn data() {}

fn main() {}
