use tch_lightning::prelude::*;

#[derive(Collate)]
struct Measurement {
    values: [f32; 32],
}

#[derive(Collate)]
#[collate(batch = "Measurements")]
struct Quoted {
    values: [f32; 32],
}

#[derive(Collate)]
#[collate(batch = Measurements)]
enum Either {
    Left([f32; 32]),
    Right,
}

#[derive(Batch)]
struct Measurements {
    values: Tensor,
}

fn main() {
    let _ = (Measurement { values: [0.0; 32] }.values, Quoted { values: [0.0; 32] }.values);
    let _ = (Either::Left([0.0; 32]), Either::Right);
    let _ = Measurement::collate(Vec::new());
}
