//! Tests of combined loaders, against the examples in Lightning's documentation of `CombinedLoader`.

use tch::Tensor;
use tch_lightning::data::{
    CombinedLoader, DataError, DataLoader, Dataset, DistributedSampler, IterableDataset, RandomSampler, Sampler,
    WorkerInfo,
};

use crate::{message, numbers};

fn range(len: i64, batch_size: usize) -> DataLoader<Tensor> {
    DataLoader::new((0..len).collect::<Vec<_>>()).batch_size(batch_size)
}

/// `{'a': DataLoader(range(6), batch_size=4), 'b': DataLoader(range(15), batch_size=5)}` of the documentation.
fn documented_loaders() -> (DataLoader<Tensor>, DataLoader<Tensor>) {
    (range(6, 4), range(15, 5))
}

fn pair((a, b): (Tensor, Tensor)) -> (Vec<i64>, Vec<i64>) {
    (numbers(a), numbers(b))
}

fn pairs(loader: &DataLoader<(Tensor, Tensor)>, epoch: u64) -> Vec<(Vec<i64>, Vec<i64>)> {
    loader.epoch(epoch).unwrap().map(|batch| pair(batch.unwrap())).collect()
}

#[test]
fn max_size_cycle_continues_until_the_longest_is_exhausted() {
    let loader = CombinedLoader::max_size_cycle(documented_loaders());
    assert_eq!((loader.num_batches(), loader.dataset_len()), (Some(3), None));
    assert_eq!(
        pairs(&loader, 0),
        [
            (vec![0, 1, 2, 3], vec![0, 1, 2, 3, 4]),
            (vec![4, 5], vec![5, 6, 7, 8, 9]),
            (vec![0, 1, 2, 3], vec![10, 11, 12, 13, 14]),
        ]
    );
}

#[test]
fn max_size_yields_none_for_exhausted_loaders() {
    let loader = CombinedLoader::max_size(documented_loaders());
    assert_eq!(loader.num_batches(), Some(3));
    let batches = loader.epoch(0).unwrap().map(|batch| {
        let (a, b) = batch.unwrap();
        (a.map(numbers), b.map(numbers))
    });
    assert_eq!(
        batches.collect::<Vec<_>>(),
        [
            (Some(vec![0, 1, 2, 3]), Some(vec![0, 1, 2, 3, 4])),
            (Some(vec![4, 5]), Some(vec![5, 6, 7, 8, 9])),
            (None, Some(vec![10, 11, 12, 13, 14])),
        ]
    );
}

#[test]
fn min_size_ends_with_the_shortest() {
    let loader = CombinedLoader::min_size(documented_loaders());
    assert_eq!(loader.num_batches(), Some(2));
    assert_eq!(pairs(&loader, 0), [(vec![0, 1, 2, 3], vec![0, 1, 2, 3, 4]), (vec![4, 5], vec![5, 6, 7, 8, 9])]);
}

#[test]
fn sequential_reads_one_loader_after_another() {
    let loader = CombinedLoader::sequential(vec![range(6, 4), range(15, 5)]);
    assert_eq!(loader.num_batches(), Some(5));
    let all = crate::read(loader.epoch(0).unwrap());
    assert_eq!(all, [vec![0, 1, 2, 3], vec![4, 5], vec![0, 1, 2, 3, 4], vec![5, 6, 7, 8, 9], vec![10, 11, 12, 13, 14]]);
    for skipped in 0..=6 {
        assert_eq!(crate::read(loader.epoch(0).unwrap().skip_to(skipped)), all[skipped.min(5)..]);
    }
}

#[test]
fn max_size_cycle_shuffles_again_when_a_loader_starts_over() {
    let short = || range(3, 1).shuffle(true).seed(1);
    let loader = CombinedLoader::max_size_cycle((short(), range(8, 1)));
    let first = |epoch| pairs(&loader, epoch).into_iter().flat_map(|(a, _)| a).collect::<Vec<i64>>();
    let order = |epoch| RandomSampler::new(3).seed(1).indices(epoch).into_iter().map(|index| index as i64);
    let expected = |epoch: u64| order(epoch).chain(order(epoch + (1 << 32))).chain(order(epoch + (2 << 32)).take(2));
    assert_eq!(first(0), expected(0).collect::<Vec<_>>());
    assert_eq!(first(5), expected(5).collect::<Vec<_>>());
}

#[test]
fn combined_epochs_resume_at_any_batch() {
    for cycled in [true, false] {
        for num_workers in [0, 2] {
            let part = |len: i64| DataLoader::with_workers((0..len).collect::<Vec<_>>(), num_workers).shuffle(true);
            let parts = (part(3), part(8));
            let loader = if cycled { CombinedLoader::max_size_cycle(parts) } else { CombinedLoader::min_size(parts) };
            let all = pairs(&loader, 2);
            assert_eq!(all.len(), if cycled { 8 } else { 3 });
            for skipped in 0..=9 {
                let rest = loader.epoch(2).unwrap().skip_to(skipped).map(|batch| pair(batch.unwrap()));
                assert_eq!(rest.collect::<Vec<_>>(), all[skipped.min(all.len())..]);
            }
            // backwards, after the loader has started over
            let mut batches = loader.epoch(2).unwrap();
            batches.by_ref().for_each(drop);
            assert_eq!(pair(batches.skip_to(1).next().unwrap().unwrap()), all[1]);
        }
    }
}

