//! Batches, their order and what is wrong with a loader.

use tch::Tensor;
use tch_lightning::data::{BatchSampler, DataError, DataLoader, Dataset, Sampler, SequentialSampler};

use crate::{read, said, told};

fn loader(len: i64) -> DataLoader<Tensor> {
    DataLoader::new((0..len).collect::<Vec<_>>())
}

#[test]
fn a_loader_deals_single_samples_in_order_by_default() {
    let loader = loader(3);
    assert_eq!((loader.num_batches(), loader.dataset_len()), (Some(3), Some(3)));
    assert_eq!(read(loader.epoch(0).unwrap()), [[0], [1], [2]]);
}

#[test]
fn the_last_batch_is_shorter_or_dropped() {
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
fn the_seed_and_the_epoch_decide_the_order() {
    let order = |seed, epoch| read(loader(64).batch_size(7).shuffle(true).seed(seed).epoch(epoch).unwrap()).concat();
    assert_eq!(order(0, 3), order(0, 3));
    assert_ne!(order(0, 3), order(0, 4));
    assert_ne!(order(0, 3), order(1, 3));
    let mut dealt = order(0, 3);
    dealt.sort_unstable();
    assert_eq!(dealt, (0..64).collect::<Vec<_>>());
}

#[test]
fn the_order_does_not_depend_on_how_it_is_cut() {
    let shuffled = |batch_size| loader(20).batch_size(batch_size).shuffle(true).drop_last(true);
    let whole = read(shuffled(20).epoch(1).unwrap()).concat();
    let cut = read(shuffled(6).epoch(1).unwrap()).concat();
    assert_eq!(cut, whole[..18]);
}

#[test]
fn a_resumed_epoch_goes_on_where_it_was() {
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
fn the_samples_of_a_batch_are_known() {
    let loader = loader(5).batch_size(2).shuffle(true);
    let batches = loader.epoch(0).unwrap();
    let known = [0, 1, 2, 3].map(|batch_idx| batches.indices(batch_idx).to_vec());
    let dealt = read(batches);
    assert_eq!(known[..3].concat(), dealt.concat().iter().map(|&i| i as usize).collect::<Vec<_>>());
    assert!(known[3].is_empty());
}

#[test]
fn a_loader_without_batches_is_refused_when_the_epoch_starts() {
    let said = |loader: DataLoader<Tensor>| loader.epoch(0).err().unwrap().to_string();
    assert_eq!(said(loader(5).batch_size(0)), "a DataLoader's batch_size is 0; it must be at least 1");
    assert_eq!(said(loader(0)), "a DataLoader's dataset is empty; it must have at least one sample");
    assert_eq!(
        said(loader(5).batch_size(8).drop_last(true)),
        "a DataLoader has no batch: drop_last(true) drops the incomplete one, and 5 samples do not \
         fill a batch_size of 8"
    );
    assert_eq!(loader(5).batch_size(0).num_batches(), Some(0));
}

/// Knows the sample that fails, knows only that a batch fails, panics.
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
fn a_faulty_batch_is_named_and_the_epoch_goes_on() {
    assert_eq!(
        DataLoader::new(Faulty).epoch(0).unwrap().map(told).collect::<Vec<_>>(),
        [
            "0",
            "sample 1 of the dataset could not be read: the file is cut short",
            "batch 2 could not be put together: the archive is cut short",
            "batch 3 could not be put together: the archive is gone",
            "4",
        ]
    );
}

/// Runs are resumed in this order: it must never change. Where it comes from stands at `permutation` in `order.rs`.
#[test]
fn the_order_of_a_shuffled_epoch_is_fixed() {
    let shuffled = loader(12).batch_size(12).shuffle(true).seed(42);
    assert_eq!(read(shuffled.epoch(3).unwrap()), [[10, 2, 8, 3, 9, 0, 5, 1, 11, 7, 6, 4]]);
}

#[test]
fn an_epoch_goes_back_too() {
    let loader = loader(4);
    let mut batches = loader.epoch(0).unwrap().skip_to(3);
    assert_eq!(told(batches.next().unwrap()), "3");
    assert_eq!(read(batches.skip_to(1)), [[1], [2], [3]]);
}

/// Says one length, gives another.
struct Liar {
    len: usize,
    gives: Vec<usize>,
}

impl Sampler for Liar {
    fn len(&self) -> usize {
        self.len
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        self.gives.clone()
    }
}

impl BatchSampler for Liar {
    fn len(&self) -> usize {
        self.len
    }

    fn batches(&self, _: u64) -> Vec<Vec<usize>> {
        self.gives.iter().map(|&index| vec![index; 2]).collect()
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
    let refused = |loader: DataLoader<Tensor>| said(loader.epoch(0).err().unwrap());
    let liar = |len, gives: &[usize]| Liar { len, gives: gives.to_vec() };
    assert_eq!(
        refused(loader(5).sampler(liar(2, &[1, 5]))),
        "the sampler of a DataLoader asks for sample 5 of a dataset of 5 samples"
    );
    assert_eq!(
        refused(loader(5).sampler(liar(2, &[1]))),
        "the sampler of a DataLoader gave 1 indices, but its `len` says 2; they must be equal"
    );
    assert_eq!(
        refused(loader(5).batch_sampler(liar(1, &[1, 2]))),
        "the sampler of a DataLoader gave 2 batches, but its `len` says 1; they must be equal"
    );
    assert_eq!(
        refused(loader(5).sampler(liar(0, &[]))),
        "the sampler of a DataLoader has no samples; it must have at least one"
    );
    assert_eq!(
        refused(loader(5).sampler(Panics)),
        "the sampler of a DataLoader failed to produce the order of epoch 0: no order today"
    );
}

#[test]
fn two_options_for_one_thing_are_refused() {
    let refused = |loader: DataLoader<Tensor>| loader.epoch(0).err().unwrap().to_string();
    let both = |one, other| {
        format!("a DataLoader has both a `{one}` and a `{other}`, which decide the same; leave one of them out")
    };
    let sampler = || SequentialSampler::new(5);
    let batches = || Liar { len: 1, gives: vec![1] };
    assert_eq!(refused(loader(5).sampler(sampler()).shuffle(true)), both("sampler", "shuffle"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).shuffle(true)), both("batch_sampler", "shuffle"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).sampler(sampler())), both("batch_sampler", "sampler"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).batch_size(2)), both("batch_sampler", "batch_size"));
    assert_eq!(refused(loader(5).batch_sampler(batches()).drop_last(true)), both("batch_sampler", "drop_last"));
    assert_eq!(refused(loader(5).prefetch_factor(0)), "a DataLoader's prefetch_factor is 0; it must be at least 1");
}

