//! Workers: the same batches as without, errors in their place, and threads that end.

use std::panic::panic_any;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tch::{Device, Kind, Tensor};
use tch_lightning::data::{DataError, DataLoader, Dataset, TensorDataset, random_split};

use crate::{numbers, read, told};

fn table() -> TensorDataset<(Tensor, Tensor)> {
    let rows = Tensor::arange(103 * 5, (Kind::Float, Device::Cpu)).reshape([103, 5]).sin();
    TensorDataset::new((rows, Tensor::arange(103, (Kind::Int64, Device::Cpu)))).unwrap()
}

#[test]
fn batches_are_the_same_whatever_the_number_of_workers() {
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
fn many_small_batches_come_in_order() {
    let loader = DataLoader::with_workers((0..10_000).collect::<Vec<i64>>(), 4);
    let mut count = 0;
    for (expected, batch) in (0..).zip(loader.epoch(0).unwrap()) {
        assert_eq!(numbers(batch.unwrap()), [expected]);
        count += 1;
    }
    assert_eq!(count, 10_000);
}

#[test]
fn parts_of_a_split_are_read_by_workers() {
    let parts = random_split(table(), &[60, 43], 1).unwrap();
    let alone = DataLoader::new(parts[1].clone()).batch_size(20);
    let by_two = DataLoader::with_workers(parts[1].clone(), 2).batch_size(20);
    let read = |loader: DataLoader<_>| loader.epoch(0).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(read(by_two), read(alone));
}

/// Fails at 1, panics at 2, gives another shape at 5.
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
fn a_faulty_sample_is_the_error_of_its_batch() {
    let told = |loader: DataLoader<Vec<Tensor>>| -> Vec<String> {
        loader.epoch(0).unwrap().map(|batch| told(batch.map(|mut columns| columns.remove(0)))).collect()
    };
    let one_by_one = told(DataLoader::with_workers(Faulty, 3));
    assert_eq!(one_by_one[0], "0");
    assert_eq!(one_by_one[1], "sample 1 of the dataset could not be read: the file is cut short");
    assert_eq!(one_by_one[2], "sample 2 of the dataset could not be read: the file is gone");
    assert_eq!(one_by_one[3..], ["3", "4", "5", "6", "7"]);
    let by_two = told(DataLoader::with_workers(Faulty, 3).batch_size(2));
    assert_eq!(
        by_two[2],
        "batch 2 could not be put together: invalid shape: the lists of a batch must have one length, but the first \
         sample's has 1 elements and sample 1's has 2"
    );
    assert_eq!(by_two[3], "6");
    assert_eq!(told(DataLoader::new(Faulty).batch_size(2)), by_two);
}

/// Writes down what is asked for, how many clones were made, and how many of them live.
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
fn workers_start_with_the_first_batch_and_read_no_further_than_they_may() {
    let dataset = Watched::new();
    let watch = Arc::clone(&dataset.watch);
    let loader = DataLoader::with_workers(dataset, 2).prefetch_factor(3);
    let mut batches = loader.epoch(0).unwrap();
    assert_eq!((watch.clones.load(Ordering::SeqCst), batches.size_hint().1), (0, Some(100)));
    assert_eq!(told(batches.next().unwrap()), "0");
    assert_eq!(watch.clones.load(Ordering::SeqCst), 2);
    drop(batches);
    drop(loader);
    let asked_for = watch.asked_for.lock().unwrap().len();
    assert!((1..=1 + 2 * 3).contains(&asked_for), "{asked_for}");
}

#[test]
fn a_resumed_epoch_reads_nothing_of_what_lies_before() {
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
fn threads_live_as_long_as_the_loader_or_the_epoch() {
    for (persistent_workers, clones) in [(true, 2), (false, 6)] {
        let dataset = Watched::new();
        let (watch, alive) = (Arc::clone(&dataset.watch), Arc::clone(&dataset.alive));
        let loader = DataLoader::with_workers(dataset, 2).persistent_workers(persistent_workers);
        for epoch in 0..3 {
            assert_eq!(read(loader.epoch(epoch).unwrap()).len(), 100);
            // this handle, the loader's dataset, and the workers' clones
            assert_eq!(Arc::strong_count(&alive), if persistent_workers { 4 } else { 2 });
        }
        assert_eq!(watch.clones.load(Ordering::SeqCst), clones);
        drop(loader);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}

#[test]
fn an_epoch_that_is_given_up_ends_its_threads() {
    let dataset = Watched::new();
    let alive = Arc::clone(&dataset.alive);
    let loader = DataLoader::with_workers(dataset, 4).persistent_workers(false);
    let mut batches = loader.epoch(0).unwrap();
    assert_eq!(told(batches.next().unwrap()), "0");
    assert_eq!(Arc::strong_count(&alive), 6);
    drop(batches);
    assert_eq!(Arc::strong_count(&alive), 2);
}

#[test]
fn an_epoch_that_is_given_up_does_not_disturb_the_next() {
    let loader = DataLoader::with_workers((0..50).collect::<Vec<i64>>(), 3).batch_size(4).shuffle(true);
    let all = read(loader.epoch(1).unwrap());
    for given_up in 0..5 {
        assert_eq!(loader.epoch(0).unwrap().take(given_up).count(), given_up);
        assert_eq!(read(loader.epoch(1).unwrap()), all);
    }
}

#[test]
fn two_epochs_at_once_have_workers_each() {
    let loader = DataLoader::with_workers((0..20).collect::<Vec<i64>>(), 2).shuffle(true);
    let (first, second) = (read(loader.epoch(0).unwrap()), read(loader.epoch(1).unwrap()));
    let both: Vec<_> = loader.epoch(0).unwrap().zip(loader.epoch(1).unwrap()).collect();
    for (place, (one, other)) in both.into_iter().enumerate() {
        assert_eq!((numbers(one.unwrap()), numbers(other.unwrap())), (first[place].clone(), second[place].clone()));
    }
}

/// Panics with a value that panics when it is dropped, so often that the thread dies of it in spite of all precautions.
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
fn a_worker_that_dies_ends_the_epoch_with_an_error() {
    let loader = DataLoader::with_workers(Deadly { at: 7 }, 3);
    for _ in 0..2 {
        let told: Vec<String> = loader.epoch(0).unwrap().map(told).collect();
        assert_eq!(told[..7], ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!(told[7..], ["worker 1 of a DataLoader died before it had read its batch"]);
    }
    // those after it are there for whoever skips it
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
fn a_worker_that_does_not_start_is_an_error() {
    let told: Vec<String> = DataLoader::with_workers(NotToBeCloned, 2).epoch(0).unwrap().map(told).collect();
    assert_eq!(told, ["worker 0 of a DataLoader could not be started: there is only one"]);
    assert_eq!(read(DataLoader::with_workers(NotToBeCloned, 0).epoch(0).unwrap()), [[0], [1]]);
}

/// Waits in sample 3 until it is let go.
#[derive(Clone)]
struct Blocking {
    let_go: Arc<Mutex<Receiver<()>>>,
    /// Disconnected when no clone is left.
    _end: Sender<()>,
}

impl Dataset for Blocking {
    type Sample = i64;

    fn len(&self) -> usize {
        10
    }

    fn get_item(&self, index: usize) -> anyhow::Result<i64> {
        if index == 3 {
            // an error when the test is over
            let _ = self.let_go.lock().unwrap().recv();
        }
        Ok(index as i64)
    }
}

#[test]
fn with_a_timeout_a_sample_that_takes_for_ever_holds_nobody_up() {
    let (hold, let_go) = channel();
    let (end, ended) = channel();
    let dataset = Blocking { let_go: Arc::new(Mutex::new(let_go)), _end: end };
    let loader = DataLoader::with_workers(dataset, 2).timeout(Duration::from_millis(30));
    let told: Vec<String> = loader.epoch(0).unwrap().map(told).collect();
    assert_eq!(told, ["0", "1", "2", "worker 1 of a DataLoader has not read its batch within the timeout of 30ms"]);
    drop(loader);
    // the clone of the thread that was left alone is gone when its sample is read
    assert_eq!(ended.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
    drop(hold);
    assert!(ended.recv().is_err());
}

#[test]
fn an_epoch_given_up_before_a_sample_that_takes_for_ever_is_not_held_up() {
    let (_hold, let_go) = channel();
    let (end, _ended) = channel();
    let dataset = Blocking { let_go: Arc::new(Mutex::new(let_go)), _end: end };
    let loader = DataLoader::with_workers(dataset, 2).timeout(Duration::from_millis(30));
    // by now the second worker waits in sample 3, or soon will
    assert_eq!(loader.epoch(0).unwrap().take(3).map(told).collect::<Vec<_>>(), ["0", "1", "2"]);
    drop(loader);
}

/// What libtorch would share out its operations among.
#[derive(Clone)]
struct Threads;

impl Dataset for Threads {
    type Sample = i32;

    fn len(&self) -> usize {
        4
    }

    fn get_item(&self, _: usize) -> anyhow::Result<i32> {
        // large enough to be shared out, for which a thread would take over the program's number
        let _ = Tensor::ones([1 << 18], (Kind::Float, Device::Cpu)).exp();
        Ok(tch::get_num_threads())
    }
}

#[test]
fn operations_in_workers_run_on_their_thread_alone() {
    tch::set_num_threads(3);
    assert_eq!(read(DataLoader::with_workers(Threads, 2).epoch(0).unwrap()), [[1]; 4]);
    assert_eq!(tch::get_num_threads(), 3);
    assert_eq!(std::thread::spawn(tch::get_num_threads).join().unwrap(), 3);
}

/// Without workers, a dataset may stay on its thread.
#[test]
fn a_dataset_that_can_not_be_sent_is_read_here() {
    let loader = DataLoader::new(Rc::new(vec![1_i64, 2]));
    assert_eq!(read(loader.epoch(0).unwrap()), [[1], [2]]);
}

/// Errors go where batches go.
const _: fn() = || {
    fn may_be_sent<T: Send>() {}
    may_be_sent::<DataError>();
    may_be_sent::<TensorDataset<(Tensor, Tensor)>>();
};
