//! What L-BFGS keeps from one iteration, and from one step, to the next.

use std::collections::VecDeque;

use tch::{TchError, Tensor};

use super::Lbfgs;
use super::flat::numbers;
use super::strong_wolfe::Evaluation;

/// A direction and how far it is followed, from where, and the moves before it that curvature is taken from.
#[derive(Debug)]
pub(super) struct Course {
    /// PyTorch's `d`.
    pub(super) direction: Tensor,
    /// The direction's largest element, taken positive.
    pub(super) largest: f64,
    /// PyTorch's `gtd`: the gradient along the direction, where it begins.
    pub(super) slope: f64,
    /// PyTorch's `t`.
    pub(super) length: f64,
    /// PyTorch's `prev_flat_grad`: the gradient where the direction begins.
    pub(super) gradient: Tensor,
    /// PyTorch's `prev_loss`: the loss there.
    pub(super) loss: f64,
    /// PyTorch's `H_diag`: the scale of the first approximation of the inverse curvature.
    pub(super) scale: f64,
    pub(super) moves: VecDeque<Move>,
}

/// A move with the change of the gradient that it brought.
#[derive(Debug)]
pub(super) struct Move {
    /// PyTorch's `old_stps`.
    pub(super) by: Tensor,
    /// PyTorch's `old_dirs`.
    pub(super) change: Tensor,
    /// PyTorch's `ro`: one over the product of both.
    pub(super) inverse_product: f64,
}

impl Course {
    /// The first course, down the gradient.
    pub(super) fn downhill(found: &Evaluation, options: &Lbfgs) -> Result<Self, TchError> {
        let [sum] = numbers([found.gradient.f_abs()?.f_sum(None)?])?;
        let length = f64::min(1.0, 1.0 / sum) * options.lr;
        Self::along(found.gradient.f_neg()?, length, found, 1.0, VecDeque::new())
    }

    /// The course after this one, which learns from its move.
    pub(super) fn turned(self, found: &Evaluation, options: &Lbfgs) -> Result<Self, TchError> {
        let change = found.gradient.f_sub(&self.gradient)?;
        let by = self.by()?;
        let Self { mut moves, mut scale, .. } = self;
        let [product, square] = numbers([change.f_dot(&by)?, change.f_dot(&change)?])?;
        if product > 1e-10 {
            while moves.len() >= options.history_size {
                moves.pop_front();
            }
            moves.push_back(Move { by, change, inverse_product: 1.0 / product });
            scale = product / square;
        }
        Self::along(newton(&found.gradient, &moves, scale)?, options.lr, found, scale, moves)
    }

    fn along(
        direction: Tensor,
        length: f64,
        found: &Evaluation,
        scale: f64,
        moves: VecDeque<Move>,
    ) -> Result<Self, TchError> {
        let [slope, largest] = numbers([found.gradient.f_dot(&direction)?, direction.f_abs()?.f_max()?])?;
        let gradient = found.gradient.shallow_clone();
        Ok(Self { direction, largest, slope, length, gradient, loss: found.loss, scale, moves })
    }

    /// The move along the direction, `[elements]`.
    pub(super) fn by(&self) -> Result<Tensor, TchError> {
        self.direction.f_mul_scalar(self.length)
    }
}

/// The approximate inverse curvature times the negative gradient, by two loops over the moves. Nothing is read on the host.
fn newton(gradient: &Tensor, moves: &VecDeque<Move>, scale: f64) -> Result<Tensor, TchError> {
    let mut direction = gradient.f_neg()?;
    let mut parts = Vec::with_capacity(moves.len());
    for Move { by, change, inverse_product } in moves.iter().rev() {
        let part = by.f_dot(&direction)?.f_mul_scalar(*inverse_product)?;
        let _ = direction.f_addcmul_(change, &part.f_neg()?)?;
        parts.push(part);
    }
    let mut direction = direction.f_mul_scalar(scale)?;
    for (Move { by, change, inverse_product }, part) in moves.iter().zip(parts.iter().rev()) {
        let already = change.f_dot(&direction)?.f_mul_scalar(*inverse_product)?;
        let _ = direction.f_addcmul_(by, &part.f_sub(&already)?)?;
    }
    Ok(direction)
}
