use super::{Call, Collectives, Operation, Rank, ReduceOperation, Strategy, StrategyError};
use tch::Tensor;

/// The strategy of a run of one process, whose operations do nothing.
pub(crate) struct SingleProcess;

impl Collectives for SingleProcess {
    fn rank(&self) -> Rank {
        Rank::ALONE
    }

    fn compare(&self, call: Call) -> Result<Vec<Call>, StrategyError> {
        Ok(vec![call])
    }

    fn all_reduce(&self, _: Operation, _: &Tensor, _: ReduceOperation) -> Result<(), StrategyError> {
        Ok(())
    }

    fn broadcast(&self, _: Operation, _: &[&Tensor]) -> Result<(), StrategyError> {
        Ok(())
    }

    fn all_gather(&self, _: Operation, tensor: &Tensor) -> Result<Tensor, StrategyError> {
        Ok(tensor.f_unsqueeze(0)?)
    }

    fn barrier(&self, _: Operation) -> Result<(), StrategyError> {
        Ok(())
    }

    fn gather_bytes(&self, _: Operation, bytes: &[u8]) -> Result<Vec<Vec<u8>>, StrategyError> {
        Ok(vec![bytes.to_vec()])
    }

    fn any(&self, _: Operation, value: bool) -> Result<bool, StrategyError> {
        Ok(value)
    }
}

impl Strategy for SingleProcess {
    fn group(&self) -> &dyn Collectives {
        self
    }
}
