//! What libtorch is asked to do.

use crate::native::Record;
use std::collections::BTreeMap;

/// Calls `work`, and counts the operators of libtorch that it calls on this thread, by their names.
///
/// Operators that others call are counted too, and those within a count inside of this one. The number of an operator that waits for the device, `aten::_local_scalar_dense`, is how often the host waited for a value.
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
/// Where libtorch does not let itself be listened to, nothing is counted.
pub fn count_operators<T>(work: impl FnOnce() -> T) -> (T, BTreeMap<String, u64>) {
    let record = Record::start();
    let value = work();
    (value, record.map(|record| record.counts()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, Tensor};

    /// How often the operators of `work` call `aten::mul`, and what it returns.
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
    fn a_count_within_another_belongs_to_both() {
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
        assert_eq!(multiplications(|| multiply(3)).1, 3, "nothing is left of it");
    }

    #[test]
    fn a_count_that_panics_ends() {
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
    fn each_thread_counts_its_own() {
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
