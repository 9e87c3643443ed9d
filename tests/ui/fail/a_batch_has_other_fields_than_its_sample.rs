use tch_lightning::prelude::*;

#[derive(Collate)]
#[collate(batch = Measurements)]
struct Measurement {
    values: [f32; 32],
    label: i64,
}

#[derive(Batch)]
struct Measurements {
    values: Vec<String>,
    labels: Tensor,
}

fn main() {
    let _ = Measurement::collate(Vec::new()).map(|Measurements { values, labels }| (values, labels));
}
