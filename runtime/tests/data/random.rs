//! Tests of the random numbers of datasets, collate functions and samplers.

use std::collections::BTreeSet;

use tch::{Device, Kind, Tensor};
use tch_lightning::data::{
    Collate, CombinedLoader, ConcatDataset, DataLoader, Dataset, IterableDataset, RandomSampler, Sampler, Subset,
    WorkerInfo, random_seed,
};

use crate::numbers;

const WORKERS: [usize; 4] = [0, 1, 2, 3];

fn drawn() -> i64 {
    Tensor::randint(1 << 40, [1], (Kind::Int64, Device::Cpu)).int64_value(&[0])
}

/// Samples that draw random numbers when they are read: from libtorch, and from a generator seeded by it.
#[derive(Clone)]
struct Noise {
    len: usize,
}

impl Dataset for Noise {
    type Sample = Vec<i64>;

    fn len(&self) -> usize {
        self.len
    }

    fn get_item(&self, index: usize) -> anyhow::Result<Vec<i64>> {
        let sum = Tensor::randn([100], (Kind::Double, Device::Cpu)).sum(Kind::Double).double_value(&[]);
        Ok(vec![index as i64, sum.to_bits() as i64, random_seed() as i64])
    }
}

/// The columns of the batches: the first numbers of all samples, the second ones, and so on.
fn read(loader: &DataLoader<Tensor>, epoch: u64, first: usize) -> Vec<Vec<Vec<i64>>> {
    let batches = loader.epoch(epoch).unwrap().skip_to(first);
    batches.map(|batch| batch.unwrap().unbind(1).into_iter().map(numbers).collect()).collect()
}

/// Asserts that the loaders of `loader` draw the same numbers for each number of workers and in a resumed epoch, and different
/// numbers for each epoch, seed and sample.
fn assert_reproducible(loader: impl Fn(usize) -> DataLoader<Tensor>) {
    let of = |workers, seed, epoch, first| read(&loader(workers).seed(seed), epoch, first);
    let expected = of(0, 5, 2, 0);
    for workers in WORKERS {
        assert_eq!(of(workers, 5, 2, 0), expected, "with {workers} workers");
        assert_eq!(of(workers, 5, 2, 2), expected[2..], "with {workers} workers, from the third batch on");
    }
    let drawn =
        |batches: Vec<Vec<Vec<i64>>>| -> Vec<i64> { batches.iter().flat_map(|batch| batch[1].clone()).collect() };
    let all = [drawn(expected), drawn(of(3, 5, 3, 0)), drawn(of(3, 6, 2, 0))].concat();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "no two samples have the same numbers");
}

#[test]
fn random_numbers_do_not_depend_on_the_number_of_workers() {
    let loader = |workers| DataLoader::with_workers(Noise { len: 23 }, workers).batch_size(4);
    assert_reproducible(loader);
    assert_reproducible(|workers| loader(workers).shuffle(true));
    assert_reproducible(|workers| loader(workers).sampler(RandomSampler::new(23).replacement(true)));
}

#[test]
fn random_numbers_of_subsets_are_those_of_datasets() {
    let subset = || Subset::new(Noise { len: 30 }, (3..20).collect()).unwrap();
    assert_reproducible(|workers| DataLoader::with_workers(subset(), workers).batch_size(3));
    let both = || ConcatDataset::new(vec![Noise { len: 9 }, Noise { len: 8 }]);
    assert_reproducible(|workers| DataLoader::with_workers(both(), workers).batch_size(3).shuffle(true));
}

/// Reads several batches at once, whose number depends on the number of workers; one of them may fail the first time.
#[derive(Clone)]
struct AtOnce(Noise);

impl Dataset for AtOnce {
    type Sample = Vec<i64>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get_item(&self, index: usize) -> anyhow::Result<Vec<i64>> {
        self.0.get_item(index)
    }

    fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<<Vec<i64> as Collate>::Batch>> {
        anyhow::ensure!(batches.len() == 1 || !batches.concat().contains(&4), "not together");
        batches.iter().map(|indices| self.get_items(indices)).collect()
    }

    fn samples_at_once(&self) -> usize {
        7
    }
}

#[test]
fn random_numbers_do_not_depend_on_reading_batches_at_once() {
    assert_reproducible(|workers| DataLoader::with_workers(AtOnce(Noise { len: 20 }), workers).batch_size(2));
}

/// Samples made of two others, which are read in one call.
#[derive(Clone)]
struct Pairs(AtOnce);

impl Dataset for Pairs {
    type Sample = Vec<i64>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get_item(&self, index: usize) -> anyhow::Result<Vec<i64>> {
        let both = self.0.get_items(&[index, (index + 1) % self.len()])?;
        Ok(numbers(both.sum_dim_intlist(0, false, Kind::Int64)))
    }

    fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<<Vec<i64> as Collate>::Batch>> {
        batches.iter().map(|indices| self.get_items(indices)).collect()
    }

    fn samples_at_once(&self) -> usize {
        7
    }
}

#[test]
fn random_numbers_of_samples_that_read_other_samples() {
    assert_reproducible(|workers| DataLoader::with_workers(Pairs(AtOnce(Noise { len: 20 })), workers).batch_size(2));
}

/// A dataset that uses a loader of its own does not affect the loader that reads it.
#[test]
fn random_numbers_of_a_nested_loader_are_independent() {
    #[derive(Clone)]
    struct Nested;

    impl Dataset for Nested {
        type Sample = Vec<i64>;

        fn len(&self) -> usize {
            11
        }

        fn get_item(&self, index: usize) -> anyhow::Result<Vec<i64>> {
            let before = drawn();
            let inner = read(&DataLoader::new(Noise { len: 3 }).batch_size(3), index as u64, 0);
            Ok(vec![before, inner[0][1][0].wrapping_add(drawn())])
        }
    }
    assert_reproducible(|workers| DataLoader::with_workers(Nested, workers).batch_size(2));
}

#[test]
fn random_numbers_of_collate_functions_are_reproducible() {
    let joined = |samples: Vec<Vec<i64>>| {
        Ok(Tensor::from_slice(&[&[samples[0][0], drawn()], &samples[0][1..]].concat()).view([1, -1]))
    };
    assert_reproducible(|workers| {
        DataLoader::with_workers(Noise { len: 23 }.collate_with(joined), workers).batch_size(4)
    });
}

/// Numbers with noise, which is drawn after the samples are shared among the workers.
#[derive(Clone)]
struct Stream {
    len: i64,
}

impl IterableDataset for Stream {
    type Sample = Vec<i64>;

    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<Vec<i64>>> {
        // the same numbers in every worker, so that they share one order
        let order = numbers(Tensor::randperm(self.len, (Kind::Int64, Device::Cpu)));
        worker.share(order).map(move |number| Ok(vec![number, drawn(), epoch as i64]))
    }
}

#[test]
fn random_numbers_of_streams_do_not_depend_on_the_number_of_workers() {
    let sorted = |workers, seed, epoch| {
        let loader = DataLoader::iterable_with_workers(Stream { len: 20 }, workers).batch_size(1).seed(seed);
        let mut samples = read(&loader, epoch, 0);
        assert_eq!(read(&loader, epoch, 5), samples[5..], "resumed");
        samples.sort();
        samples
    };
    let expected = sorted(0, 5, 2);
    assert_eq!(expected.iter().map(|sample| sample[0][0]).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    for workers in WORKERS {
        assert_eq!(sorted(workers, 5, 2), expected);
    }
    assert_ne!(sorted(2, 5, 3), expected);
    assert_ne!(sorted(2, 6, 2), expected);
}

/// A sampler that shuffles by tch.
struct Shuffled(i64);

impl Sampler for Shuffled {
    fn len(&self) -> usize {
        self.0 as usize
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        numbers(Tensor::randperm(self.0, (Kind::Int64, Device::Cpu))).into_iter().map(|index| index as usize).collect()
    }
}

#[test]
fn random_numbers_of_samplers_are_the_same_for_an_epoch() {
    let loader = DataLoader::new((0..50_i64).collect::<Vec<_>>()).batch_size(50).sampler(Shuffled(50)).seed(3);
    let order = |epoch| crate::read(loader.epoch(epoch).unwrap()).concat();
    assert_eq!(order(4), order(4));
    assert_ne!(order(4), order(5));
}

/// With the same order, two loaders over one dataset would pair each sample with itself.
#[test]
fn combined_loaders_shuffle_independently() {
    let part = || DataLoader::new((0..64_i64).collect::<Vec<_>>()).batch_size(64).shuffle(true);
    let both = CombinedLoader::max_size_cycle((part(), part()));
    let orders = |epoch| {
        let (one, other) = both.epoch(epoch).unwrap().next().unwrap().unwrap();
        (numbers(one), numbers(other))
    };
    let (one, other) = orders(0);
    assert_ne!(one, other);
    assert_eq!(orders(0), (one.clone(), other));
    assert_ne!(orders(1).0, one);
    let one_after_the_other = CombinedLoader::sequential(vec![part(), part()]);
    let orders = crate::read(one_after_the_other.epoch(0).unwrap());
    assert_ne!(orders[0], orders[1]);
}
