//! Counts the operators that libtorch executes.

use crate::native::{FlopCounter, Record};
use std::collections::BTreeMap;

/// Calls `work`, and returns its value with the number of calls of each libtorch operator on this thread, by name.
///
/// Operators called by other operators are counted too, as are those in nested counts. The number of
/// `aten::_local_scalar_dense`, which synchronizes with the device, is the number of values that the host read.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::profiler::count_operators;
///
/// let (sum, counts) = count_operators(|| (Tensor::from_slice(&[1.0, 2.0]) * 3.0).sum(tch::Kind::Double).double_value(&[]));
/// assert_eq!(sum, 9.0);
/// assert!(counts.contains_key("aten::mul") && counts.contains_key("aten::sum"));
/// assert_eq!(counts["aten::_local_scalar_dense"], 1);
/// ```
///
/// If libtorch refuses to register the observer, the counts are empty.
pub fn count_operators<T>(work: impl FnOnce() -> T) -> (T, BTreeMap<String, u64>) {
    let record = Record::start();
    let value = work();
    (value, record.map(|record| record.counts()).unwrap_or_default())
}

/// Calls `work`, and returns its value with the number of floating-point operations of its matrix products, convolutions and attention,
/// those of its backward passes included. Other operators are not counted, as they take a small part of a model's time. A multiplication
/// and an addition are two operations. Counts as
/// [`torch.utils.flop_counter`](https://github.com/pytorch/pytorch/blob/main/torch/utils/flop_counter.py) does; Fabric's
/// [`measure_flops`](https://lightning.ai/docs/fabric/stable/api/generated/lightning.fabric.utilities.throughput.measure_flops.html).
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use tch_lightning::profiler::count_flops;
///
/// let (left, right) = (Tensor::ones([4, 8], (Kind::Float, Device::Cpu)), Tensor::ones([8, 3], (Kind::Float, Device::Cpu)));
/// let (product, flops) = count_flops(|| left.matmul(&right));
/// assert_eq!(product.size(), [4, 3]);
/// assert_eq!(flops, 2 * 4 * 8 * 3);
/// ```
///
/// If libtorch refuses to register the observer, the count is 0.
pub fn count_flops<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let counter = FlopCounter::start();
    let value = work();
    (value, counter.and_then(FlopCounter::finish).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, Tensor};

    /// Returns the value of `work`, and the number of its calls of `aten::mul`.
    fn multiplications<T>(work: impl FnOnce() -> T) -> (T, u64) {
        let (value, counts) = count_operators(work);
        (value, counts.get("aten::mul").copied().unwrap_or_default())
    }

    fn multiply(times: usize) {
        let ones = Tensor::ones([2], (Kind::Float, tch::Device::Cpu));
        for _ in 0..times {
            let _ = &ones * &ones;
        }
    }

    #[test]
    fn nested_counts_belong_to_both() {
        let (inner, outer) = multiplications(|| {
            multiply(1);
            let (innermost, inner) = multiplications(|| {
                multiply(2);
                multiplications(|| multiply(4)).1
            });
            multiply(8);
            [innermost, inner, multiplications(|| multiply(16)).1]
        });
        assert_eq!((inner, outer), ([4, 6, 16], 31));
        assert_eq!(multiplications(|| multiply(3)).1, 3, "a count is left over");
    }

    #[test]
    fn count_ends_when_the_work_panics() {
        let (_, outer) = multiplications(|| {
            let panics = || {
                multiplications(|| -> () {
                    multiply(2);
                    panic!("enough")
                })
            };
            assert!(std::panic::catch_unwind(panics).is_err());
            multiply(1);
            assert_eq!(multiplications(|| multiply(4)).1, 4);
        });
        assert_eq!(outer, 2 + 1 + 4);
    }

    #[test]
    fn counts_are_separate_for_each_thread() {
        let count = |times| move || multiplications(|| (multiply(times), multiplications(|| multiply(1)).1)).1;
        let ((), own) = multiplications(|| {
            let threads = [10, 20, 30].map(|times| std::thread::spawn(count(times)));
            multiply(5);
            let counted = threads.map(|thread| thread.join().unwrap());
            assert_eq!(counted, [11, 21, 31]);
        });
        assert_eq!(own, 5);
    }
}
