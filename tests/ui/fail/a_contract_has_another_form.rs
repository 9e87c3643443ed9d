use tch_lightning::prelude::*;

#[derive(Batch)]
struct Listed {
    #[batch(["N", 3])]
    images: Tensor,
}

#[derive(Batch)]
struct TypeFirst {
    #[batch(f32, "N 3 H W")]
    images: Tensor,
}

#[derive(Batch)]
struct Unsized {
    #[batch("N ... H ...", f32)]
    images: Tensor,
}

#[derive(Batch)]
#[batch("N 3")]
struct Whole {
    images: Tensor,
}

fn main() {}
