//! Tests of workers: the same batches as without, the positions of errors, and the end of the threads.

use std::panic::panic_any;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tch::{Device, Kind, Tensor};
use tch_lightning::data::{DataError, DataLoader, Dataset, TensorDataset, random_split};

use crate::{numbers, outcome, read};

fn table() -> TensorDataset<(Tensor, Tensor)> {
    let rows = Tensor::arange(103 * 5, (Kind::Float, Device::Cpu)).reshape([103, 5]).sin();
    TensorDataset::new((rows, Tensor::arange(103, (Kind::Int64, Device::Cpu)))).unwrap()
}

#[test]
fn batches_do_not_depend_on_the_number_of_workers() {
    for (batch_size, shuffle) in [(1, false), (8, true), (10, false), (200, true)] {
        let chosen = |loader: DataLoader<_>| loader.batch_size(batch_size).shuffle(shuffle).seed(6);
        let alone = chosen(DataLoader::new(table()));
        for num_workers in 0..=4 {
            for prefetch_factor in [1, 3] {
                let loader = chosen(DataLoader::with_workers(table(), num_workers)).prefetch_factor(prefetch_factor);
                for epoch in [0, 1] {
                    let read = |loader: &DataLoader<(Tensor, Tensor)>| -> Vec<(Tensor, Tensor)> {
                        loader.epoch(epoch).unwrap().collect::<Result<_, _>>().unwrap()
                    };
                    assert_eq!(read(&loader), read(&alone));
                }
                let rest = |loader: &DataLoader<_>| loader.epoch(1).unwrap().skip_to(1).map(Result::unwrap).next();
                assert_eq!(rest(&loader), rest(&alone));
            }
        }
    }
}

#[test]
fn workers_keep_the_order_of_many_small_batches() {
    let loader = DataLoader::with_workers((0..10_000).collect::<Vec<i64>>(), 4);
    let mut count = 0;
    for (expected, batch) in (0..).zip(loader.epoch(0).unwrap()) {
        assert_eq!(numbers(batch.unwrap()), [expected]);
        count += 1;
    }
    assert_eq!(count, 10_000);
}

#[test]
fn workers_read_parts_of_a_split() {
    let parts = random_split(table(), &[60, 43], 1).unwrap();
    let alone = DataLoader::new(parts[1].clone()).batch_size(20);
    let by_two = DataLoader::with_workers(parts[1].clone(), 2).batch_size(20);
    let read = |loader: DataLoader<_>| loader.epoch(0).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(read(by_two), read(alone));
}

/// Fails at 1, panics at 2, returns another shape at 5.
#[derive(Clone)]
struct Faulty;

impl Dataset for Faulty {
    type Sample = Vec<i64>;

    fn len(&self) -> usize {
        8
    }

    fn get_item(&self, index: usize) -> anyhow::Result<Vec<i64>> {
        match index {
            1 => anyhow::bail!("the file is cut short"),
            2 => panic!("the file is gone"),
            5 => Ok(vec![5, 5]),
            _ => Ok(vec![index as i64]),
        }
    }
}

#[test]
fn worker_errors_affect_only_their_batch() {
    let outcome = |loader: DataLoader<Tensor>| -> Vec<String> {
        loader.epoch(0).unwrap().map(|batch| outcome(batch.map(|rows| rows.select(1, 0)))).collect()
    };
    let one_by_one = outcome(DataLoader::with_workers(Faulty, 3));
    assert_eq!(one_by_one[0], "0");
    assert_eq!(one_by_one[1], "sample 1 of the dataset could not be read: the file is cut short");
    assert_eq!(one_by_one[2], "sample 2 of the dataset could not be read: the file is gone");
    assert_eq!(one_by_one[3..], ["3", "4", "5", "6", "7"]);
    let by_two = outcome(DataLoader::with_workers(Faulty, 3).batch_size(2));
    assert_eq!(
        by_two[2],
        "batch 2 could not be read: invalid shape: the lists of a batch must have the same length, but the first \
         sample's has 1 elements and sample 1's has 2"
    );
    assert_eq!(by_two[3], "6");
    assert_eq!(outcome(DataLoader::new(Faulty).batch_size(2)), by_two);
}

/// Records the samples requested, the number of clones, and the number of live ones.
struct Watched {
    watch: Arc<Watch>,
    alive: Arc<()>,
}

#[derive(Default)]
struct Watch {
    clones: AtomicUsize,
    asked_for: Mutex<Vec<usize>>,
}

impl Watched {
    fn new() -> Self {
        Self { watch: Arc::default(), alive: Arc::default() }
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        self.watch.clones.fetch_add(1, Ordering::SeqCst);
        Self { watch: Arc::clone(&self.watch), alive: Arc::clone(&self.alive) }
    }
}

