//! Several processes: the place of this one among them, and the operations that all of them take part in.
//!
//! Training on several processes is PyTorch's [distributed data parallel](https://docs.pytorch.org/docs/stable/notes/ddp.html): each
//! process has a replica of the module and trains on its part of each batch; gradients are averaged during the backward pass, so that all
//! replicas stay equal. The engine is PyTorch's own, c10d, without Python.
//!
//! # Starting
//! `--devices 2 --strategy ddp` starts the second process itself, on a GPU of its own or on the CPU, at most 16 for each core. A launcher may
//! also start all of them: `torchrun --no-python --nproc-per-node 2 PROGRAM fit`, `srun`, `mpirun`, or anything that sets `RANK`,
//! `WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR` and `MASTER_PORT`. `LOCAL_RANK` may be left out where all processes are on one machine, and
//! `MASTER_ADDR` then as well. Values that contradict one another are refused. `GLOO_SOCKET_IFNAME` names the network interface.
//!
//! A process of a SLURM job runs alone in an interactive shell (`salloc`, or a job with the name `bash` or `interactive`, as in Lightning) and
//! in a batch script without `srun`.
//!
//! # Where the processes wait for one another
//! Everything that all ranks do together is in these places, in the order of a run:
//!
//! 1. At the start, they meet at rank 0, and compare their programs, their verbs, their whole configurations (hyperparameters, the seed, and
//!    the choices of optimizer, scheduler and callbacks too) and kinds of devices. A random seed is drawn by rank 0. At the start of each
//!    run, they compare their verbs again, and loaders and samplers get the seed of rank 0.
//! 2. In the set-up, `prepare_data` runs on the first process of each machine before the others continue; rank 0 chooses the run's folder,
//!    and its parameters and buffers are sent to all.
//!    Before that, they compare the checkpoints that they start from, and in a `fit`, the optimizers and schedulers of `configure_optimizers`.
//! 3. When loaders are made, their numbers of batches are compared: those whose samples the trainer divides must be equal. A rank without a
//!    batch for an evaluation takes part in it.
//! 4. Before a training step, rank 0's buffers are sent, and during the backward pass at the end of an accumulation window, gradients are
//!    averaged. Backward passes in `no_sync` of manual optimization, and the batches that have no others, wait for nobody.
//! 5. The gradients carry whether to stop, signals, requests of the dashboard, and which values a step logged with `sync_dist`; these are then
//!    joined. At the beginning of training, of an epoch and after a validation, the ranks agree by an operation of their own.
//! 6. Before an evaluation, rank 0's buffers are sent. At the end of an epoch, logged values and metrics are joined before its last hook,
//!    which reads them, and after it, which may log more. At the end of a training epoch and before a checkpoint, the numbers of optimizer
//!    steps and the bits of the parameters are compared, as nothing else would show that the replicas are not equal any more.
//! 7. For a checkpoint, rank 0 collects the states of the others, and writes it.
//! 8. A rank that fails reports it, and the others end with its error.
//!
//! # Different numbers of batches
//! The trainer gives all ranks the same number of samples, unless `use_distributed_sampler` is false or the data is a stream.
//!
//! - Training ends an epoch on all ranks with the last batch of the rank that has the fewest, so that none waits for another. The numbers are
//!   compared when the loaders are made; where one is a stream, whose length is unknown, the ranks agree before each batch on whether it is
//!   the last one. The remaining batches of the others are not trained on.
//! - Validation and testing do not wait for one another at batches, so that each rank takes all of its own. Values with `sync_dist` and
//!   metrics are joined at the end with the weights of their samples. Where the number of samples cannot be divided by the number of
//!   processes, the trainer repeats the first ones, which then count twice, as in Lightning: one process counts each sample once, as does
//!   `use_distributed_sampler: false` with a sampler of your own that repeats none.
//! - A [stream](crate::data::IterableDataset) is divided over the workers of all ranks by its [`WorkerInfo`](crate::data::WorkerInfo).
//!
//! # GPUs
//! Each process computes on a GPU of its own, and tensors travel by NCCL. It is in a library of its own, which is built where libtorch has a CUDA
//! half, and opened by runs on GPUs. What the processes tell one another about the run travels by Gloo, so that no step waits for the device.
//!
//! # Failures
//! A process that does not start is named by the others after `timeout`; one that another has started itself, and ends before the run, at once.
//! A rank that fails reports its error to the others, which end with an error that names it. A rank that is killed or stopped shows no sign of
//! life; the others find that out when they wait for it, a stopped one after `timeout`. One that is held up in a hook shows signs of life, but
//! does not come to the operations of the others, which name it after `timeout`, with its hook and batch; it is then ended. Others that do not
//! end their run after a failure are ended after `timeout` as well. Operations that still wait for a failed rank a second later are
//! interrupted, as a program that it has started may keep its connections open. A signal that one rank catches ends all: in training after the same step, elsewhere at once.
//!
//! # Operations of the user
//! [`all_gather`](crate::context::RunContext::all_gather), [`gather`](crate::context::RunContext::gather),
//! [`broadcast`](crate::context::RunContext::broadcast), [`barrier`](crate::context::RunContext::barrier) and
//! [`save_checkpoint`](crate::context::RunContext::save_checkpoint) must be called on all ranks, in the same order and the same hook. Before each,
//! the ranks compare their calls, on connections of their own: name, hook, shape and dtype. The operations above are not compared, so that the
//! loops do not wait longer. Each rank counts all of them, and tells the others with its signs of life where it is, which shows for certain where
//! a rank calls what others do not: rank 0 looks for that after a second without progress. All ranks then end with one
//! [error](StrategyError::Disagreement) that says what each of them called.

