//! The hyperparameters of algorithms by name, and those of PyTorch's parameter groups.

use super::Algorithm;
use crate::json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

impl Algorithm {
    /// Returns the hyperparameters by their names, which are PyTorch's.
    ///
    /// # Errors
    /// If they cannot be written as JSON.
    pub(crate) fn hyperparameters(&self) -> serde_json::Result<Map<String, Value>> {
        self.tagged().map(|(_, hyperparameters)| hyperparameters)
    }

    /// Returns the same algorithm with the hyperparameters of a parameter group of PyTorch.
    ///
    /// # Errors
    /// A clause about a hyperparameter that the group does not have, or another algorithm's.
    pub(crate) fn with_pytorch_hyperparameters(&self, group: &Value) -> Result<Self, String> {
        let other = |error: serde_json::Error| format!("other hyperparameters than the run's {}: {error}", self.name());
        let (tag, mut own) = self.tagged().map_err(other)?;
        for (name, value) in &mut own {
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
        json::from_value(&Value::Object(Map::from_iter([(tag, own.into())]))).map_err(other)
    }

    /// Returns the two parts of the serialized form: the algorithm's name, and its hyperparameters.
    fn tagged(&self) -> serde_json::Result<(String, Map<String, Value>)> {
        let tagged: BTreeMap<String, Map<String, Value>> = serde_json::from_value(json::to_value(self)?)?;
        Ok(tagged.into_iter().next().unwrap_or_default())
    }
}