impl Dataset for Watched {
    type Sample = i64;

    fn len(&self) -> usize {
        100
    }

    fn get_item(&self, index: usize) -> anyhow::Result<i64> {
        self.watch.asked_for.lock().unwrap().push(index);
        Ok(index as i64)
    }
}

#[test]
fn workers_start_with_the_first_batch_and_read_ahead_within_limits() {
    let dataset = Watched::new();
    let watch = Arc::clone(&dataset.watch);
    let loader = DataLoader::with_workers(dataset, 2).prefetch_factor(3);
    let mut batches = loader.epoch(0).unwrap();
    assert_eq!((watch.clones.load(Ordering::SeqCst), batches.size_hint().1), (0, Some(100)));
    assert_eq!(outcome(batches.next().unwrap()), "0");
    assert_eq!(watch.clones.load(Ordering::SeqCst), 2);
    drop(batches);
    drop(loader);
    let asked_for = watch.asked_for.lock().unwrap().len();
    assert!((1..=1 + 2 * 3).contains(&asked_for), "{asked_for}");
}

#[test]
fn workers_of_a_resumed_epoch_skip_earlier_samples() {
    let dataset = Watched::new();
    let watch = Arc::clone(&dataset.watch);
    let loader = DataLoader::with_workers(dataset, 3).batch_size(2).shuffle(true);
    let all = read(loader.epoch(5).unwrap());
    watch.asked_for.lock().unwrap().clear();
    assert_eq!(read(loader.epoch(5).unwrap().skip_to(41)), all[41..]);
    let mut asked_for = std::mem::take(&mut *watch.asked_for.lock().unwrap());
    let mut expected: Vec<usize> = all[41..].concat().iter().map(|&index| index as usize).collect();
    asked_for.sort_unstable();
    expected.sort_unstable();
    assert_eq!(asked_for, expected);
}

#[test]
fn worker_threads_live_as_long_as_the_loader_or_the_epoch() {
    for (persistent_workers, clones) in [(true, 2), (false, 6)] {
        let dataset = Watched::new();
        let (watch, alive) = (Arc::clone(&dataset.watch), Arc::clone(&dataset.alive));
        let loader = DataLoader::with_workers(dataset, 2).persistent_workers(persistent_workers);
        for epoch in 0..3 {
            assert_eq!(read(loader.epoch(epoch).unwrap()).len(), 100);
            // this handle, the loader's dataset and the clones of the workers
            assert_eq!(Arc::strong_count(&alive), if persistent_workers { 4 } else { 2 });
        }
        assert_eq!(watch.clones.load(Ordering::SeqCst), clones);
        drop(loader);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}

#[test]
fn worker_threads_end_when_the_epoch_is_dropped() {
    let dataset = Watched::new();
    let alive = Arc::clone(&dataset.alive);
    let loader = DataLoader::with_workers(dataset, 4).persistent_workers(false);
    let mut batches = loader.epoch(0).unwrap();
    assert_eq!(outcome(batches.next().unwrap()), "0");
    assert_eq!(Arc::strong_count(&alive), 6);
    drop(batches);
    assert_eq!(Arc::strong_count(&alive), 2);
}

#[test]
fn dropped_epoch_does_not_affect_the_next() {
    let loader = DataLoader::with_workers((0..50).collect::<Vec<i64>>(), 3).batch_size(4).shuffle(true);
    let all = read(loader.epoch(1).unwrap());
    for given_up in 0..5 {
        assert_eq!(loader.epoch(0).unwrap().take(given_up).count(), given_up);
        assert_eq!(read(loader.epoch(1).unwrap()), all);
    }
}

#[test]
fn concurrent_epochs_have_separate_workers() {
    let loader = DataLoader::with_workers((0..20).collect::<Vec<i64>>(), 2).shuffle(true);
    let (first, second) = (read(loader.epoch(0).unwrap()), read(loader.epoch(1).unwrap()));
    let both: Vec<_> = loader.epoch(0).unwrap().zip(loader.epoch(1).unwrap()).collect();
    for (place, (one, other)) in both.into_iter().enumerate() {
        assert_eq!((numbers(one.unwrap()), numbers(other.unwrap())), (first[place].clone(), second[place].clone()));
    }
}

/// Panics with a payload that panics in its `drop`, often enough to kill the thread despite all precautions.
#[derive(Clone)]
struct Deadly {
    at: usize,
}

struct Bomb {
    inside: u32,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.inside > 0 {
            panic_any(Bomb { inside: self.inside - 1 });
        }
    }
}

impl Dataset for Deadly {
    type Sample = i64;

    fn len(&self) -> usize {
        20
    }

    fn get_item(&self, index: usize) -> anyhow::Result<i64> {
        if index == self.at {
            panic_any(Bomb { inside: 3 });
        }
        Ok(index as i64)
    }
}