#[test]
fn combined_loaders_take_tuples_and_lists() {
    let three = CombinedLoader::max_size_cycle((range(1, 1), range(2, 1), DataLoader::new(vec![0.5_f32; 3])));
    let last = three.epoch(0).unwrap().nth(2).unwrap().unwrap();
    assert_eq!((numbers(last.0), numbers(last.1), last.2.double_value(&[0])), (vec![0], vec![0], 0.5));
    let list = CombinedLoader::max_size(vec![range(1, 1), range(2, 1), range(2, 1)]);
    let second: Vec<Option<Tensor>> = list.epoch(0).unwrap().nth(1).unwrap().unwrap();
    assert_eq!(
        second.into_iter().map(|batch| batch.map(numbers)).collect::<Vec<_>>(),
        [None, Some(vec![1]), Some(vec![1])]
    );
}

#[test]
fn combined_loaders_can_be_nested() {
    let inner = CombinedLoader::sequential(vec![range(2, 2), range(1, 1)]);
    let outer = CombinedLoader::min_size((CombinedLoader::max_size_cycle((inner, range(3, 1))), range(9, 1)));
    assert_eq!(outer.num_batches(), Some(3));
    let ((a, b), c) = outer.epoch(0).unwrap().nth(1).unwrap().unwrap();
    assert_eq!((numbers(a), numbers(b), numbers(c)), (vec![0], vec![1], vec![1]));
}

#[derive(Clone)]
struct Stream(i64);

impl IterableDataset for Stream {
    type Sample = i64;

    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<i64>> {
        let anew = (epoch >> 32) as i64;
        worker.share(0..self.0).map(move |number| Ok(number + 100 * anew))
    }
}

/// Lightning's rule: the epoch ends when each loader has been exhausted once.
#[test]
fn combined_streams_end_when_each_has_been_exhausted() {
    let cycle = CombinedLoader::max_size_cycle((DataLoader::iterable(Stream(2)), range(5, 1)));
    assert_eq!(cycle.num_batches(), None);
    let all = pairs(&cycle, 0);
    let firsts: Vec<i64> = all.iter().map(|(a, _)| a[0]).collect();
    assert_eq!(firsts, [0, 1, 100, 101, 200]);
    for skipped in 0..=6 {
        let rest = cycle.epoch(0).unwrap().skip_to(skipped).map(|batch| pair(batch.unwrap()));
        assert_eq!(rest.collect::<Vec<_>>(), all[skipped.min(5)..]);
    }
    let equal = CombinedLoader::max_size_cycle((DataLoader::iterable(Stream(3)), range(3, 1)));
    assert_eq!(pairs(&equal, 0).len(), 3);
    let shortest = CombinedLoader::min_size((range(5, 1), DataLoader::iterable_with_workers(Stream(2), 2)));
    assert_eq!(pairs(&shortest, 0), [(vec![0], vec![0]), (vec![1], vec![1])]);
    let sequential = CombinedLoader::sequential(vec![DataLoader::iterable(Stream(2)), range(3, 1)]);
    assert_eq!(sequential.num_batches(), None);
    let batches = |skipped| crate::read(sequential.epoch(0).unwrap().skip_to(skipped));
    assert_eq!(batches(0), [[0], [1], [0], [1], [2]]);
    assert_eq!(batches(3), [[1], [2]]);
}

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
fn combined_loader_errors_name_the_loader() {
    let loader = CombinedLoader::min_size((range(3, 1), DataLoader::new(Faulty)));
    let outcome =
        |batch: Result<(Tensor, Tensor), DataError>| batch.map_or_else(message, |batch| format!("{:?}", pair(batch)));
    assert_eq!(
        loader.epoch(0).unwrap().map(outcome).collect::<Vec<_>>(),
        [
            "([0], [0])",
            "loader 1 of a combined loader failed: sample 1 of the dataset could not be read: the file is cut short",
            "([2], [2])",
        ]
    );
    let empty = CombinedLoader::sequential(vec![range(3, 1), range(0, 1)]);
    assert_eq!(
        message(empty.epoch(0).err().unwrap()),
        "loader 1 of a combined loader failed: the dataset of a DataLoader must have at least one sample, but it is empty"
    );
}

#[test]
fn combined_loaders_reject_options() {
    let refused = |loader: DataLoader<(Tensor, Tensor)>| message(loader.epoch(0).err().unwrap());
    let sentence =
        |option| format!("a combined loader cannot have a `{option}`; set it on the loaders that it combines");
    let combined = || CombinedLoader::min_size(documented_loaders());
    assert_eq!(refused(combined().batch_size(2)), sentence("batch_size"));
    assert_eq!(refused(combined().shuffle(true)), sentence("shuffle"));
    assert_eq!(refused(combined().pin_memory(true)), sentence("pin_memory"));
    let none = CombinedLoader::max_size(Vec::<DataLoader<Tensor>>::new());
    assert_eq!(
        message(none.epoch(0).err().unwrap()),
        "a combined loader must have at least one loader, but it has none"
    );
}

#[test]
fn map_sampler_distributes_each_combined_loader() {
    let loader = CombinedLoader::max_size_cycle((range(4, 1), range(6, 1)));
    let second = loader.map_sampler(|sampler| DistributedSampler::new(sampler, 1, 2)).unwrap();
    assert_eq!(pairs(&second, 0), [(vec![1], vec![1]), (vec![3], vec![3]), (vec![1], vec![5])]);
}
