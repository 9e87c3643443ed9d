//! The outputs of a regression, each with its own error.

use tch::{Kind, TchError, Tensor};

use crate::metrics::error::{Refusal, require_option};
use crate::metrics::inputs::{require, require_real, require_same_device, require_same_shape};

/// The number of outputs per sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outputs(pub(super) i64);

/// Predictions and targets, both `[samples]` or `[samples, outputs]`, f32 or f64.
pub(super) struct Compared {
    pub(super) preds: Tensor,
    pub(super) target: Tensor,
}

impl Outputs {
    pub(super) fn validate(self) -> Result<(), Refusal> {
        require_option(self.0 >= 1, || format!("num_outputs must be 1 or more, but it is {}", self.0))
    }

    /// The shape of a slot with one value per output.
    pub(super) fn shape(self) -> Vec<i64> {
        if self.0 == 1 { Vec::new() } else { vec![self.0] }
    }

    /// One output may have any shape; several are the columns of a matrix.
    pub(super) fn compare(self, preds: &Tensor, target: &Tensor) -> Result<Compared, Refusal> {
        require_real("predictions", preds)?;
        require_real("targets", target)?;
        require_same_device(preds, target)?;
        require_same_shape(preds, target)?;
        let shape = preds.size();
        require(self.0 == 1 || (shape.len() == 2 && shape[1] == self.0), || {
            format!("its shape is {shape:?}, but with num_outputs {} it must be [samples, {}]", self.0, self.0)
        })?;
        let arranged = |tensor: &Tensor| -> Result<Tensor, TchError> {
            let tensor = tensor.f_to_kind(if tensor.kind() == Kind::Double { Kind::Double } else { Kind::Float })?;
            if self.0 == 1 { tensor.f_reshape([-1]) } else { Ok(tensor) }
        };
        Ok(Compared { preds: arranged(preds)?, target: arranged(target)? })
    }
}

impl Compared {
    /// The number of samples, 0-dim i64.
    pub(super) fn samples(&self) -> Result<Tensor, TchError> {
        let samples = self.target.size().first().copied().unwrap_or(0);
        Tensor::f_full([0i64; 0], samples, (Kind::Int64, self.target.device()))
    }
}
