//! Fine-tuning with LoRA: small trained matrices next to frozen linear layers.
//!
//! [`LoraLinear`] is `nn::linear` with an adapter, if a [`Lora`] chooses its path: `W x + scaling · B A x`, where `A` and `B` have a small
//! rank, and `W` is frozen. A model makes its layers with it, and is pretrained without a `Lora` and fine-tuned with one. The layer
//! is another type, rather than a change of a finished `VarStore`, because a module of tch computes with the tensors that it was made with:
//! a second path beside them, with its dropout, must be part of its `forward`. The names `weight` and `bias` stay, so that pretrained
//! weights are loaded as before.
//!
//! Adapters are exchanged with [PEFT](https://huggingface.co/docs/peft): [`Lora::save`] writes `adapter_config.json` and
//! `adapter_model.safetensors`, which `PeftModel.from_pretrained` reads, and [`open`] reads those of PEFT.
//!
//! ```
//! use tch_lightning::checkpoint::weights;
//! use tch_lightning::lora::{self, Lora, LoraLinear};
//! use tch_lightning::prelude::*;
//!
//! /// The layers of an attention, with adapters if there is a `lora`.
//! fn attention(path: nn::Path<'_>, lora: Option<&Lora>) -> Result<[LoraLinear; 2]> {
//!     let linear = |name: &str, outputs| LoraLinear::new(&path / name, 8, outputs, nn::LinearConfig::default(), lora);
//!     Ok([linear("qkv", 24)?, linear("out", 8)?])
//! }
//!
//! # fn main() -> Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let pretrained = folder.path().join("model.safetensors");
//! # let base = nn::VarStore::new(Device::Cpu);
//! # attention(base.root() / "attn", None)?;
//! # weights::save(&base, &pretrained)?;
//! # let merged = folder.path().join("merged.safetensors");
//! # let folder = folder.path();
//! let lora = Lora::new(4, "**.qkv").alpha(8.0).dropout(0.1);
//! let mut vs = nn::VarStore::new(Device::Cpu);
//! let layers = attention(vs.root() / "attn", Some(&lora))?;
//! weights::open(pretrained)?.except(lora::ADAPTERS).load(&mut vs)?;
//! lora.freeze_base(&vs)?;
//! // … after the training, the adapters alone, or the weights of a model without them
//! lora.save(&vs, folder)?;
//! lora.save_merged(&vs, merged)?;
//! # Ok(())
//! # }
//! ```

mod adapter_config;
mod adapter_files;
mod error;
mod linear;
mod merge;
mod names;
mod patterns;

pub use adapter_files::{Adapter, open};
pub use error::LoraError;
pub use linear::LoraLinear;
pub use patterns::IntoPatterns;

use crate::module::trainable;
use crate::optim::Pattern;
use names::{is_adapter, modules_above};
use tch::nn::VarStore;

/// The pattern of the names of adapters' matrices, for [`Weights::except`](crate::checkpoint::weights::Weights::except) and
/// [`ParameterGroups`](crate::optim::ParameterGroups).
pub const ADAPTERS: &str = "**.lora_{A,B}.weight";

/// The settings of adapters, and the choice of the layers that have one. PEFT's `LoraConfig`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lora {
    rank: i64,
    alpha: f64,
    dropout: f64,
    is_rank_stabilized: bool,
    target_modules: Vec<String>,
    modules_to_save: Vec<String>,
}

impl Lora {
    /// Adapters of this rank for the linear layers whose paths match a pattern, such as `**.attn.*`, or one of several,
    /// `["**.q_proj", "**.v_proj"]`, in the form of those of [parameter groups](crate::optim::ParameterGroups). With PEFT's defaults: an
    /// `alpha` of 8, and no dropout.
    pub fn new(rank: i64, target_modules: impl IntoPatterns) -> Self {
        Self {
            rank,
            alpha: 8.0,
            dropout: 0.0,
            is_rank_stabilized: false,
            target_modules: target_modules.into_patterns(),
            modules_to_save: Vec::new(),
        }
    }

