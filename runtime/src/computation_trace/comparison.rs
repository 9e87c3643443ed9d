//! The comparison of a traced module with the module.

use tch::{Kind, Tensor};

/// The largest difference of a traced module's outputs, as a part of the value and for values near 0.
const TOLERANCE: f64 = 1e-5;

/// Describes how outputs differ from the expected ones, if they do.
pub(super) fn difference(found: &[Tensor], expected: &[Tensor]) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} outputs instead of {}", found.len(), expected.len()));
    }
    found.iter().zip(expected).enumerate().find_map(|(output, (found, expected))| {
        if found.size() != expected.size() || found.kind() != expected.kind() {
            return Some(format!("output {output} is {found:?} instead of {expected:?}"));
        }
        if is_close(found, expected) {
            return None;
        }
        let of_elements = if expected.numel() == 1 { "" } else { "largest " };
        let difference = (found.to_kind(Kind::Double) - expected.to_kind(Kind::Double)).abs().max();
        Some(format!("the {of_elements}difference of output {output} is {:.3e}", difference.double_value(&[])))
    })
}

fn is_close(found: &Tensor, expected: &Tensor) -> bool {
    if expected.is_floating_point() || expected.is_complex() {
        found.allclose(expected, TOLERANCE, TOLERANCE, true)
    } else {
        found.equal(expected)
    }
}
