use tch_lightning::prelude::*;

#[lightning_module]
enum Model {
    Small(nn::VarStore),
}

#[lightning_callback]
mod callbacks {}

fn main() {}