mod call;
mod collectives;
mod comparisons;
mod config;
mod cores;
mod ddp;
mod disagreement;
mod environment;
mod error;
mod failure;
mod introduction;
mod launch;
mod operation;
mod rank;
mod replicas;
mod single_process;
mod start;
mod sync_batch_norm;
mod watch;
mod within;
mod world;

pub(crate) use call::Call;
pub(crate) use collectives::{Collectives, broadcast_of_call, gather, gather_of_call, gather_tensors, of_rank_zero};
pub(crate) use comparisons::{
    Difference, LoaderSize, StartingPoint, check_loaders, check_optimizers, check_starting_points,
};
pub use config::{DdpConfig, GradientCompression, StrategyConfig};
use error::ranks_in_words;
pub use error::{StrategyError, UnreachableReason};
pub(crate) use operation::Operation;
pub use rank::Rank;
pub(crate) use single_process::SingleProcess;
pub(crate) use start::{Requested, connect, is_printed_by_others, is_to_be_rank_zero, processes, seed_of_rank_zero};
pub use sync_batch_norm::SyncBatchNorm;

use crate::data::Seed;
use crate::hook::Hook;
pub(crate) use crate::native::{Compared, Flags, ReduceOperation};
use crate::signal::{Caught, Signal};
use serde_json::Value;
use tch::{Device, Tensor};

/// A parameter or a buffer with its name.
pub(crate) type NamedTensor = (String, Tensor);

/// How a run uses its processes. The methods that do something for several processes do nothing by default.
pub(crate) trait Strategy {
    /// The operations of all ranks.
    fn group(&self) -> &dyn Collectives;

    /// The place of this process among the others.
    fn rank(&self) -> Rank {
        self.group().rank()
    }

    /// Prepares for tensors on this device, which is that of this process.
    fn place(&mut self, _device: Device) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Returns the seed of rank 0, by which all ranks order their samples.
    fn seed(&self, own: Seed) -> Result<Seed, StrategyError> {
        Ok(own)
    }

    /// Makes the module equal to that of rank 0.
    fn setup(&mut self, _parameters: &[NamedTensor], _buffers: &[NamedTensor]) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Returns the first rank whose value is not that of rank 0, as all ranks find. In its place, it has what each rank has `described` it by.
    fn difference(
        &self,
        _operation: Operation,
        _value: Value,
        _described: Value,
    ) -> Result<Option<Difference>, StrategyError> {
        Ok(None)
    }

    /// Fails unless these parameters and the number of optimizer steps are the same on all ranks. It waits for the device.
    fn compare_replicas(&self, _parameters: &[NamedTensor], _steps: usize) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Prepares for training these parameters, unless they are the same as before.
    fn train(&mut self, _parameters: Vec<NamedTensor>) -> Result<(), StrategyError> {
        Ok(())
    }

    /// The names of the trained parameters in the order in which their gradients are averaged; empty if it is the usual one.
    fn gradient_order(&self) -> Result<Vec<String>, StrategyError> {
        Ok(Vec::new())
    }

    /// Sets the order of the gradients for the next parameters, to round sums as the run that had it.
    fn set_gradient_order(&mut self, _names: Vec<String>) {}

    /// Replaces the buffers by those of rank 0, before a training step whose gradients are averaged and before an evaluation.
    fn send_buffers(&mut self) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Lets the next backward pass average its gradients.
    fn begin_backward(&mut self, _loss: &Tensor) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Ends such a pass. The flags of all ranks travel with the gradients.
    fn end_backward(&mut self, _flags: Flags) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Takes part in the averaging of gradients without a loss of its own.
    fn backward_without_loss(&mut self, _flags: Flags) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Takes the running hook and batch, which errors of other ranks name if they wait for this one.
    fn set_place(&self, _hook: Option<Hook>, _batch_idx: Option<usize>) {}

    /// Returns the averages of the flags that travelled with the last gradients, once.
    fn take_flags(&mut self) -> Option<Flags> {
        None
    }

    /// Returns the reason for the failure of a backward pass with this message, if it is the averaging that has failed.
    fn explain_backward(&self, _message: &str) -> Option<StrategyError> {
        None
    }

    /// Ends the run when another rank has caught a signal: passes it on to this.
    fn share_signals(&self, _caught: Caught) {}

    /// Returns the failure of another rank, which ends the run of this one too.
    #[inline]
    fn failure(&self) -> Option<StrategyError> {
        None
    }

    /// Ends the run of all ranks after an error, or after a signal. If another rank has failed first, its failure is returned.
    fn fail(&mut self, _error: &str, _signal: Option<Signal>) -> Option<StrategyError> {
        None
    }

    /// Releases the module after a run.
    fn end(&mut self) {}
}
