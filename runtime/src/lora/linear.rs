use super::names::{A, B};
use super::{Lora, LoraError};
use crate::training_mode::is_training;
use std::borrow::Borrow;
use tch::Tensor;
use tch::nn::{self, Init, Linear, LinearConfig, Module, Path};

/// A linear layer, with an adapter if a [`Lora`] chooses it.
///
/// Its variables are those of `nn::linear`, `weight` and `bias`, and those of the adapter, `lora_A.weight` of shape `[rank, inputs]` and
/// `lora_B.weight` of shape `[outputs, rank]`. As in PEFT, `A` is drawn uniformly and `B` is zero, so that the layer computes at first
/// what it computes without the adapter. Dropout applies where [`is_training`] is true.
#[derive(Debug)]
pub struct LoraLinear {
    base: Linear,
    adapter: Option<Matrices>,
}

#[derive(Debug)]
struct Matrices {
    a: Tensor,
    b: Tensor,
    scaling: f64,
    dropout: f64,
}

impl LoraLinear {
    /// Creates the layer as `nn::linear` does, with an adapter if `lora` chooses the path.
    ///
    /// # Errors
    /// [`LoraError::Setting`] and [`LoraError::Pattern`] if a setting of `lora` is not valid.
    pub fn new<'a>(
        path: impl Borrow<Path<'a>>,
        inputs: i64,
        outputs: i64,
        config: LinearConfig,
        lora: Option<&Lora>,
    ) -> Result<Self, LoraError> {
        let path = path.borrow();
        let lora = match lora {
            Some(lora) if lora.is_target(&path.components().collect::<Vec<_>>().join("."))? => Some(lora),
            _ => None,
        };
        // before the store has a part of the layer
        lora.map_or(Ok(()), Lora::validate)?;
        let base = nn::linear(path, inputs, outputs, config);
        let adapter = lora.map(|lora| Matrices::new(path, inputs, outputs, lora));
        Ok(Self { base, adapter })
    }

    /// The layer without its adapter.
    pub fn base(&self) -> &Linear {
        &self.base
    }
}

impl Matrices {
    fn new(path: &Path<'_>, inputs: i64, outputs: i64, lora: &Lora) -> Self {
        // Kaiming's uniform distribution with a = √5, as PEFT draws it
        let bound = 1.0 / (inputs as f64).sqrt();
        Self {
            a: (path / A).var("weight", &[lora.rank, inputs], Init::Uniform { lo: -bound, up: bound }),
            b: (path / B).var("weight", &[outputs, lora.rank], Init::Const(0.0)),
            scaling: lora.scaling(),
            dropout: lora.dropout,
        }
    }

    fn forward(&self, inputs: &Tensor) -> Tensor {
        let within = |inputs: &Tensor| {
            let none: Option<&Tensor> = None;
            inputs.linear(&self.a, none).linear(&self.b, none) * self.scaling
        };
        if self.dropout > 0.0 && is_training() { within(&inputs.dropout(self.dropout, true)) } else { within(inputs) }
    }
}

impl Module for LoraLinear {
    fn forward(&self, inputs: &Tensor) -> Tensor {
        let outputs = self.base.forward(inputs);
        match &self.adapter {
            Some(adapter) => outputs + adapter.forward(inputs),
            None => outputs,
        }
    }
}
