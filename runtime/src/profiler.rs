//! What libtorch is asked to do.

use crate::native::Record;
use std::collections::BTreeMap;

/// Calls `work`, and counts the operators of libtorch that it calls on this thread, by their names.
///
/// Operators that others call are counted too. The number of an operator that waits for the device, `aten::_local_scalar_dense`, is how often the host waited for a value.
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
