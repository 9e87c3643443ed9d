//! Tests of batches that are prefetched to a device.

use tch::{Device, Kind, Tensor};
use tch_lightning::data::{Batch, DataError, DataLoader, Dataset, TensorDataset};
use tch_lightning::device::{CudaStatus, cuda_status};

use crate::{message, outcome};

fn rows(len: i64) -> TensorDataset<(Tensor, Tensor)> {
    let rows = Tensor::arange(len * 256, (Kind::Float, Device::Cpu)).reshape([len, 256]).sin();
    TensorDataset::new((rows, Tensor::arange(len, (Kind::Int64, Device::Cpu)))).unwrap()
}

/// Nothing is copied, and an error keeps its position.
#[test]
fn prefetch_to_the_cpu_returns_the_same_tensors() {
    let loader = DataLoader::new(rows(10)).batch_size(3).shuffle(true);
    let mut plain = loader.epoch(2).unwrap().skip_to(1);
    let mut moved = loader.epoch(2).unwrap().skip_to(1).prefetch_to_device(Device::Cpu).unwrap();
    assert_eq!(moved.size_hint(), plain.size_hint());
    for _ in 0..3 {
        assert_eq!(moved.next().unwrap().unwrap(), plain.next().unwrap().unwrap());
    }
    assert!(moved.next().is_none() && moved.next().is_none());

    let dataset = rows(4);
    let views = DataLoader::new(dataset.clone()).batch_size(4);
    let (batch, _) = views.epoch(0).unwrap().prefetch_to_device(Device::Cpu).unwrap().next().unwrap().unwrap();
    assert_eq!(batch.data_ptr(), dataset.tensors().0.data_ptr());
}

/// Batches that the workers have ready are copied ahead and keep their order.
#[test]
fn prefetched_batches_of_workers_keep_their_order() {
    let loader = DataLoader::with_workers(rows(200), 2).batch_size(3).shuffle(true);
    let plain: Vec<_> = loader.epoch(2).unwrap().collect::<Result<_, _>>().unwrap();
    let mut moved = loader.epoch(2).unwrap().prefetch_to_device(Device::Cpu).unwrap();
    assert_eq!(moved.by_ref().collect::<Result<Vec<_>, _>>().unwrap(), plain);
    assert_eq!(moved.size_hint(), (0, Some(0)));
}

#[derive(Clone)]
struct Faulty;

impl Dataset for Faulty {
    type Sample = i64;

    fn len(&self) -> usize {
        3
    }

    fn get_item(&self, index: usize) -> anyhow::Result<i64> {
        anyhow::ensure!(index != 1, "the file is cut short");
        Ok(index as i64)
    }
}

#[test]
fn prefetch_keeps_the_position_of_an_error() {
    for num_workers in [0, 2] {
        let loader = DataLoader::with_workers(Faulty, num_workers);
        let moved = loader.epoch(0).unwrap().prefetch_to_device(Device::Cpu).unwrap();
        let outcome: Vec<String> = moved.map(outcome).collect();
        assert_eq!(outcome, ["0", "sample 1 of the dataset could not be read: the file is cut short", "2"]);
    }
}

#[test]
fn prefetch_without_a_gpu_is_an_error() {
    if let CudaStatus::Usable { .. } = cuda_status() {
        println!("skipped: there is a GPU");
        return;
    }
    let loader = DataLoader::new(rows(2));
    let error = loader.epoch(0).unwrap().prefetch_to_device(Device::Cuda(0)).err().unwrap();
    assert!(matches!(error, DataError::Device { device: Device::Cuda(0), .. }));
    assert_eq!(
        message(error),
        format!("cannot move a batch to Cuda(0): the accelerator cuda cannot be used: {}", cuda_status())
    );
}

/// Without CUDA, batches are left unchanged.
#[test]
fn pinned_batches_equal_unpinned_ones() {
    for num_workers in [0, 2] {
        let loader = || DataLoader::with_workers(rows(10), num_workers).batch_size(3).shuffle(true);
        let read = |loader: DataLoader<_>| loader.epoch(0).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(read(loader().pin_memory(true)), read(loader()));
    }
}

/// Many large batches in quick succession, so that one would be overwritten or used too early if a wait were missing.
#[test]
fn prefetched_batches_are_complete_on_a_gpu() {
    let CudaStatus::Usable { .. } = cuda_status() else {
        println!("skipped: CUDA cannot be used: {}", cuda_status());
        return;
    };
    let device = Device::Cuda(0);
    for (num_workers, pin_memory) in [(0, false), (0, true), (3, false), (3, true)] {
        let loader = DataLoader::with_workers(rows(20_000), num_workers).batch_size(512).shuffle(true);
        let loader = loader.pin_memory(pin_memory);
        let weight = Tensor::rand([256, 256], (Kind::Float, device));
        let plain: Vec<(Tensor, Tensor)> = loader.epoch(1).unwrap().collect::<Result<_, _>>().unwrap();
        let mut count = 0;
        let mut outcomes = Vec::new();
        for batch in loader.epoch(1).unwrap().prefetch_to_device(device).unwrap() {
            let (rows, labels) = batch.unwrap();
            assert_eq!((rows.device(), labels.device()), (device, device));
            // keeps the device busy while the next batch is copied
            let work = rows.matmul(&weight).matmul(&weight).sum(Kind::Double);
            outcomes.push((rows.sum(Kind::Double), labels.sum(Kind::Int64), work));
            count += 1;
        }
        assert_eq!(count, plain.len());
        for ((rows, labels, work), batch) in outcomes.into_iter().zip(plain) {
            let (expected_rows, expected_labels) = batch.move_to_device(device).unwrap();
            assert_eq!(rows, expected_rows.sum(Kind::Double));
            assert_eq!(labels, expected_labels.sum(Kind::Int64));
            assert_eq!(work, expected_rows.matmul(&weight).matmul(&weight).sum(Kind::Double));
        }
    }
}
