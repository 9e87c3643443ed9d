use super::{Call, NamedTensor, Operation, Rank, ReduceOperation, StrategyError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Cursor;
use tch::{Kind, Tensor};

/// Operations that all ranks of a run take part in, in the same order. The module's documentation lists the places that call them. Each is for
/// an [`Operation`] of the trainer; those of the user's program are [compared](Self::compare) before.
pub(crate) trait Collectives {
    /// The place of this process among the others.
    fn rank(&self) -> Rank;

    /// Compares a call of the user's program with those of all ranks. Returns these, by rank.
    ///
    /// # Errors
    /// If they differ.
    fn compare(&self, call: Call) -> Result<Vec<Call>, StrategyError>;

    /// Replaces the tensor by its reduction over all ranks.
    fn all_reduce(
        &self,
        operation: Operation,
        tensor: &Tensor,
        reduction: ReduceOperation,
    ) -> Result<(), StrategyError>;

    /// Replaces the tensors by those of rank 0.
    fn broadcast(&self, operation: Operation, tensors: &[&Tensor]) -> Result<(), StrategyError>;

    /// Returns the tensors of all ranks, `[ranks, …]`, which have the same shape and dtype.
    fn all_gather(&self, operation: Operation, tensor: &Tensor) -> Result<Tensor, StrategyError>;

    /// Waits until all ranks are here.
    fn barrier(&self, operation: Operation) -> Result<(), StrategyError>;

    /// Returns the bytes of all ranks, by rank.
    fn gather_bytes(&self, operation: Operation, bytes: &[u8]) -> Result<Vec<Vec<u8>>, StrategyError> {
        let lengths = self.all_gather(operation, &Tensor::from(length(bytes)))?;
        self.gather_lengths(operation, bytes, &Vec::<i64>::try_from(&lengths)?)
    }

    /// Returns the bytes of all ranks, whose lengths are known, by rank.
    fn gather_lengths(
        &self,
        operation: Operation,
        bytes: &[u8],
        lengths: &[i64],
    ) -> Result<Vec<Vec<u8>>, StrategyError> {
        let longest = lengths.iter().copied().max().unwrap_or_default();
        let own = Tensor::f_zeros([longest], (Kind::Uint8, tch::Device::Cpu))?;
        own.f_narrow(0, 0, length(bytes))?.f_copy_(&Tensor::f_from_slice(bytes)?)?;
        let all = self.all_gather(operation, &own)?;
        let rows = lengths.iter().enumerate().map(|(rank, length)| {
            let row = all.f_select(0, i64::try_from(rank).unwrap_or_default())?.f_narrow(0, 0, *length)?;
            Ok(Vec::<u8>::try_from(&row)?)
        });
        rows.collect()
    }

    /// Whether it is true on any rank.
    fn any(&self, operation: Operation, value: bool) -> Result<bool, StrategyError> {
        let any = Tensor::from(i64::from(value));
        self.all_reduce(operation, &any, ReduceOperation::Max)?;
        Ok(any.f_int64_value(&[])? != 0)
    }
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

/// Returns the values of all ranks, by rank.
pub(crate) fn gather<T: Serialize + DeserializeOwned>(
    ranks: &dyn Collectives,
    operation: Operation,
    value: &T,
) -> Result<Vec<T>, StrategyError> {
    read_all(&ranks.gather_bytes(operation, &serde_json::to_vec(value)?)?)
}

/// As [`gather`], for a call of the user's program.
pub(crate) fn gather_of_call<T: Serialize + DeserializeOwned>(
    ranks: &dyn Collectives,
    call: Call,
    value: &T,
) -> Result<Vec<T>, StrategyError> {
    let own = serde_json::to_vec(value)?;
    let calls = ranks.compare(call.with_length(own.len()))?;
    let lengths: Vec<i64> = calls.iter().map(|call| i64::try_from(call.length()).unwrap_or(i64::MAX)).collect();
    read_all(&ranks.gather_lengths(Operation::Called, &own, &lengths)?)
}

/// Returns the value of rank 0, for a call of the user's program.
pub(crate) fn broadcast_of_call<T: Serialize + DeserializeOwned>(
    ranks: &dyn Collectives,
    call: Call,
    value: &T,
) -> Result<T, StrategyError> {
    let own = serde_json::to_vec(value)?;
    let calls = ranks.compare(call.with_length(own.len()))?;
    let bytes = match ranks.rank().is_global_zero() {
        true => Tensor::f_from_slice(&own)?,
        false => {
            let length = calls.first().map_or(0, Call::length);
            Tensor::f_zeros([i64::try_from(length).unwrap_or(i64::MAX)], (Kind::Uint8, tch::Device::Cpu))?
        }
    };
    ranks.broadcast(Operation::Called, &[&bytes])?;
    Ok(serde_json::from_slice(&Vec::<u8>::try_from(&bytes)?)?)
}

fn read_all<T: DeserializeOwned>(all: &[Vec<u8>]) -> Result<Vec<T>, StrategyError> {
    Ok(all.iter().map(|bytes| serde_json::from_slice(bytes)).collect::<Result<_, _>>()?)
}

/// Returns the tensors of all ranks by name, by rank. They may differ in everything, and are on the CPU.
pub(crate) fn gather_tensors(
    ranks: &dyn Collectives,
    operation: Operation,
    tensors: &[NamedTensor],
) -> Result<Vec<Vec<NamedTensor>>, StrategyError> {
    let mut own = Vec::new();
    Tensor::save_multi_to_stream(tensors, &mut own)?;
    let all = ranks.gather_bytes(operation, &own)?.into_iter().map(Cursor::new);
    Ok(all.map(Tensor::load_multi_from_stream).collect::<Result<_, _>>()?)
}

/// Returns the value of rank 0.
pub(crate) fn of_rank_zero<T: Serialize + DeserializeOwned>(
    ranks: &dyn Collectives,
    operation: Operation,
    value: &T,
) -> Result<T, StrategyError> {
    let mut all = gather(ranks, operation, value)?;
    Ok(all.swap_remove(0))
}
