use tch_lightning::prelude::*;

/// The inputs `[rows, 4]` and targets `[rows, 1]` of a batch.
pub(super) type Rows = (Tensor, Tensor);

// the offsets of the rows of each loader's first batch
pub(super) const TRAIN: i64 = 0;
pub(super) const VALIDATION: i64 = 1000;
pub(super) const TEST: i64 = 2000;
pub(super) const PREDICT: i64 = 3000;

/// Batch `b` of a loader has the rows `n = offset + 2b + {1, 2}`: `x[j] = sin(0.1 n (j+1))`, `y = cos(0.3 n)`. After the batches, it has
/// `extra` rows.
pub(super) fn loader(offset: i64, batches: i64, extra: i64) -> Result<DataLoader<Rows>> {
    let n =
        Tensor::arange_start(offset + 1, offset + 2 * batches + extra + 1, (Kind::Double, Device::Cpu)).unsqueeze(1);
    let j = Tensor::arange_start(1, 5, (Kind::Double, Device::Cpu)).unsqueeze(0);
    let x = (&n * j * 0.1).sin().to_kind(Kind::Float);
    let y = (n * 0.3).cos().to_kind(Kind::Float);
    Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(2))
}

pub(super) fn loaders(offset: i64, lengths: &[i64], extra: i64) -> Result<Vec<DataLoader<Rows>>> {
    (0..).step_by(100).zip(lengths).map(|(shift, batches)| loader(offset + shift, *batches, extra)).collect()
}
