//! The weights of the best check.

use crate::checkpoint::Checkpoint;
use crate::module::{NamedParameter, copy, variables};
use anyhow::Result;
use std::collections::HashMap;
use tch::nn::VarStore;
use tch::{Tensor, no_grad};

/// Copies of a module's parameters and buffers, on its device; none before the first check. They are replaced and never changed, as
/// checkpoints that are being written share them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct BestWeights(Vec<NamedParameter>);

impl Clone for BestWeights {
    fn clone(&self) -> Self {
        Self(self.0.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect())
    }
}

impl BestWeights {
    /// Copies the module's weights, without waiting for the device.
    pub(super) fn keep(&mut self, store: &VarStore) -> Result<()> {
        // the memory of the copies before is free for these
        self.0.clear();
        self.0 = copies(store)?;
        Ok(())
    }

    /// Copies the kept weights into the module.
    pub(super) fn restore(&self, store: &VarStore) -> Result<()> {
        let mut variables: HashMap<String, Tensor> = store.variables();
        no_grad(|| {
            self.0.iter().try_for_each(|(name, best)| {
                variables.get_mut(name).map_or(Ok(()), |variable| variable.f_copy_(best).map(drop))
            })
        })?;
        Ok(())
    }

    /// Returns the kept weights for a checkpoint.
    pub(super) fn named(&self, prefix: &str) -> impl Iterator<Item = NamedParameter> {
        self.0.iter().map(move |(name, tensor)| (format!("{prefix}{name}"), tensor.shallow_clone()))
    }

    /// Loads the kept weights of a checkpoint, if it has some.
    pub(super) fn load(&mut self, store: &VarStore, checkpoint: &Checkpoint, prefix: &str) -> Result<()> {
        if checkpoint.under(prefix).next().is_some() {
            let copies = copies(store)?;
            checkpoint.load_under(prefix, &copies)?;
            self.0 = copies;
        }
        Ok(())
    }
}

fn copies(store: &VarStore) -> Result<Vec<NamedParameter>> {
    variables(store).into_iter().map(|(name, tensor)| Ok((name, copy(&tensor)?))).collect()
}
