use std::path::PathBuf;
use std::rc::Rc;
use tch_lightning::prelude::*;

#[derive(Batch)]
struct OnDisk {
    images: Tensor,
    path: PathBuf,
}

#[derive(Batch)]
struct Shared {
    images: Rc<Tensor>,
}

#[derive(Batch)]
struct Augmented {
    images: Tensor,
    transform: Box<dyn Fn(Tensor) -> Tensor>,
}

fn main() {}
