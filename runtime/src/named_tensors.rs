//! Tensors by their names in a checkpoint.

use std::collections::BTreeMap;
use tch::Tensor;

pub(crate) type NamedTensors = BTreeMap<String, Tensor>;

/// Returns the tensors whose names begin with `prefix`, by the rest of their names.
pub(crate) fn under<'a>(tensors: &'a NamedTensors, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
    tensors.iter().filter_map(move |(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)))
}
