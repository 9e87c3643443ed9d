//! The file `adapter_config.json` of PEFT.

use super::Lora;
use crate::shown::shown;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The settings of PEFT's `LoraConfig` that are used here.
#[derive(Serialize, Deserialize)]
pub(super) struct AdapterConfig {
    peft_type: String,
    r: i64,
    lora_alpha: serde_json::Number,
    #[serde(default)]
    lora_dropout: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default = "none")]
    bias: String,
    #[serde(default = "drawn")]
    init_lora_weights: Value,
    /// Names, or in Python also a regular expression.
    #[serde(default)]
    target_modules: Value,
    #[serde(default)]
    modules_to_save: Value,
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn none() -> String {
    "none".to_owned()
}

fn drawn() -> Value {
    true.into()
}

/// The settings that say nothing about the computation of a finished adapter, or what its tensors say as well.
const WITHOUT_EFFECT: [&str; 16] = [
    "auto_mapping",
    "base_model_name_or_path",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "fan_in_fan_out",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
    "task_type",
    "lora_ga_config",
];

/// The ways of drawing the first values that leave the base as it is. The others, such as `pissa`, change it.
const INITIALIZATIONS: [&str; 3] = ["gaussian", "eva", "orthogonal"];

impl AdapterConfig {
    /// The settings of a finished adapter in these layers, with these modules.
    pub(super) fn new(lora: &Lora, layers: &[String], modules_to_save: &[String]) -> Self {
        let alpha = lora.alpha;
        // PEFT's is usually an integer
        let integer = (alpha.fract() == 0.0 && alpha.abs() < 1e15).then_some(alpha as i64);
        let number = integer.map(serde_json::Number::from).or_else(|| serde_json::Number::from_f64(alpha));
        let others =
            [("inference_mode", true.into()), ("task_type", Value::Null), ("base_model_name_or_path", Value::Null)];
        Self {
            peft_type: "LORA".to_owned(),
            r: lora.rank,
            lora_alpha: number.unwrap_or_else(|| 0.into()),
            lora_dropout: lora.dropout,
            use_rslora: lora.is_rank_stabilized,
            bias: none(),
            init_lora_weights: drawn(),
            target_modules: layers.into(),
            modules_to_save: if modules_to_save.is_empty() { Value::Null } else { modules_to_save.into() },
            others: others.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// Parses the file; the error is the reason for which it is not one of LoRA.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let invalid = |error: serde_json::Error| format!("`adapter_config.json` is not valid: {error}");
        let value: Value = serde_json::from_str(text).map_err(invalid)?;
        // the adapters of other methods have other fields
        match value.get("peft_type").and_then(Value::as_str) {
            Some("LORA") | None => serde_json::from_str(text).map_err(invalid),
            Some(other) => Err(format!("its `peft_type` is {}, and only LORA is supported", shown(other, 50))),
        }
    }

    /// Returns the settings, without the modules; the error is the reason for which they are not supported.
    pub(super) fn lora(&self) -> Result<Lora, String> {
        if self.bias != "none" {
            return Err(format!("its `bias` is `{}`, and only `none` is supported", self.bias));
        }
        let initialization = self.init_lora_weights.as_str();
        if let Some(other) = initialization.filter(|name| !INITIALIZATIONS.contains(name)) {
            return Err(format!(
                "its `init_lora_weights` is `{other}`, which changes the weights of the base: convert it to a plain LoRA in Python by \
                 `path_initial_model_for_weight_conversion` of `save_pretrained`"
            ));
        }
        let is_set = |value: &Value| match value {
            Value::Null => false,
            Value::Bool(is_set) => *is_set,
            Value::Array(values) => !values.is_empty(),
            Value::Object(values) => !values.is_empty(),
            Value::Number(_) | Value::String(_) => true,
        };
        let mut others = self.others.iter().filter(|(name, _)| !WITHOUT_EFFECT.contains(&name.as_str()));
        if let Some((name, value)) = others.find(|(_, value)| is_set(value)) {
            return Err(format!(
                "its `{name}` is {value}, which is not supported: all layers have one rank and one alpha, and nothing else"
            ));
        }
        let alpha = self.lora_alpha.as_f64().unwrap_or(f64::NAN);
        let lora = Lora {
            rank: self.r,
            alpha,
            dropout: self.lora_dropout,
            is_rank_stabilized: self.use_rslora,
            target_modules: Vec::new(),
            modules_to_save: Vec::new(),
        };
        lora.validate().map_err(|error| error.to_string())?;
        Ok(lora)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapter_of_another_method_is_named() {
        let refused = |text: &str| AdapterConfig::parse(text).err().unwrap();
        let said = refused(r#"{"peft_type": "IA3", "target_modules": ["k"], "feedforward_modules": []}"#);
        assert_eq!(said, "its `peft_type` is IA3, and only LORA is supported");
        let said = refused(r#"{"peft_type": "LORA", "lora_alpha": 8}"#);
        assert_eq!(said, "`adapter_config.json` is not valid: missing field `r` at line 1 column 38");
    }
}
