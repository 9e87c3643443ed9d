//! What a loader does with a batch before it is passed on.

use super::options::Options;
use super::{Batch, pinned};

/// What is done with each batch, on the thread that has read it.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    checks_contract: bool,
    pins: bool,
}

impl Finish {
    pub(super) fn new(options: &Options) -> Self {
        Self { checks_contract: options.check_contract, pins: pinned::is_wanted(options) }
    }

    /// Checks the batch, and pins its memory. `indices` are those of its samples; none if they have no index.
    pub(super) fn batch<B: Batch>(self, batch: B, indices: &[usize]) -> anyhow::Result<B> {
        if self.checks_contract {
            batch.check_contract().map_err(|violation| violation.of_samples(indices))?;
        }
        if self.pins { Ok(batch.move_to_pinned_memory()?) } else { Ok(batch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ContractViolation;
    use std::cell::Cell;
    use tch::{TchError, Tensor};

    /// A batch that counts how often its contract is checked.
    struct Counted {
        rows: Tensor,
        checks: Cell<usize>,
    }

    impl Batch for Counted {
        fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
            Ok(Self { rows: self.rows.map_tensors(map)?, ..self })
        }

        fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
            visit(&self.rows);
        }

        fn check_contract(&self) -> Result<(), ContractViolation> {
            self.checks.set(self.checks.get() + 1);
            Ok(())
        }
    }

    #[test]
    fn contracts_that_are_off_are_not_checked() {
        for (check_contract, checks) in [(true, 1), (false, 0)] {
            let finish = Finish::new(&Options { check_contract, ..Options::default() });
            let batch = Counted { rows: Tensor::from(0), checks: Cell::new(0) };
            assert_eq!(finish.batch(batch, &[0]).unwrap().checks.get(), checks);
        }
    }
}
