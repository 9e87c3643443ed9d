use tch_lightning::prelude::*;

#[derive(Batch)]
struct DtypeOfPyTorch {
    #[batch("N 3", float32)]
    images: Tensor,
}

#[derive(Batch)]
struct UnknownDtype {
    #[batch("N", f31)]
    images: Tensor,
}

#[derive(Batch)]
struct Comma {
    #[batch("N, 3")]
    images: Tensor,
}

#[derive(Batch)]
struct RangeFirst {
    #[batch(0..10, i64)]
    labels: Tensor,
}

#[derive(Batch)]
struct Empty {
    #[batch()]
    labels: Tensor,
}

#[derive(Batch)]
struct Name {
    #[batch(shape = "N")]
    labels: Tensor,
}

#[derive(Batch)]
struct NotNumbers {
    #[batch("N", i64, "a".."z")]
    labels: Tensor,
}

#[derive(Batch)]
struct SkipsAndMore(#[batch(skip, f32)] Tensor);

#[derive(Batch)]
enum Twice {
    Image(#[batch("N")] #[batch(f32)] Tensor),
}

fn main() {}