#[test]
fn worker_death_ends_the_epoch_with_an_error() {
    let loader = DataLoader::with_workers(Deadly { at: 7 }, 3);
    for _ in 0..2 {
        let outcome: Vec<String> = loader.epoch(0).unwrap().map(outcome).collect();
        assert_eq!(outcome[..7], ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!(outcome[7..], ["worker 1 of a DataLoader died before it had read its batch"]);
    }
    // the batches after it can be read by skipping it
    assert_eq!(read(loader.epoch(0).unwrap().skip_to(18)), [[18], [19]]);
}

struct NotToBeCloned;

impl Clone for NotToBeCloned {
    fn clone(&self) -> Self {
        panic!("there is only one")
    }
}

impl Dataset for NotToBeCloned {
    type Sample = i64;

    fn len(&self) -> usize {
        2
    }

    fn get_item(&self, index: usize) -> anyhow::Result<i64> {
        Ok(index as i64)
    }
}

#[test]
fn worker_that_cannot_start_is_an_error() {
    let outcome: Vec<String> = DataLoader::with_workers(NotToBeCloned, 2).epoch(0).unwrap().map(outcome).collect();
    assert_eq!(outcome, ["worker 0 of a DataLoader could not be started: there is only one"]);
    assert_eq!(read(DataLoader::with_workers(NotToBeCloned, 0).epoch(0).unwrap()), [[0], [1]]);
}

/// Blocks in sample 3 until it is released.
#[derive(Clone)]
struct Blocking {
    release: Arc<Mutex<Receiver<()>>>,
    /// Disconnected when the last clone has been dropped.
    _end: Sender<()>,
}

impl Dataset for Blocking {
    type Sample = i64;

    fn len(&self) -> usize {
        10
    }

    fn get_item(&self, index: usize) -> anyhow::Result<i64> {
        if index == 3 {
            // an error when the test has ended
            let _ = self.release.lock().unwrap().recv();
        }
        Ok(index as i64)
    }
}

#[test]
fn timeout_ends_the_wait_for_a_sample_that_hangs() {
    let (hold, release) = channel();
    let (end, ended) = channel();
    let dataset = Blocking { release: Arc::new(Mutex::new(release)), _end: end };
    let loader = DataLoader::with_workers(dataset, 2).timeout(Duration::from_millis(30));
    let outcome: Vec<String> = loader.epoch(0).unwrap().map(outcome).collect();
    assert_eq!(outcome, ["0", "1", "2", "worker 1 of a DataLoader did not read its batch within the timeout of 30ms"]);
    drop(loader);
    // the abandoned thread drops its clone when it has read its sample
    assert_eq!(ended.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
    drop(hold);
    assert!(ended.recv().is_err());
}

#[test]
fn dropped_epoch_does_not_wait_for_a_sample_that_hangs() {
    let (_hold, release) = channel();
    let (end, _ended) = channel();
    let dataset = Blocking { release: Arc::new(Mutex::new(release)), _end: end };
    let loader = DataLoader::with_workers(dataset, 2).timeout(Duration::from_millis(30));
    // the second worker blocks in sample 3, or soon will
    assert_eq!(loader.epoch(0).unwrap().take(3).map(outcome).collect::<Vec<_>>(), ["0", "1", "2"]);
    drop(loader);
}

/// The number of threads that libtorch uses.
#[derive(Clone)]
struct Threads;

impl Dataset for Threads {
    type Sample = i32;

    fn len(&self) -> usize {
        4
    }

    fn get_item(&self, _: usize) -> anyhow::Result<i32> {
        // large enough to be split among threads; a new thread has the number of threads of the program by default
        let _ = Tensor::ones([1 << 18], (Kind::Float, Device::Cpu)).exp();
        Ok(tch::get_num_threads())
    }
}

#[test]
fn operations_in_workers_use_one_thread() {
    tch::set_num_threads(3);
    assert_eq!(read(DataLoader::with_workers(Threads, 2).epoch(0).unwrap()), [[1]; 4]);
    assert_eq!(tch::get_num_threads(), 3);
    assert_eq!(std::thread::spawn(tch::get_num_threads).join().unwrap(), 3);
}

/// Without workers, a dataset need not be `Send`.
#[test]
fn dataset_that_is_not_send_is_read_on_the_calling_thread() {
    let loader = DataLoader::new(Rc::new(vec![1_i64, 2]));
    assert_eq!(read(loader.epoch(0).unwrap()), [[1], [2]]);
}

/// Errors are `Send`.
const _: fn() = || {
    fn may_be_sent<T: Send>() {}
    may_be_sent::<DataError>();
    may_be_sent::<TensorDataset<(Tensor, Tensor)>>();
};
