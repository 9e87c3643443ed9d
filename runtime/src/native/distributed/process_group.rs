use super::super::boundary::{check, receive};
use super::super::{Descriptors, NativeError, Sockets};
use super::declarations::{
    CProcessGroup, lightning_all_gather, lightning_all_reduce, lightning_barrier, lightning_broadcast,
    lightning_process_group_add_gpus, lightning_process_group_close, lightning_process_group_end_gpus,
    lightning_process_group_free, lightning_process_group_new, lightning_sum_of_ranks,
};
use super::{Store, c_string, milliseconds, nccl};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;
use tch::Tensor;
use torch_sys::C_tensor;

/// The processes of a run, which call the same methods in the same order: c10d's `ProcessGroup`, with Gloo for tensors on the CPU and,
/// after [`add_gpus`](Self::add_gpus), with NCCL for those on GPUs.
///
/// A method fails if another process has ended, or does not take part within the group's timeout. The group cannot be used after that.
pub(crate) struct ProcessGroup {
    raw: NonNull<CProcessGroup>,
    /// The connections of Gloo.
    sockets: Sockets,
}

// SAFETY: a process group may be used from any thread, as long as the order of its calls is that of the other ranks.
unsafe impl Send for ProcessGroup {}
// SAFETY: as above; c10d locks what its own threads share.
unsafe impl Sync for ProcessGroup {}

/// The network for collectives.
#[derive(Clone)]
pub(crate) enum Network {
    /// That of the host's name.
    Default,
    /// An interface such as `eth0`.
    Interface(String),
    /// That of an address.
    Address(String),
}

/// How values of all ranks become one: a `c10d::ReduceOp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum ReduceOperation {
    Sum = 0,
    Min = 3,
    Max = 4,
}

impl ProcessGroup {
    /// Connects this process to the others, which call this with the same `prefix` of keys.
    pub(crate) fn new(
        store: &Store,
        prefix: &str,
        (rank, size): (usize, usize),
        timeout: Duration,
        network: &Network,
    ) -> Result<Self, NativeError> {
        let (interface, address) = match network {
            Network::Default => ("", ""),
            Network::Interface(interface) => (interface.as_str(), ""),
            Network::Address(address) => ("", address.as_str()),
        };
        let (prefix, interface, address) = (c_string(prefix), c_string(interface), c_string(address));
        let mut raw = ptr::null_mut();
        let before = Descriptors::now();
        // SAFETY: the store, the texts and the pointer are valid for the call; C++ keeps its own handle of the store.
        let message = unsafe {
            lightning_process_group_new(
                store.raw(),
                prefix.as_ptr(),
                number(rank),
                number(size),
                milliseconds(timeout),
                interface.as_ptr(),
                address.as_ptr(),
                &raw mut raw,
            )
        };
        // SAFETY: the answer is an entry point's.
        unsafe { check(message) }?;
        before.close_later_ones_on_exec();
        let raw = NonNull::new(raw).expect("a call that succeeded has stored the group");
        Ok(Self { raw, sockets: Sockets::opened_since(&before) })
    }

    /// Lets the operations of Gloo fail that wait for other ranks, also for one that has ended while a process that it has started keeps its
    /// connections open. The group cannot be used after that.
    pub(crate) fn interrupt(&self) {
        self.sockets.shut_down();
    }

    /// Lets this process use its GPU with the others, which call this as well.
    ///
    /// # Errors
    /// If this program was built without NCCL, or if there is no GPU.
    pub(crate) fn add_gpus(
        &self,
        store: &Store,
        prefix: &str,
        (rank, size): (usize, usize),
        timeout: Duration,
    ) -> Result<(), NativeError> {
        let before = Descriptors::now();
        let backend = nccl::backend(store.raw(), &c_string(prefix), (number(rank), number(size)), timeout)?;
        // SAFETY: C++ takes the backend, which is used nowhere else.
        unsafe { check(lightning_process_group_add_gpus(self.raw.as_ptr(), backend.as_ptr())) }?;
        before.close_later_ones_on_exec();
        Ok(())
    }

    /// Ends the use of GPUs: at once after the failure of a rank, which the others' operations would wait for.
    pub(crate) fn end_gpus(&self, has_failed: bool) {
        // SAFETY: the group is alive. What fails here has ended as well, and nothing after it uses the GPUs.
        let _ = unsafe { check(lightning_process_group_end_gpus(self.raw(), has_failed)) };
    }