    /// Sets the numerator of the scaling, which is `alpha / rank`. PEFT's `lora_alpha`.
    pub fn alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// Sets the probability with which the inputs of adapters are zeroed in training. PEFT's `lora_dropout`.
    pub fn dropout(self, dropout: f64) -> Self {
        Self { dropout, ..self }
    }

    /// Whether the scaling is `alpha / √rank`, as in [rsLoRA](https://arxiv.org/abs/2312.03732), PEFT's `use_rslora`. False by default.
    pub fn rank_stabilized(self, is_rank_stabilized: bool) -> Self {
        Self { is_rank_stabilized, ..self }
    }

    /// Adds layers whose paths match another pattern, or one of several.
    pub fn target_modules(mut self, patterns: impl IntoPatterns) -> Self {
        self.target_modules.extend(patterns.into_patterns());
        self
    }

    /// Adds modules whose parameters are trained as a whole and saved with the adapters, such as a new `head`.
    pub fn modules_to_save(mut self, patterns: impl IntoPatterns) -> Self {
        self.modules_to_save.extend(patterns.into_patterns());
        self
    }

    /// The factor of the product of the two matrices.
    pub fn scaling(&self) -> f64 {
        let rank = self.rank as f64;
        self.alpha / if self.is_rank_stabilized { rank.sqrt() } else { rank }
    }

    /// Freezes all parameters except those of the adapters and of [`modules_to_save`](Self::modules_to_save). Optimizers that are
    /// configured from now on skip the frozen ones.
    ///
    /// # Errors
    /// [`LoraError::NoAdapter`] if no layer has an adapter, and [`LoraError::NoModule`] if a pattern of
    /// [`modules_to_save`](Self::modules_to_save) matches no module.
    pub fn freeze_base(&self, variables: &VarStore) -> Result<(), LoraError> {
        let saved = self.saved_modules(variables)?;
        for (name, parameter) in trainable(variables) {
            let _ = parameter.set_requires_grad(saved.has(&name));
        }
        Ok(())
    }

    /// Returns the modules to save. There must be an adapter, and a module for each pattern.
    fn saved_modules(&self, variables: &VarStore) -> Result<SavedModules, LoraError> {
        let parameters = || trainable(variables).into_iter().map(|(name, _)| name);
        if !parameters().any(|name| is_adapter(&name)) {
            return Err(LoraError::NoAdapter {
                patterns: self.target_modules.clone(),
                parameters: parameters().collect(),
            });
        }
        let mut matchers = Vec::new();
        for pattern in &self.modules_to_save {
            let matcher = parsed(pattern)?;
            if !parameters().any(|name| modules_above(&name).any(|module| matcher.matches(module))) {
                return Err(LoraError::NoModule { pattern: pattern.clone(), parameters: parameters().collect() });
            }
            matchers.push(matcher);
        }
        Ok(SavedModules(matchers))
    }

    /// Whether the layer at this path has an adapter.
    fn is_target(&self, path: &str) -> Result<bool, LoraError> {
        for pattern in &self.target_modules {
            if parsed(pattern)?.matches(path) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn validate(&self) -> Result<(), LoraError> {
        let refused = |name, value, expected| Err(LoraError::Setting { name, value, expected });
        if self.rank < 1 {
            return refused("rank", self.rank as f64, "at least 1");
        }
        if !self.alpha.is_finite() {
            return refused("alpha", self.alpha, "a finite number");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refused("dropout", self.dropout, "at least 0 and below 1");
        }
        Ok(())
    }
}

/// The patterns of the modules that are saved as a whole.
struct SavedModules(Vec<Pattern>);

impl SavedModules {
    /// Whether a variable is saved: that of an adapter, or of one of these modules.
    fn has(&self, name: &str) -> bool {
        is_adapter(name) || self.module_of(name).is_some()
    }

    /// Returns the outermost of the modules to save that contain a variable.
    fn module_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        modules_above(name).find(|module| self.0.iter().any(|matcher| matcher.matches(module)))
    }
}

fn parsed(pattern: &str) -> Result<Pattern, LoraError> {
    Pattern::new("LoRA", pattern).map_err(|error| LoraError::Pattern { reason: error.to_string() })
}
