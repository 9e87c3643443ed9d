//! Tests of batches, their order, and the errors of loaders.

use tch::Tensor;
use tch_lightning::data::{BatchSampler, DataError, DataLoader, Dataset, Sampler, SequentialSampler};

use crate::{message, outcome, read};

fn loader(len: i64) -> DataLoader<Tensor> {
    DataLoader::new((0..len).collect::<Vec<_>>())
}

#[test]
fn loader_yields_single_samples_in_order_by_default() {
    let loader = loader(3);
    assert_eq!((loader.num_batches(), loader.dataset_len()), (Some(3), Some(3)));
    assert_eq!(read(loader.epoch(0).unwrap()), [[0], [1], [2]]);
}

#[test]
fn last_batch_is_shorter_or_dropped() {
    let kept = loader(5).batch_size(2);
    assert_eq!(kept.num_batches(), Some(3));
    assert_eq!(read(kept.epoch(0).unwrap()), [vec![0, 1], vec![2, 3], vec![4]]);
    let dropped = loader(5).batch_size(2).drop_last(true);
    assert_eq!(dropped.num_batches(), Some(2));
    assert_eq!(read(dropped.epoch(0).unwrap()), [[0, 1], [2, 3]]);
    let larger = loader(5).batch_size(usize::MAX);
    assert_eq!(read(larger.epoch(0).unwrap()), [[0, 1, 2, 3, 4]]);
}

#[test]
fn order_depends_on_the_seed_and_the_epoch() {
    let order = |seed, epoch| read(loader(64).batch_size(7).shuffle(true).seed(seed).epoch(epoch).unwrap()).concat();
    assert_eq!(order(0, 3), order(0, 3));
    assert_ne!(order(0, 3), order(0, 4));
    assert_ne!(order(0, 3), order(1, 3));
    let mut dealt = order(0, 3);
    dealt.sort_unstable();
    assert_eq!(dealt, (0..64).collect::<Vec<_>>());
}

#[test]
fn order_does_not_depend_on_the_batch_size() {
    let shuffled = |batch_size| loader(20).batch_size(batch_size).shuffle(true).drop_last(true);
    let whole = read(shuffled(20).epoch(1).unwrap()).concat();
    let cut = read(shuffled(6).epoch(1).unwrap()).concat();
    assert_eq!(cut, whole[..18]);
}

#[test]
fn skip_to_continues_with_the_same_batches() {
    let loader = loader(10).batch_size(3).shuffle(true);
    let all = read(loader.epoch(2).unwrap());
    let resumed = loader.epoch(2).unwrap().skip_to(2);
    assert_eq!(resumed.size_hint().1, Some(2));
    assert_eq!(read(resumed), all[2..]);
    let mut past = loader.epoch(2).unwrap().skip_to(99);
    assert_eq!(past.size_hint(), (0, Some(0)));
    assert!(past.next().is_none());
}

#[test]
fn indices_of_a_batch_are_those_of_its_samples() {
    let loader = loader(5).batch_size(2).shuffle(true);
    let batches = loader.epoch(0).unwrap();
    let known = [0, 1, 2, 3].map(|batch_idx| batches.indices(batch_idx).to_vec());
    let dealt = read(batches);
    assert_eq!(known[..3].concat(), dealt.concat().iter().map(|&i| i as usize).collect::<Vec<_>>());
    assert!(known[3].is_empty());
}

#[test]
fn loader_without_batches_is_rejected_when_the_epoch_starts() {
    let message = |loader: DataLoader<Tensor>| loader.epoch(0).err().unwrap().to_string();
    assert_eq!(message(loader(5).batch_size(0)), "the batch_size of a DataLoader must be at least 1, but it is 0");
    assert_eq!(message(loader(0)), "the dataset of a DataLoader must have at least one sample, but it is empty");
    assert_eq!(
        message(loader(5).batch_size(8).drop_last(true)),
        "a DataLoader must have at least one batch, but drop_last(true) drops the only one: 5 samples do not fill a \
         batch_size of 8"
    );
    assert_eq!(loader(5).batch_size(0).num_batches(), Some(0));
}

/// Returns an error that names the sample, returns another error, panics.
struct Faulty;

impl Dataset for Faulty {
    type Sample = i64;

    fn len(&self) -> usize {
        5
    }

    fn get_item(&self, index: usize) -> anyhow::Result<i64> {
        Ok(index as i64)
    }

    fn get_items(&self, indices: &[usize]) -> anyhow::Result<Tensor> {
        match indices[0] {
            index @ 1 => Err(DataError::Sample { index, source: anyhow::anyhow!("the file is cut short") })?,
            2 => anyhow::bail!("the archive is cut short"),
            3 => panic!("the archive is gone"),
            index => Ok(Tensor::from_slice(&[index as i64])),
        }
    }
}

#[test]
fn batch_error_names_the_batch_and_the_epoch_continues() {
    assert_eq!(
        DataLoader::new(Faulty).epoch(0).unwrap().map(outcome).collect::<Vec<_>>(),
        [
            "0",
            "sample 1 of the dataset could not be read: the file is cut short",
            "batch 2 could not be read: the archive is cut short",
            "batch 3 could not be read: the archive is gone",
            "4",
        ]
    );
}

