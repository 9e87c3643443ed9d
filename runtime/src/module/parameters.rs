//! The names of a module's parameters. A `VarStore` keeps the names in a map and the order of creation in a list without
//! them; here the two are brought together.

use crate::native::TensorIdentity;
use std::collections::HashMap;
use tch::nn::VarStore;
use tch::{Device, TchError, Tensor, no_grad};

/// A parameter or buffer with its name, such as `conv1.weight`.
pub(crate) type NamedParameter = (String, Tensor);

/// The parameters that can be trained, in the order in which they were created.
pub(crate) fn trainable(store: &VarStore) -> Vec<NamedParameter> {
    let mut names: HashMap<TensorIdentity, String> =
        store.variables().into_iter().map(|(name, tensor)| (TensorIdentity::of(&tensor), name)).collect();
    let in_order = store.trainable_variables().into_iter();
    in_order.filter_map(|tensor| Some((names.remove(&TensorIdentity::of(&tensor))?, tensor))).collect()
}

/// The tensors that are saved and moved but not trained, such as running means, by name.
pub(crate) fn buffers(store: &VarStore) -> Vec<NamedParameter> {
    let trained: Vec<TensorIdentity> = store.trainable_variables().iter().map(TensorIdentity::of).collect();
    let mut others: Vec<NamedParameter> =
        store.variables().into_iter().filter(|(_, tensor)| !trained.contains(&TensorIdentity::of(tensor))).collect();
    others.sort_by(|(one, _), (other, _)| one.cmp(other));
    others
}

/// All parameters and buffers: what a checkpoint keeps of a module.
pub(crate) fn variables(store: &VarStore) -> Vec<NamedParameter> {
    let mut variables = trainable(store);
    variables.extend(buffers(store));
    variables
}

/// Returns a copy with its own memory, without a graph.
pub(crate) fn copy(tensor: &Tensor) -> Result<Tensor, TchError> {
    no_grad(|| {
        let mut copy = tensor.f_empty_like()?;
        copy.f_copy_(tensor)?;
        Ok(copy)
    })
}

/// Tensors with copies of what they were, which are kept by the CPU, as an accelerator may not have room for them.
#[derive(Debug)]
pub(crate) struct Copies(Vec<(Tensor, Tensor)>);

impl Copies {
    /// Returns copies of the tensors.
    pub(crate) fn of(tensors: impl IntoIterator<Item = Tensor>) -> Result<Self, TchError> {
        let copy = |tensor: &Tensor| tensor.f_detach()?.f_internal_to_copy((tensor.f_kind()?, Device::Cpu), false);
        tensors.into_iter().map(|tensor| Ok((copy(&tensor)?, tensor))).collect::<Result<_, _>>().map(Self)
    }

    /// Gives every tensor its values back, as far as it can take them, and returns the first error.
    pub(crate) fn restore(&mut self) -> Result<(), TchError> {
        no_grad(|| {
            let outcomes = self.0.iter_mut().map(|(copy, tensor)| tensor.f_copy_(copy).map(drop));
            outcomes.fold(Ok(()), Result::and)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::nn;

    #[test]
    fn parameters_come_in_order_and_buffers_apart() {
        let store = VarStore::new(Device::Cpu);
        let root = store.root();
        let _linear = nn::linear(&root / "last", 2, 3, nn::LinearConfig::default());
        let _norm = nn::batch_norm1d(&root / "first", 3, nn::BatchNormConfig::default());
        let names: Vec<String> = trainable(&store).into_iter().map(|(name, _)| name).collect();
        // tch registers the bias before the weight in `linear`
        assert_eq!(names, ["last.bias", "last.weight", "first.weight", "first.bias"]);
        let names: Vec<String> = buffers(&store).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["first.running_mean", "first.running_var"]);
    }
}
