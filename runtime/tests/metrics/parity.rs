use tch::{Kind, Tensor};

use crate::table::{Case, cases};

/// The precision of f32, in which torchmetrics computes; this crate computes in f64.
const PRECISION: f64 = 1e-6;

fn assert_value(case: &Case, found: &Tensor, expected: &[Option<f64>]) {
    let found = Vec::<f64>::try_from(found.to_kind(Kind::Double).flatten(0, -1)).unwrap();
    assert_eq!(found.len(), expected.len(), "{case:?}");
    for (found, expected) in found.iter().zip(expected) {
        let agrees = match expected {
            Some(expected) => (found - expected).abs() <= PRECISION * expected.abs(),
            None => found.is_nan(),
        };
        assert!(agrees, "{found} where torchmetrics has {expected:?}: {case:?}");
    }
}

#[test]
fn values_match_torchmetrics() {
    for case in cases() {
        let subject = case.subject();
        for (batch, expected) in case.batches().iter().zip(&case.of_batches) {
            let of_batch = (subject.forward)(batch).unwrap();
            assert_eq!(of_batch.size(), case.shape, "{case:?}");
            assert_value(case, &of_batch, expected);
        }
        let value = subject.metric.compute().unwrap();
        assert_eq!(value.size(), case.shape, "{case:?}");
        assert_value(case, &value, &case.value);
    }
}
