//! The search direction of L-BFGS, which is kept from one iteration, and from one step, to the next.

use std::collections::VecDeque;

use tch::{TchError, Tensor};

use super::Lbfgs;
use super::flat::numbers;
use super::strong_wolfe::Evaluation;

/// A search direction, its length and starting point, and the curvature pairs that it was computed from.
#[derive(Debug)]
pub(super) struct Direction {
    /// PyTorch's `d`.
    pub(super) vector: Tensor,
    /// The largest absolute value of the vector's elements.
    pub(super) largest: f64,
    /// PyTorch's `gtd`: the derivative along the direction at its start.
    pub(super) slope: f64,
    /// PyTorch's `t`.
    pub(super) length: f64,
    /// PyTorch's `prev_flat_grad`: the gradient at the start of the direction.
    pub(super) gradient: Tensor,
    /// PyTorch's `prev_loss`: the loss at the start of the direction.
    pub(super) loss: f64,
    /// PyTorch's `H_diag`: the scale of the initial approximation of the inverse curvature.
    pub(super) scale: f64,
    pub(super) pairs: VecDeque<CurvaturePair>,
}

/// A displacement of the parameters, with the change of the gradient over it.
#[derive(Debug)]
pub(super) struct CurvaturePair {
    /// PyTorch's `old_stps`.
    pub(super) displacement: Tensor,
    /// PyTorch's `old_dirs`.
    pub(super) gradient_change: Tensor,
    /// PyTorch's `ro`: the inverse of their dot product.
    pub(super) inverse_product: f64,
}

impl Direction {
    /// Returns the first direction, the steepest descent.
    pub(super) fn steepest_descent(found: &Evaluation, options: &Lbfgs) -> Result<Self, TchError> {
        let [sum] = numbers([found.gradient.f_abs()?.f_sum(None)?])?;
        let length = f64::min(1.0, 1.0 / sum) * options.lr;
        Self::along(found.gradient.f_neg()?, length, found, 1.0, VecDeque::new())
    }

    /// Returns the direction of the next iteration, after adding the curvature pair of this one.
    pub(super) fn next(self, found: &Evaluation, options: &Lbfgs) -> Result<Self, TchError> {
        let gradient_change = found.gradient.f_sub(&self.gradient)?;
        let displacement = self.displacement()?;
        let Self { mut pairs, mut scale, .. } = self;
        let [product, square] =
            numbers([gradient_change.f_dot(&displacement)?, gradient_change.f_dot(&gradient_change)?])?;
        if product > 1e-10 {
            while pairs.len() >= options.history_size {
                pairs.pop_front();
            }
            pairs.push_back(CurvaturePair { displacement, gradient_change, inverse_product: 1.0 / product });
            scale = product / square;
        }
        Self::along(quasi_newton(&found.gradient, &pairs, scale)?, options.lr, found, scale, pairs)
    }

    fn along(
        vector: Tensor,
        length: f64,
        found: &Evaluation,
        scale: f64,
        pairs: VecDeque<CurvaturePair>,
    ) -> Result<Self, TchError> {
        let [slope, largest] = numbers([found.gradient.f_dot(&vector)?, vector.f_abs()?.f_max()?])?;
        let gradient = found.gradient.shallow_clone();
        Ok(Self { vector, largest, slope, length, gradient, loss: found.loss, scale, pairs })
    }

    /// The displacement along the direction, `[elements]`.
    pub(super) fn displacement(&self) -> Result<Tensor, TchError> {
        self.vector.f_mul_scalar(self.length)
    }
}

/// Returns the approximate inverse Hessian times the negative gradient, by the two-loop recursion. Nothing is read on the host.
fn quasi_newton(gradient: &Tensor, pairs: &VecDeque<CurvaturePair>, scale: f64) -> Result<Tensor, TchError> {
    let mut direction = gradient.f_neg()?;
    let mut parts = Vec::with_capacity(pairs.len());
    for CurvaturePair { displacement, gradient_change, inverse_product } in pairs.iter().rev() {
        let part = displacement.f_dot(&direction)?.f_mul_scalar(*inverse_product)?;
        let _ = direction.f_addcmul_(gradient_change, &part.f_neg()?)?;
        parts.push(part);
    }
    let mut direction = direction.f_mul_scalar(scale)?;
    for (CurvaturePair { displacement, gradient_change, inverse_product }, part) in pairs.iter().zip(parts.iter().rev())
    {
        let already = gradient_change.f_dot(&direction)?.f_mul_scalar(*inverse_product)?;
        let _ = direction.f_addcmul_(displacement, &part.f_sub(&already)?)?;
    }
    Ok(direction)
}
