//! The hyperparameters of algorithms as PyTorch's parameter groups have them.

use super::Algorithm;
use crate::json;
use serde_json::Value;

impl Algorithm {
    /// Returns the same algorithm with the hyperparameters of a parameter group of PyTorch.
    ///
    /// # Errors
    /// A clause about a hyperparameter that the group does not have, or another algorithm's.
    pub(crate) fn with_pytorch_hyperparameters(&self, group: &Value) -> Result<Self, String> {
        let mut json = json::to_value(self).map_err(|error| error.to_string())?;
        let own =
            json.as_object_mut().and_then(|algorithm| algorithm.values_mut().next()).and_then(Value::as_object_mut);
        for (name, value) in own.into_iter().flatten() {
            let saved = group.get(name).ok_or_else(|| format!("no `{name}`, which the run's {} has", self.name()))?;
            // an integer of Python's is a number here
            *value =
                if value.is_f64() { saved.as_f64().map_or_else(|| saved.clone(), Value::from) } else { saved.clone() };
        }
        let is_decoupled = group.get("decoupled_weight_decay").and_then(Value::as_bool);
        if let (Self::Adam(_), Some(true)) | (Self::AdamW(_), Some(false)) = (self, is_decoupled) {
            let other = if is_decoupled == Some(true) { "AdamW" } else { "Adam" };
            return Err(format!("the hyperparameters of {other}, but the run's is {}", self.name()));
        }
        json::from_value(&json)
            .map_err(|error| format!("other hyperparameters than the run's {}: {error}", self.name()))
    }

    /// Returns the hyperparameters, by PyTorch's names.
    pub(crate) fn pytorch_hyperparameters(&self) -> Value {
        let json = json::to_value(self).unwrap_or_default();
        json.as_object().and_then(|algorithm| algorithm.values().next()).cloned().unwrap_or_default()
    }
}
