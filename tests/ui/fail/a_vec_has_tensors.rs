//! Samples that cannot be cloned.

use tch_lightning::prelude::*;

fn main() {
    let samples = vec![(Tensor::from(1.0), 1_i64)];
    let _loader = DataLoader::new(samples);
}