/// Runs are resumed in this order: it must never change. See the tests in `order.rs` for its origin.
#[test]
fn order_of_a_shuffled_epoch_is_fixed() {
    let shuffled = loader(12).batch_size(12).shuffle(true).seed(42);
    assert_eq!(read(shuffled.epoch(3).unwrap()), [[10, 2, 8, 3, 9, 0, 5, 1, 11, 7, 6, 4]]);
}

#[test]
fn skip_to_goes_backwards() {
    let loader = loader(4);
    let mut batches = loader.epoch(0).unwrap().skip_to(3);
    assert_eq!(outcome(batches.next().unwrap()), "3");
    assert_eq!(read(batches.skip_to(1)), [[1], [2], [3]]);
}

/// A sampler whose `len` differs from the number of its indices.
struct WrongLen {
    len: usize,
    indices: Vec<usize>,
}

impl Sampler for WrongLen {
    fn len(&self) -> usize {
        self.len
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        self.indices.clone()
    }
}

impl BatchSampler for WrongLen {
    fn len(&self) -> usize {
        self.len
    }

    fn batches(&self, _: u64) -> Vec<Vec<usize>> {
        self.indices.iter().map(|&index| vec![index; 2]).collect()
    }
}

struct Panics;

impl Sampler for Panics {
    fn len(&self) -> usize {
        1
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        panic!("no order today")
    }
}

#[test]
fn samplers_are_checked_when_the_epoch_starts() {
    let refused = |loader: DataLoader<Tensor>| message(loader.epoch(0).err().unwrap());
    let sampler = |len, indices: &[usize]| WrongLen { len, indices: indices.to_vec() };
    assert_eq!(
        refused(loader(5).sampler(sampler(2, &[1, 5]))),
        "the sampler of a DataLoader returned index 5, which is out of range for a dataset of 5 samples"
    );
    assert_eq!(
        refused(loader(5).sampler(sampler(2, &[1]))),
        "the sampler of a DataLoader must return as many indices as its `len`, 2, but it returned 1"
    );
    assert_eq!(
        refused(loader(5).batch_sampler(sampler(1, &[1, 2]))),
        "the sampler of a DataLoader must return as many batches as its `len`, 1, but it returned 2"
    );
    assert_eq!(
        refused(loader(5).sampler(sampler(0, &[]))),
        "the sampler of a DataLoader must have at least one sample, but it has none"
    );
    assert_eq!(
        refused(loader(5).sampler(Panics)),
        "the sampler of a DataLoader failed to produce the order of epoch 0: no order today"
    );
}

#[test]
fn options_that_exclude_each_other_are_rejected() {
    let refused = |loader: DataLoader<Tensor>| loader.epoch(0).err().unwrap().to_string();
    let both = |one, other| format!("a DataLoader cannot have both `{one}` and `{other}`; remove one of them");
    let sampler = || SequentialSampler::new(5);
    let batches = || WrongLen { len: 1, indices: vec![1] };
    assert_eq!(refused(loader(5).sampler(sampler()).shuffle(true)), both("sampler", "shuffle"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).shuffle(true)), both("batch_sampler", "shuffle"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).sampler(sampler())), both("batch_sampler", "sampler"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).batch_size(2)), both("batch_sampler", "batch_size"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).drop_last(true)), both("batch_sampler", "drop_last"));
    assert_eq!(
        refused(loader(5).prefetch_factor(0)),
        "the prefetch_factor of a DataLoader must be at least 1, but it is 0"
    );
}

#[test]
fn batch_sampler_determines_each_batch() {
    let by_two = DataLoader::with_workers((0..6).collect::<Vec<i64>>(), 2);
    let loader = by_two.batch_sampler(WrongLen { len: 3, indices: vec![4, 0, 5] });
    assert_eq!(loader.num_batches(), Some(3));
    let batches = loader.epoch(0).unwrap();
    assert_eq!(batches.indices(1), [0, 0]);
    assert_eq!(read(batches.skip_to(1)), [[0, 0], [5, 5]]);
}

/// A sample without `Collate`.
struct Opaque(i64);

struct Opaques;

impl Dataset for Opaques {
    type Sample = Opaque;

    fn len(&self) -> usize {
        5
    }

    fn get_item(&self, index: usize) -> anyhow::Result<Opaque> {
        anyhow::ensure!(index != 3, "sample 3 is torn");
        Ok(Opaque(index as i64))
    }
}

#[test]
fn collate_with_joins_samples_by_a_function() {
    let joined = Opaques.collate_with(|samples: Vec<Opaque>| {
        let numbers: Vec<i64> = samples.iter().map(|sample| sample.0).collect();
        anyhow::ensure!(numbers != [4], "a batch of four alone");
        Ok((numbers, "and a text".to_owned()))
    });
    let loader: DataLoader<(Vec<i64>, String)> = DataLoader::new(joined).batch_size(2);
    let batches: Vec<_> = loader.epoch(0).unwrap().collect();
    let [first, second, third] = <[_; 3]>::try_from(batches).unwrap();
    assert_eq!(first.unwrap(), (vec![0, 1], "and a text".to_owned()));
    assert_eq!(message(second.unwrap_err()), "sample 3 of the dataset could not be read: sample 3 is torn");
    assert_eq!(message(third.unwrap_err()), "batch 2 could not be read: a batch of four alone");
}
