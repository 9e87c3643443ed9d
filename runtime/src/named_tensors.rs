//! Tensors by their names in a checkpoint.

use std::collections::BTreeMap;
use std::ops::Bound;
use tch::Tensor;

pub(crate) type NamedTensors = BTreeMap<String, Tensor>;

/// Returns the tensors whose names begin with `prefix`, by the rest of their names.
pub(crate) fn under<'a>(tensors: &'a NamedTensors, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
    let from = tensors.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
    from.map_while(move |(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)))
}