#[test]
fn a_batch_sampler_decides_each_batch() {
    let by_two = DataLoader::with_workers((0..6).collect::<Vec<i64>>(), 2);
    let loader = by_two.batch_sampler(Liar { len: 3, gives: vec![4, 0, 5] });
    assert_eq!(loader.num_batches(), Some(3));
    let batches = loader.epoch(0).unwrap();
    assert_eq!(batches.indices(1), [0, 0]);
    assert_eq!(read(batches.skip_to(1)), [[0, 0], [5, 5]]);
}

/// A sample that no rule joins.
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
fn samples_are_joined_by_a_function() {
    let joined = Opaques.collate_with(|samples: Vec<Opaque>| {
        let numbers: Vec<i64> = samples.iter().map(|sample| sample.0).collect();
        anyhow::ensure!(numbers != [4], "a batch of four alone");
        Ok((numbers, "and a text".to_owned()))
    });
    let loader: DataLoader<(Vec<i64>, String)> = DataLoader::new(joined).batch_size(2);
    let batches: Vec<_> = loader.epoch(0).unwrap().collect();
    let [first, second, third] = <[_; 3]>::try_from(batches).unwrap();
    assert_eq!(first.unwrap(), (vec![0, 1], "and a text".to_owned()));
    assert_eq!(said(second.unwrap_err()), "sample 3 of the dataset could not be read: sample 3 is torn");
    assert_eq!(said(third.unwrap_err()), "batch 2 could not be put together: a batch of four alone");
}
