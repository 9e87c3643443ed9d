//! The plan of an epoch, which a source makes and its workers follow.

/// The batches of an epoch that one worker reads, in order. A panic of the dataset is an error of the batch.
pub type Share<'a, B> = Box<dyn Iterator<Item = anyhow::Result<B>> + 'a>;

/// The plan of an epoch, made before its first batch is read and shared by all workers.
pub trait Plan: Send + Sync + 'static {
    /// The number of batches, if it is known.
    fn num_batches(&self) -> Option<usize>;

    /// Returns a number that is equal for two plans with the same samples in the same batches; for streams, if they are cut
    /// and shared in the same way.
    fn fingerprint(&self, num_workers: usize) -> u64;

    /// The indices of the samples in a batch; empty past the last batch, or if samples have no index.
    fn indices(&self, batch_idx: usize) -> &[usize];
}
