//! Tensors that Python has written, and their comparison with ours.

use std::collections::HashMap;
use std::path::Path;
use tch_lightning::prelude::Tensor;

/// Returns the tensors of a `.safetensors` file by their names.
pub fn tensors(path: impl AsRef<Path>) -> HashMap<String, Tensor> {
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

/// Fails if tensors have other shapes, or values that differ by the tolerance or more.
pub fn assert_close(ours: &Tensor, theirs: &Tensor, tolerance: f64, of: &str) {
    assert_eq!(ours.size(), theirs.size(), "{of}");
    let distance = (ours - theirs).abs().max().double_value(&[]);
    println!("{of}: differs by at most {distance:e}, with values up to {}", theirs.abs().max().double_value(&[]));
    assert!(distance < tolerance, "{of}: {distance}");
}