    /// Closes the connections to the other ranks, whose operations fail. Operations of this rank that wait for others are not woken by it, and
    /// new ones fail.
    pub(crate) fn close(&self) {
        // SAFETY: the group is alive, and Gloo locks each of its connections. What fails here is closed as well.
        let _ = unsafe { check(lightning_process_group_close(self.raw())) };
    }

    /// The C++ object, which lives as long as `self`.
    pub(super) fn raw(&self) -> *const CProcessGroup {
        self.raw.as_ptr()
    }

    /// Replaces the tensor by the reduction over all ranks.
    pub(crate) fn all_reduce(&self, tensor: &Tensor, operation: ReduceOperation) -> Result<(), NativeError> {
        // SAFETY: the tensor is alive, and is changed in place, as through any handle of it.
        unsafe { check(lightning_all_reduce(self.raw(), tensor.as_ptr(), operation as i8)) }
    }

    /// Returns the sum over all ranks. Its gradient in each rank is the sum of the gradients of all.
    pub(crate) fn sum(&self, tensor: &Tensor) -> Result<Tensor, NativeError> {
        // SAFETY: the tensor is alive and only read; what the entry point stores is a new handle.
        let sum = unsafe { receive(|sum| lightning_sum_of_ranks(self.raw(), tensor.as_ptr(), sum)) }?;
        Ok(sum.expect("a call that succeeded has stored the tensor"))
    }

    /// Replaces the tensors by those of rank `source`.
    pub(crate) fn broadcast(&self, tensors: &[&Tensor], source: usize) -> Result<(), NativeError> {
        let tensors: Vec<*const C_tensor> = tensors.iter().map(|tensor| tensor.as_ptr()).collect();
        // SAFETY: the array holds `count` live tensors, which are changed in place, as through any handle of theirs.
        unsafe { check(lightning_broadcast(self.raw(), tensors.as_ptr(), tensors.len(), number(source))) }
    }

    /// Returns the tensors of all ranks, `[ranks, …]`. They have the same shape.
    pub(crate) fn all_gather(&self, tensor: &Tensor) -> Result<Tensor, NativeError> {
        // SAFETY: the tensor is alive and only read; what the entry point stores is a new handle.
        let gathered = unsafe { receive(|gathered| lightning_all_gather(self.raw(), tensor.as_ptr(), gathered)) }?;
        Ok(gathered.expect("a call that succeeded has stored the tensor"))
    }

    /// Waits for all ranks. The error names those that do not come within the time.
    pub(crate) fn barrier(&self, timeout: Duration) -> Result<(), NativeError> {
        // SAFETY: the group lives as long as `self`.
        unsafe { check(lightning_barrier(self.raw(), milliseconds(timeout))) }
    }
}

