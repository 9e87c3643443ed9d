//! Tests that an update does not read values on the host, which would synchronize with the device.
//!
//! Under libtorch's vectorizing map a tensor represents several, so that libtorch refuses to read values on the host and to
//! compute sizes from values. An update that succeeds there does neither. The represented batches have different values, and
//! therefore different results.

use tch::{Kind, Tensor};

use crate::table::{Batch, Case, cases};

/// Combines two batches into one that represents both.
fn both(one: &Batch, other: &Batch) -> Batch {
    let pairs = one.iter().zip(other);
    pairs.map(|(one, other)| Tensor::stack(&[one, other], 0).internal_add_batch_dim(0, 1)).collect()
}

/// Splits the results of both batches.
fn apart(result: &Tensor) -> [Tensor; 2] {
    let both = result.internal_remove_batch_dim(1, 2, 0);
    [both.get(0), both.get(1)]
}

/// Returns a batch with other values: the elements in reverse order, and the targets in another order.
fn other(batch: &Batch) -> Batch {
    let flipped = batch[0].flip([0]);
    [flipped].into_iter().chain(batch[1..].iter().map(|tensor| tensor.roll([1], [0]))).collect()
}

fn assert_same(case: &Case, found: &Tensor, expected: &Tensor) {
    let bits = |tensor: &Tensor| {
        let values = Vec::<f64>::try_from(tensor.to_kind(Kind::Double).flatten(0, -1)).unwrap();
        values.into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    assert_eq!((found.size(), bits(found)), (expected.size(), bits(expected)), "{case:?}");
}

#[test]
fn host_reads_are_refused_by_libtorch_under_the_map() {
    let one = vec![Tensor::from_slice(&[1f32, 2.0, 0.0])];
    let both = both(&one, &vec![Tensor::from_slice(&[1f32, 0.0, 0.0])]);
    assert!(both[0].sum(None).f_double_value(&[]).is_err());
    assert!(both[0].f_nonzero().is_err());
}

#[test]
fn updates_and_batch_values_do_not_read_on_the_host() {
    for case in cases() {
        let batch = &case.batches()[0];
        let mapped = case.subject();
        let of_both = (mapped.forward)(&both(batch, &other(batch))).unwrap_or_else(|error| panic!("{error}: {case:?}"));
        (mapped.update)(&both(batch, &other(batch))).unwrap_or_else(|error| panic!("{error}: {case:?}"));

        let expected = [batch, &other(batch)].map(|batch| (case.subject().forward)(batch).unwrap());
        for (found, expected) in apart(&of_both).iter().zip(&expected) {
            assert_same(case, found, expected);
        }
    }
}
