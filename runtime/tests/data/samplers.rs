//! Tests of samplers, against PyTorch's rules and probabilities.

use std::collections::BTreeMap;

use tch_lightning::data::{
    DataLoader, DistributedSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler,
    WeightedRandomSampler,
};

use crate::read;

fn counts(indices: impl IntoIterator<Item = usize>) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for index in indices {
        *counts.entry(index).or_default() += 1;
    }
    counts
}

/// χ² of draws against probabilities; asserts that nothing with a probability of 0 was drawn.
fn chi_squared(drawn: &BTreeMap<usize, usize>, probabilities: &[f64]) -> f64 {
    let draws: usize = drawn.values().sum();
    assert!(drawn.keys().all(|&index| probabilities[index] > 0.0), "{drawn:?}");
    let possible = probabilities.iter().enumerate().filter(|(_, chance)| **chance > 0.0);
    let terms = possible.map(|(index, chance)| {
        let expected = chance * draws as f64;
        (drawn.get(&index).copied().unwrap_or(0) as f64 - expected).powi(2) / expected
    });
    terms.sum()
}

#[test]
fn shuffle_is_a_random_sampler() {
    let samples: Vec<i64> = (0..50).collect();
    let shuffled = DataLoader::new(samples.clone()).batch_size(7).shuffle(true).seed(9);
    let sampled = DataLoader::new(samples).batch_size(7).sampler(RandomSampler::new(50).seed(9));
    assert_eq!(read(shuffled.epoch(4).unwrap()), read(sampled.epoch(4).unwrap()));
    assert_eq!(SequentialSampler::new(3).indices(7), [0, 1, 2]);
}

/// Computed by `orders.py` in this folder. Runs are resumed in these orders: they must never change.
#[test]
fn sampler_orders_are_fixed() {
    let random = RandomSampler::new(100).replacement(true).num_samples(8).seed(7);
    assert_eq!(random.indices(2), [30, 37, 24, 31, 68, 32, 14, 89]);
    let more = RandomSampler::new(5).num_samples(12).seed(7);
    assert_eq!(more.indices(2), [3, 2, 0, 4, 1, 2, 4, 0, 1, 3, 3, 4]);
    assert_eq!(SubsetRandomSampler::new(vec![30, 10, 20, 50]).seed(7).indices(2), [20, 30, 50, 10]);
    let weighted = |count| WeightedRandomSampler::new(vec![0.9, 0.4, 0.05, 0.2, 0.3, 0.1], count).unwrap().seed(7);
    assert_eq!(weighted(12).indices(2), [0, 0, 0, 0, 2, 0, 0, 4, 0, 0, 1, 1]);
    assert_eq!(weighted(6).replacement(false).unwrap().indices(2), [0, 1, 3, 4, 5, 2]);
}

/// PyTorch repeats whole permutations, and then the beginning of one more.
#[test]
fn random_sampler_of_more_samples_repeats_complete_permutations() {
    let sampler = RandomSampler::new(10).num_samples(25);
    let indices = sampler.indices(1);
    assert_eq!((sampler.len(), indices.len()), (25, 25));
    let mut rounds = indices.chunks(10);
    for round in [rounds.next().unwrap(), rounds.next().unwrap()] {
        assert_eq!(counts(round.iter().copied()).len(), 10);
    }
    assert_eq!(counts(rounds.next().unwrap().iter().copied()).len(), 5);
    assert_ne!(indices[..10], indices[10..20]);
    assert_eq!(RandomSampler::new(10).num_samples(4).indices(1), indices[..4]);
}

/// 100 samples, 20,000 draws, 99 degrees of freedom: χ² below the 99.9 % quantile of 148.2.
#[test]
fn random_sampler_with_replacement_draws_uniformly() {
    let sampler = RandomSampler::new(100).replacement(true).num_samples(20_000).seed(3);
    let found = chi_squared(&counts(sampler.indices(0)), &[0.01; 100]);
    assert!(found < 148.2, "{found}");
    assert!(RandomSampler::new(0).replacement(true).num_samples(5).indices(0).is_empty());
}

#[test]
fn subset_random_sampler_draws_each_index_once() {
    let chosen = vec![7, 2, 9, 4, 4];
    let sampler = SubsetRandomSampler::new(chosen.clone()).seed(1);
    assert_eq!(counts(sampler.indices(0)), counts(chosen));
    assert_ne!(sampler.indices(0), sampler.indices(1));
}

const WEIGHTS: [f64; 6] = [0.9, 0.0, 0.05, 0.2, 0.3, 0.0];

