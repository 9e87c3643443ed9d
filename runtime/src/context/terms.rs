//! The numbers of terms of weighted losses in an accumulation window.

use super::RunContext;
use super::error::ContextError;
use crate::optim::{Optimizer, OptimizerIndex};
use crate::progress::Terms;
use crate::strategy::{Operation, ReduceOperation};
use tch::{TchError, Tensor, no_grad};

/// The largest number of terms of a batch. Sums of more are not exact in f64, and no memory holds as many.
const MOST: usize = 1 << 53;

impl RunContext {
    /// Counts the terms of a batch, the first of an accumulation window or a later one.
    pub(crate) fn count_terms(&mut self, count: usize, is_first: bool) -> Result<(), ContextError> {
        if count > MOST {
            let (epoch, batch_idx) = (self.current_epoch(), self.batch_idx().unwrap_or_default());
            return Err(ContextError::CountOfTerms { epoch, batch_idx, count });
        }
        let accumulated = self.config.accumulate_grad_batches;
        let before = self.optimization.terms.take().filter(|_| !is_first);
        // the number of terms in the window if all batches are as the first: then its gradients are not divided again
        let divisor = || count.max(1) as f64 * accumulated as f64;
        let terms = before.unwrap_or_else(|| Terms { divisor: divisor(), count: 0 });
        self.optimization.terms = Some(Terms { count: terms.count.saturating_add(count), ..terms });
        Ok(())
    }

    /// Returns the number by which the sum of a batch's losses is divided. Before the backward pass that ends a window, it is the number of
    /// the window's terms in all processes, and the gradients of the batches before are divided by it as well.
    pub(crate) fn divisor_of_terms(
        &mut self,
        optimizer: OptimizerIndex,
        is_first: bool,
        is_last: bool,
    ) -> Result<f64, ContextError> {
        let Terms { divisor, count } = self.optimization.terms.unwrap_or(Terms { divisor: 1.0, count: 1 });
        if !is_last {
            return Ok(divisor);
        }
        // gradients of several processes are averaged, which divides by their number
        let terms = self.terms_of_all_ranks(count)?.max(1) as f64 / self.world_size() as f64;
        if !is_first && divisor != terms {
            multiply_gradients(self.optimizer(optimizer), divisor / terms)?;
        }
        Ok(terms)
    }

    fn terms_of_all_ranks(&self, count: usize) -> Result<i64, ContextError> {
        let count = count as i64;
        if self.world_size() == 1 {
            return Ok(count);
        }
        let all = Tensor::from_slice(&[count]);
        self.group().all_reduce(Operation::Terms, &all, ReduceOperation::Sum)?;
        Ok(all.f_int64_value(&[0])?)
    }

    /// The terms of an open accumulation window, which a checkpoint saves.
    pub(super) fn terms_of_window(&self) -> Option<Terms> {
        self.optimization.terms.filter(|_| self.progress().is_within_window())
    }

    pub(super) fn restore_terms(&mut self, terms: Option<Terms>) {
        self.optimization.terms = terms;
    }
}

fn multiply_gradients(optimizer: &Optimizer, factor: f64) -> Result<(), TchError> {
    no_grad(|| {
        for (_, parameter) in optimizer.borrowed_parameters() {
            let mut gradient = parameter.grad();
            if gradient.defined() {
                let _ = gradient.f_mul_scalar_(factor)?;
            }
        }
        Ok(())
    })
}