/// Closes the connections to the other ranks at the end of the process, also while an operation waits for them: theirs fail.
pub(crate) fn close_at_end(group: Arc<ProcessGroup>) {
    // the operations that still run would keep `drop` waiting
    ManuallyDrop::new(group).close();
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_process_group_new`, and not used again.
        unsafe { lightning_process_group_free(self.raw.as_ptr()) };
    }
}

/// Returns a rank as C++ takes it.
fn number(rank: usize) -> u32 {
    u32::try_from(rank).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::device::{CudaStatus, cuda_status};
    use std::thread;

    /// Runs `each` for the ranks of a group, in a thread each, and returns what it returned.
    pub(in super::super) fn ranks<T: Send>(size: usize, each: impl Fn(usize, ProcessGroup) -> T + Sync) -> Vec<T> {
        ranks_with_stores(size, |rank, _, group| each(rank, group))
    }

    /// As [`ranks`], with the store of the group.
    fn ranks_with_stores<T: Send>(size: usize, each: impl Fn(usize, &Store, ProcessGroup) -> T + Sync) -> Vec<T> {
        let time = Duration::from_secs(20);
        let server = Store::serve(0, time).unwrap();
        let port = server.port();
        let start = &|rank| {
            let store = Store::connect("127.0.0.1", port, time).unwrap();
            let network = Network::Address("127.0.0.1".to_owned());
            each(rank, &store, ProcessGroup::new(&store, "test/", (rank, size), time, &network).unwrap())
        };
        thread::scope(|scope| {
            let running: Vec<_> = (0..size).map(|rank| scope.spawn(move || start(rank))).collect();
            running.into_iter().map(|rank| rank.join().unwrap()).collect()
        })
    }

    #[test]
    fn collectives_have_the_values_of_all_ranks() {
        let values = |tensor: &Tensor| Vec::<f64>::try_from(&tensor.flatten(0, -1)).unwrap();
        let results = ranks(3, |rank, group| {
            let own = || Tensor::from_slice(&[rank as f64, 10.0 - rank as f64]);
            let (sum, min, max, sent) = (own(), own(), own(), own());
            group.all_reduce(&sum, ReduceOperation::Sum).unwrap();
            group.all_reduce(&min, ReduceOperation::Min).unwrap();
            group.all_reduce(&max, ReduceOperation::Max).unwrap();
            group.broadcast(&[&sent], 2).unwrap();
            let gathered = group.all_gather(&own()).unwrap();
            assert_eq!(gathered.size(), [3, 2]);
            group.barrier(Duration::from_secs(20)).unwrap();
            [sum, min, max, sent, gathered].map(|tensor| values(&tensor))
        });
        for [sum, min, max, sent, gathered] in results {
            assert_eq!(sum, [3.0, 27.0]);
            assert_eq!(min, [0.0, 8.0]);
            assert_eq!(max, [2.0, 10.0]);
            assert_eq!(sent, [2.0, 8.0]);
            assert_eq!(gathered, [0.0, 10.0, 1.0, 9.0, 2.0, 8.0]);
        }
    }

    #[test]
    fn tensor_without_contiguous_memory_is_reduced_in_place() {
        let sums = ranks(2, |_, group| {
            let matrix = Tensor::arange(6, (tch::Kind::Float, tch::Device::Cpu)).view([2, 3]);
            group.all_reduce(&matrix.tr(), ReduceOperation::Sum).unwrap();
            Vec::<f64>::try_from(&matrix.flatten(0, -1)).unwrap()
        });
        assert_eq!(sums, vec![vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0]; 2]);
    }

    #[test]
    fn interrupted_operation_fails_before_its_timeout() {
        let seconds = ranks(2, |rank, group| {
            let begun = std::time::Instant::now();
            if rank == 0 {
                thread::scope(|scope| {
                    scope.spawn(|| {
                        thread::sleep(Duration::from_millis(300));
                        group.interrupt();
                    });
                    assert!(group.all_reduce(&Tensor::from(1.0), ReduceOperation::Sum).is_err());
                });
            } else {
                // its connections stay open
                thread::sleep(Duration::from_secs(3));
            }
            begun.elapsed().as_secs_f64()
        });
        assert!(seconds[0] < 2.5, "{seconds:?}");
    }

    #[test]
    fn rank_that_is_missing_is_named() {
        let said = ranks(2, |rank, group| match rank {
            0 => group.barrier(Duration::from_millis(300)).unwrap_err().to_string(),
            _ => {
                thread::sleep(Duration::from_secs(1));
                String::new()
            }
        });
        assert!(said[0].contains("Ranks 1"), "{}", said[0]);
    }

    #[test]
    fn gpus_without_nccl_or_without_a_gpu_are_an_error() {
        if matches!(cuda_status(), CudaStatus::Usable { .. }) {
            println!("skipped: this machine has a GPU");
            return;
        }
        let said = ranks_with_stores(1, |_, store, group| {
            let error = group.add_gpus(store, "test/", (0, 1), Duration::from_secs(20)).unwrap_err();
            group.end_gpus(false);
            group.all_reduce(&Tensor::from(1.0), ReduceOperation::Sum).unwrap();
            error.to_string()
        });
        let said = &said[0];
        // where the headers of CUDA are, the library is opened, and finds no GPU
        assert!(said.contains("was built without it") || said.contains("no GPUs found"), "{said}");
    }

    #[test]
    fn group_of_one_gpu_takes_its_tensors() {
        let status = cuda_status();
        if !matches!(status, CudaStatus::Usable { .. }) {
            println!("skipped: CUDA cannot be used: {status}");
            return;
        }
        let values = ranks_with_stores(1, |_, store, group| {
            group.add_gpus(store, "test/", (0, 1), Duration::from_secs(20)).unwrap();
            let tensor = Tensor::from_slice(&[1.0, 2.0]).to_device(tch::Device::Cuda(0));
            group.all_reduce(&tensor, ReduceOperation::Sum).unwrap();
            group.broadcast(&[&tensor], 0).unwrap();
            let gathered = group.all_gather(&tensor).unwrap();
            group.end_gpus(false);
            Vec::<f64>::try_from(&gathered.flatten(0, -1)).unwrap()
        });
        assert_eq!(values, [[1.0, 2.0]]);
    }
}
