use super::{NamedTensor, Rank, ReduceOperation, StrategyError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Cursor;
use tch::{Kind, Tensor};

/// Operations that all ranks of a run take part in, in the same order. The module's documentation lists the places that call them.
pub(crate) trait Collectives {
    /// The place of this process among the others.
    fn rank(&self) -> Rank;

    /// Replaces the tensor by its reduction over all ranks.
    fn all_reduce(&self, tensor: &Tensor, operation: ReduceOperation) -> Result<(), StrategyError>;

    /// Replaces the tensors by those of rank 0.
    fn broadcast(&self, tensors: &[&Tensor]) -> Result<(), StrategyError>;

    /// Returns the tensors of all ranks, `[ranks, …]`, which have the same shape and dtype.
    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor, StrategyError>;

    /// Waits until all ranks are here.
    fn barrier(&self) -> Result<(), StrategyError>;

    /// Returns the bytes of all ranks, by rank.
    fn gather_bytes(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, StrategyError> {
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let lengths = Vec::<i64>::try_from(&self.all_gather(&Tensor::from(length))?)?;
        let longest = lengths.iter().copied().max().unwrap_or_default();
        let own = Tensor::f_zeros([longest], (Kind::Uint8, tch::Device::Cpu))?;
        own.f_narrow(0, 0, length)?.f_copy_(&Tensor::f_from_slice(bytes)?)?;
        let all = self.all_gather(&own)?;
        let rows = lengths.iter().enumerate().map(|(rank, length)| {
            let row = all.f_select(0, i64::try_from(rank).unwrap_or_default())?.f_narrow(0, 0, *length)?;
            Ok(Vec::<u8>::try_from(&row)?)
        });
        rows.collect()
    }

    /// Whether it is true on any rank.
    fn any(&self, value: bool) -> Result<bool, StrategyError> {
        let any = Tensor::from(i64::from(value));
        self.all_reduce(&any, ReduceOperation::Max)?;
        Ok(any.f_int64_value(&[])? != 0)
    }
}

/// Returns the values of all ranks, by rank.
pub(crate) fn gather<T: Serialize + DeserializeOwned>(
    ranks: &dyn Collectives,
    value: &T,
) -> Result<Vec<T>, StrategyError> {
    let all = ranks.gather_bytes(&serde_json::to_vec(value)?)?;
    Ok(all.iter().map(|bytes| serde_json::from_slice(bytes)).collect::<Result<_, _>>()?)
}

/// Returns the tensors of all ranks by name, by rank. They may differ in everything, and are on the CPU.
pub(crate) fn gather_tensors(
    ranks: &dyn Collectives,
    tensors: &[NamedTensor],
) -> Result<Vec<Vec<NamedTensor>>, StrategyError> {
    let mut own = Vec::new();
    Tensor::save_multi_to_stream(tensors, &mut own)?;
    let all = ranks.gather_bytes(&own)?.into_iter().map(Cursor::new);
    Ok(all.map(Tensor::load_multi_from_stream).collect::<Result<_, _>>()?)
}

/// Returns the value of rank 0.
pub(crate) fn of_rank_zero<T: Serialize + DeserializeOwned>(
    ranks: &dyn Collectives,
    value: &T,
) -> Result<T, StrategyError> {
    let mut all = gather(ranks, value)?;
    Ok(all.swap_remove(0))
}