fn shares(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// 3 degrees of freedom: χ² below the 99.9 % quantile of 16.27.
#[test]
fn weighted_sampler_draws_in_proportion_to_the_weights() {
    let sampler = WeightedRandomSampler::new(WEIGHTS.to_vec(), 20_000).unwrap().seed(5);
    assert_eq!(sampler.len(), 20_000);
    let found = chi_squared(&counts(sampler.indices(2)), &shares(&WEIGHTS));
    assert!(found < 16.27, "{found}");
}

/// The probability of `j` in the second draw, after the first was removed, is the sum of `p_i · p_j / (1 - p_i)` over all
/// other `i`. 3 degrees of freedom each: χ² below the 99.9 % quantile of 16.27.
#[test]
fn weighted_sampler_without_replacement_excludes_earlier_draws() {
    let sampler = WeightedRandomSampler::new(WEIGHTS.to_vec(), 4).unwrap().replacement(false).unwrap();
    let epochs: Vec<Vec<usize>> = (0..10_000).map(|epoch| sampler.indices(epoch)).collect();
    for epoch in &epochs {
        assert_eq!(counts(epoch.iter().copied()).into_iter().collect::<Vec<_>>(), [(0, 1), (2, 1), (3, 1), (4, 1)]);
    }
    let first = shares(&WEIGHTS);
    let others = |j: usize| (0..6).filter(move |&i| i != j);
    let second: Vec<f64> = (0..6).map(|j| others(j).map(|i| first[i] * first[j] / (1.0 - first[i])).sum()).collect();
    for (draw, probabilities) in [(0, first), (1, second)] {
        let found = chi_squared(&counts(epochs.iter().map(|epoch| epoch[draw])), &probabilities);
        assert!(found < 16.27, "draw {draw}: {found}");
    }
}

#[test]
fn weighted_sampler_rejects_invalid_weights() {
    let refused = |weights: &[f64]| WeightedRandomSampler::new(weights.to_vec(), 1).unwrap_err().to_string();
    assert_eq!(
        refused(&[1.0, -0.5]),
        "the weights of a WeightedRandomSampler must be finite and at least 0, but weight 1 is -0.5"
    );
    assert!(refused(&[f64::NAN]).contains("NaN"));
    assert!(refused(&[f64::INFINITY]).contains("inf"));
    let no_sum = "the weights of a WeightedRandomSampler must have a finite sum above 0, but it is 0";
    assert_eq!([refused(&[0.0, 0.0]), refused(&[])], [no_sum; 2]);
    assert!(refused(&[f64::MAX, f64::MAX]).contains("inf"));
    let three = WeightedRandomSampler::new(vec![1.0, 0.0, 2.0], 3).unwrap();
    assert_eq!(
        three.replacement(false).unwrap_err().to_string(),
        "a WeightedRandomSampler without replacement cannot draw 3 samples, as only 2 have a weight above 0"
    );
}

fn distributed(len: usize, world_size: usize, drop_last: bool) -> Vec<Vec<usize>> {
    let share = |rank| {
        let sampler =
            DistributedSampler::new(SequentialSampler::new(len), rank, world_size).unwrap().drop_last(drop_last);
        let indices = sampler.indices(0);
        assert_eq!(indices.len(), sampler.len());
        indices
    };
    (0..world_size).map(share).collect()
}

/// The expected indices are those of PyTorch 2.13's `DistributedSampler(range(len), world_size, rank, shuffle=False,
/// drop_last=…)`.
#[test]
fn distributed_sampler_agrees_with_pytorch() {
    assert_eq!(distributed(10, 4, false), [[0, 4, 8], [1, 5, 9], [2, 6, 0], [3, 7, 1]]);
    assert_eq!(distributed(10, 4, true), [[0, 4], [1, 5], [2, 6], [3, 7]]);
    assert_eq!(distributed(2, 5, false), [[0], [1], [0], [1], [0]]);
    assert_eq!(distributed(3, 8, false), [[0], [1], [2], [0], [1], [2], [0], [1]]);
    assert_eq!(distributed(12, 4, false), [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]);
    assert_eq!(distributed(7, 3, true), [[0, 3], [1, 4], [2, 5]]);
    assert_eq!(distributed(3, 5, true), [[0; 0]; 5]);
}

/// PyTorch's documented rule: the order is padded with itself to a multiple of the world size or cut to one, and rank `r`
/// takes every `world_size`th index, starting with the `r`th.
#[test]
fn distributed_sampler_gives_every_rank_the_same_number() {
    for len in 0..25_usize {
        for world_size in 1..9 {
            for drop_last in [false, true] {
                let all = match (len, drop_last) {
                    (0, _) => 0,
                    (len, true) => len - len % world_size,
                    (len, false) => len.next_multiple_of(world_size),
                };
                let order: Vec<usize> = (0..all).map(|place| place % len.max(1)).collect();
                for (rank, share) in distributed(len, world_size, drop_last).into_iter().enumerate() {
                    let expected: Vec<usize> = order.iter().copied().skip(rank).step_by(world_size).collect();
                    assert_eq!(share, expected, "{len} samples, rank {rank} of {world_size}");
                }
            }
        }
    }
}

#[test]
fn distributed_sampler_shares_the_order_of_another_sampler() {
    let whole = RandomSampler::new(9).seed(4).indices(6);
    let share = |rank| DistributedSampler::new(RandomSampler::new(9).seed(4), rank, 2).unwrap();
    assert_eq!(share(0).indices(6), [whole[0], whole[2], whole[4], whole[6], whole[8]]);
    assert_eq!(share(1).indices(6), [whole[1], whole[3], whole[5], whole[7], whole[0]]);
    let unrepeated = share(1).unrepeated();
    assert_eq!((unrepeated.len(), unrepeated.indices(6)), (4, vec![whole[1], whole[3], whole[5], whole[7]]));
    assert_eq!(share(0).unrepeated().len(), 5);
    assert_eq!(
        DistributedSampler::new(SequentialSampler::new(9), 2, 2).unwrap_err().to_string(),
        "the rank of a DistributedSampler must be less than its world_size, 2, but it is 2"
    );
}

#[test]
fn map_sampler_gives_each_rank_its_share() {
    let loader = || DataLoader::new((0..10_i64).collect::<Vec<_>>()).batch_size(2).shuffle(true).seed(8);
    let whole: Vec<i64> = read(loader().epoch(1).unwrap()).concat();
    let share = |rank| {
        let share = loader().map_sampler(|sampler| DistributedSampler::new(sampler, rank, 3)).unwrap();
        assert_eq!(share.num_batches(), Some(2));
        read(share.epoch(1).unwrap()).concat()
    };
    for rank in 0..3 {
        let expected: Vec<i64> = (0..4).map(|round| whole[(rank + 3 * round) % 10]).collect();
        assert_eq!(share(rank), expected);
    }
    assert!(loader().map_sampler(|sampler| DistributedSampler::new(sampler, 3, 3)).is_err());
}
