//! Tests of streams, which are cut into batches and shared among workers.

use std::panic::panic_any;
use std::sync::{Arc, Mutex};

use tch::Tensor;
use tch_lightning::data::{
    ChainDataset, CombinedLoader, DataLoader, DistributedSampler, IterableDataset, RandomSampler, WorkerInfo,
};

use crate::{message, outcome, read};

/// Each worker's share of the numbers below `len`, with the epoch added.
#[derive(Clone)]
struct Numbers {
    len: i64,
}

impl IterableDataset for Numbers {
    type Sample = i64;

    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<i64>> {
        worker.share(0..self.len).map(move |number| Ok(number + epoch as i64))
    }
}

/// A given share for each worker.
#[derive(Clone)]
struct Shares(Vec<Vec<i64>>);

impl IterableDataset for Shares {
    type Sample = i64;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<i64>> {
        assert_eq!(worker.num_workers, self.0.len());
        self.0[worker.id].iter().map(|&number| Ok(number))
    }
}

fn by_workers(shares: &[&[i64]]) -> DataLoader<Tensor> {
    let shares: Vec<Vec<i64>> = shares.iter().map(|share| share.to_vec()).collect();
    let num_workers = shares.len();
    DataLoader::iterable_with_workers(Shares(shares), num_workers).batch_size(2)
}

#[test]
fn streams_are_cut_into_batches() {
    let loader = DataLoader::iterable(Numbers { len: 5 }).batch_size(2);
    assert_eq!((loader.num_batches(), loader.dataset_len()), (None, None));
    assert_eq!(loader.epoch(0).unwrap().size_hint(), (0, None));
    assert_eq!(read(loader.epoch(0).unwrap()), [vec![0, 1], vec![2, 3], vec![4]]);
    assert_eq!(read(loader.epoch(10).unwrap()), [vec![10, 11], vec![12, 13], vec![14]]);
    assert_eq!(read(loader.drop_last(true).epoch(0).unwrap()), [[0, 1], [2, 3]]);
    assert!(read(DataLoader::iterable(Numbers { len: 0 }).epoch(0).unwrap()).is_empty());
}

/// The expected batches are PyTorch 2.13's for these shares, with as many workers and a batch size of 2.
#[test]
fn stream_workers_take_turns_until_all_are_exhausted() {
    let uneven: [&[i64]; 3] = [&[0], &[10, 11, 12, 13, 14, 15], &[20, 21, 22]];
    assert_eq!(
        read(by_workers(&[&[0, 2, 4, 6], &[1, 3, 5]]).epoch(0).unwrap()),
        [vec![0, 2], vec![1, 3], vec![4, 6], vec![5]]
    );
    assert_eq!(
        read(by_workers(&uneven).epoch(0).unwrap()),
        [vec![0], vec![10, 11], vec![20, 21], vec![12, 13], vec![22], vec![14, 15]]
    );
    assert_eq!(read(by_workers(&uneven).drop_last(true).epoch(0).unwrap()), [[10, 11], [20, 21], [12, 13], [14, 15]]);
    assert_eq!(read(by_workers(&[&[], &[10, 11, 12], &[20]]).epoch(0).unwrap()), [vec![10, 11], vec![20], vec![12]]);
}

#[test]
fn skipped_batches_of_a_stream_are_read_and_dropped() {
    let loader = DataLoader::iterable(Numbers { len: 7 }).batch_size(2);
    assert_eq!(read(loader.epoch(0).unwrap().skip_to(2)), [vec![4, 5], vec![6]]);
    assert!(read(loader.epoch(0).unwrap().skip_to(9)).is_empty());
    let uneven: [&[i64]; 3] = [&[0], &[10, 11, 12, 13, 14, 15], &[20, 21, 22]];
    let all = read(by_workers(&uneven).epoch(0).unwrap());
    for skipped in 0..=6 {
        assert_eq!(read(by_workers(&uneven).epoch(0).unwrap().skip_to(skipped)), all[skipped..]);
    }
}

/// Fails at 3, panics at 7.
#[derive(Clone)]
struct Faulty;

impl IterableDataset for Faulty {
    type Sample = i64;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<i64>> {
        worker.share(0..).map(|number| match number {
            3 => anyhow::bail!("the line is cut off"),
            7 => panic!("the line is gone"),
            _ => Ok(number),
        })
    }
}

#[test]
fn stream_errors_affect_only_their_batch() {
    let batches = DataLoader::iterable(Faulty).batch_size(2).epoch(0).unwrap().map(outcome).collect::<Vec<_>>();
    assert_eq!(
        batches,
        [
            "0",
            "sample 3 of the stream could not be read: the line is cut off",
            "4",
            "sample 7 of the stream could not be read: the line is gone"
        ]
    );
    let by_two = DataLoader::iterable_with_workers(Faulty, 2).drop_last(true);
    let from_second = "of the stream of worker 1 could not be read";
    assert_eq!(
        by_two.epoch(0).unwrap().map(outcome).take(9).collect::<Vec<_>>(),
        [
            "0".to_owned(),
            "1".to_owned(),
            "2".to_owned(),
            format!("sample 1 {from_second}: the line is cut off"),
            "4".to_owned(),
            "5".to_owned(),
            "6".to_owned(),
            format!("sample 3 {from_second}: the line is gone"),
            "8".to_owned(),
        ]
    );
}

