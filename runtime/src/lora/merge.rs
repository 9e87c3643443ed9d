//! The weights of a model without adapters that computes the same.

use super::names::{A, B, adapted_layer, is_adapter, variable};
use super::{Lora, LoraError};
use crate::checkpoint::weights;
use std::collections::HashMap;
use std::path::Path;
use tch::nn::VarStore;
use tch::{TchError, Tensor};

impl Lora {
    /// Writes the weights with the adapters merged into them, `W + scaling · B A`, to a `.safetensors` file, as
    /// [`weights::save`] writes those of a model without adapters.
    ///
    /// # Errors
    /// [`LoraError::Weights`] if the file cannot be written.
    pub fn save_merged(&self, store: &VarStore, path: impl AsRef<Path>) -> Result<(), LoraError> {
        let merged = tch::no_grad(|| self.merged(store.variables()))?;
        Ok(weights::write(merged.iter().map(|(name, tensor)| (name.as_str(), tensor)), path.as_ref())?)
    }

    fn merged(&self, mut variables: HashMap<String, Tensor>) -> Result<HashMap<String, Tensor>, TchError> {
        let layers: Vec<String> = variables.keys().filter_map(|name| adapted_layer(name)).map(str::to_owned).collect();
        for layer in layers {
            let matrices = [A, B].map(|matrix| variables.remove(&variable(&layer, &format!("{matrix}.weight"))));
            // the two names of a layer lead to it twice
            let [Some(a), Some(b)] = matrices else { continue };
            if let Some(weight) = variables.get_mut(&variable(&layer, "weight")) {
                *weight = weight.f_add(&b.f_matmul(&a)?.f_mul_scalar(self.scaling())?)?;
            }
        }
        debug_assert!(!variables.keys().any(|name| is_adapter(name)));
        Ok(variables)
    }
}
