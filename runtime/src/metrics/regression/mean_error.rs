use tch::{TchError, Tensor};

use super::outputs::Outputs;
use crate::metrics::DistReduceFx;
use crate::metrics::error::Refusal;
use crate::metrics::shared::Formula;
use crate::metrics::slot::{Slot, real};

/// The mean distance of predictions from their targets.
#[derive(Clone)]
pub(super) struct MeanError {
    pub(super) outputs: Outputs,
    pub(super) distance: Distance,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Distance {
    Absolute,
    /// Absolute, and divided by the size of the target.
    AbsolutePercentage,
    Squared,
    /// Squared, and the root of the mean.
    RootSquared,
}

/// Targets that are closer to 0 count as this, as in torchmetrics.
const SMALLEST_TARGET: f64 = 1.17e-6;

impl MeanError {
    pub(super) fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        let compared = self.outputs.compare(preds, target)?;
        let difference = compared.preds.f_sub(&compared.target)?;
        let distance = match self.distance {
            Distance::Absolute => difference.f_abs()?,
            Distance::AbsolutePercentage => {
                difference.f_abs()?.f_div(&compared.target.f_abs()?.f_clamp_min(SMALLEST_TARGET)?)?
            }
            Distance::Squared | Distance::RootSquared => difference.f_square()?,
        };
        Ok(vec![distance.f_sum_dim_intlist(0, false, real(preds.device()))?, compared.samples()?])
    }
}

impl Formula for MeanError {
    fn name(&self) -> &'static str {
        match self.distance {
            Distance::Absolute => "MeanAbsoluteError",
            Distance::AbsolutePercentage => "MeanAbsolutePercentageError",
            Distance::Squared | Distance::RootSquared => "MeanSquaredError",
        }
    }

    fn slots(&self) -> Vec<Slot> {
        let sum = match self.distance {
            Distance::Absolute => "sum_abs_error",
            Distance::AbsolutePercentage => "sum_abs_per_error",
            Distance::Squared | Distance::RootSquared => "sum_squared_error",
        };
        vec![Slot::real(sum, DistReduceFx::Sum, self.outputs.shape()), Slot::count("total", [])]
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.outputs.validate()
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let mean = state[0].f_div(&state[1])?;
        if self.distance == Distance::RootSquared { mean.f_sqrt() } else { Ok(mean) }
    }
}