#[test]
fn stream_that_panics_in_iter_is_an_error() {
    // `iter` asserts that there are more workers
    let loader = DataLoader::iterable(Shares(Vec::new()));
    let outcome: Vec<String> = loader.epoch(0).unwrap().map(outcome).collect();
    assert_eq!(outcome.len(), 1);
    assert!(outcome[0].starts_with("batch 0 could not be read: assertion"), "{outcome:?}");
}

#[test]
fn streams_reject_options_about_order() {
    let refused = |loader: DataLoader<Tensor>| message(loader.epoch(0).err().unwrap());
    let stream = || DataLoader::iterable(Numbers { len: 3 });
    let sentence = |option| {
        format!(
            "a DataLoader of an iterable dataset cannot have a `{option}`, as its samples have no index; remove it, and \
             order the samples in the dataset"
        )
    };
    assert_eq!(refused(stream().shuffle(true)), sentence("shuffle"));
    assert_eq!(refused(stream().sampler(RandomSampler::new(3))), sentence("sampler"));
    assert_eq!(refused(stream().batch_size(0)), "the batch_size of a DataLoader must be at least 1, but it is 0");
    let untouched = stream().map_sampler(|sampler| DistributedSampler::new(sampler, 0, 2)).unwrap();
    assert_eq!(read(untouched.epoch(0).unwrap()), [[0], [1], [2]]);
}

#[test]
fn streams_can_be_chained_and_collated_by_a_function() {
    let sums = Numbers { len: 4 }.collate_with(|numbers: Vec<i64>| Ok(numbers.iter().sum::<i64>()));
    let loader: DataLoader<i64> = DataLoader::iterable_with_workers(sums, 2).batch_size(2);
    assert_eq!(loader.epoch(0).unwrap().map(Result::unwrap).collect::<Vec<_>>(), [2, 4]);

    let chain = ChainDataset::new(vec![Numbers { len: 2 }, Numbers { len: 3 }]);
    assert_eq!(read(DataLoader::iterable(Arc::new(chain)).batch_size(5).epoch(0).unwrap()), [[0, 1, 0, 1, 2]]);
}

/// Panics at 8 with a payload that no precaution helps against.
#[derive(Clone)]
struct Deadly;

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

impl IterableDataset for Deadly {
    type Sample = i64;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<i64>> {
        worker.share(0..).map(|number| if number == 8 { panic_any(Bomb { inside: 2 }) } else { Ok(number) })
    }
}

#[test]
fn worker_death_is_not_mistaken_for_the_end_of_a_stream() {
    let loader = || DataLoader::iterable_with_workers(Deadly, 2).batch_size(2);
    let died = "worker 0 of a DataLoader died before it had read its batch";
    assert_eq!(loader().epoch(0).unwrap().map(outcome).collect::<Vec<_>>(), ["0", "1", "4", "5", died]);
    // also if that batch would have been skipped
    assert_eq!(loader().epoch(0).unwrap().skip_to(7).map(outcome).collect::<Vec<_>>(), [died]);
    let combined = CombinedLoader::min_size((loader(), DataLoader::new(vec![0_i64; 20])));
    let skipped: Vec<_> = combined.epoch(0).unwrap().skip_to(7).map(|batch| message(batch.unwrap_err())).collect();
    assert_eq!(skipped, [format!("loader 0 of a combined loader failed: {died}")]);
}

/// An endless stream that records the samples requested.
#[derive(Clone)]
struct Endless {
    asked_for: Arc<Mutex<Vec<i64>>>,
}

impl IterableDataset for Endless {
    type Sample = i64;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<i64>> {
        worker.share(0..).map(|number| {
            self.asked_for.lock().unwrap().push(number);
            Ok(number)
        })
    }
}

#[test]
fn endless_streams_are_read_no_further_than_needed() {
    let asked_for = Arc::default();
    let stream = Endless { asked_for: Arc::clone(&asked_for) };
    let loader = DataLoader::iterable_with_workers(stream, 3).batch_size(2).prefetch_factor(1);
    let firsts: Vec<i64> = loader.epoch(0).unwrap().take(4).map(|batch| batch.unwrap().int64_value(&[0])).collect();
    assert_eq!(firsts, [0, 1, 2, 6]);
    drop(loader);
    // two batches of the first worker, one of each other worker, and one ahead for each
    let most = *asked_for.lock().unwrap().iter().max().unwrap();
    assert!(most <= 3 * 2 * 3, "{most}");
}
