//! Random numbers for orders of samples, reproducible on every platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Returns a generator for one seed and one of its 2^64 independent streams, so that the order of epoch 1,000 does not
/// depend on those before it.
pub(super) fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}

/// Returns the numbers from 0 to `len` (exclusive) in an order that depends only on `seed` and `stream`.
pub(super) fn permutation(len: usize, seed: u64, stream: u64) -> Vec<usize> {
    shuffled(&mut generator(seed, stream), len)
}

/// Returns the numbers from 0 to `len` (exclusive), shuffled.
///
/// The shuffle (Fisher and Yates's, in Durstenfeld's form) is not `rand`'s, which may change with its version and its
/// features, and would then change the order of resumed runs.
pub(super) fn shuffled(generator: &mut ChaCha8Rng, len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last, below(generator, last + 1));
    }
    order
}

/// Returns a random number from 0 to `bound` (exclusive).
///
/// It uses multiplication instead of division (Lemire, "Fast Random Integer Generation in an Interval", 2019). The bias
/// is below bound / 2^64, small enough to do without rejection.
pub(super) fn below(generator: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u128::from(generator.next_u64()) * bound as u128) >> 64) as usize
}

/// Returns a random number from 0 to 1 (exclusive), with 53 bits.
pub(super) fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::permutation;

    /// Computed by a separate program from RFC 8439's ChaCha with 8 rounds (its 20 rounds checked against
    /// the RFC's first vector) and the seeding that `rand_core` documents. The orders must never change, as runs are
    /// resumed in them.
    #[test]
    fn orders_are_fixed() {
        assert_eq!(permutation(12, 0, 0), [2, 1, 11, 9, 10, 4, 3, 7, 0, 6, 5, 8]);
        assert_eq!(permutation(12, 0, 1), [6, 7, 4, 2, 0, 1, 11, 3, 10, 5, 8, 9]);
        assert_eq!(permutation(12, 42, 3), [10, 2, 8, 3, 9, 0, 5, 1, 11, 7, 6, 4]);
        assert_eq!(permutation(12, 42, u64::MAX), [1, 2, 0, 3, 9, 11, 7, 10, 8, 5, 6, 4]);
        assert_eq!(permutation(1000, 7, 5)[..6], [100, 239, 917, 172, 313, 886]);
    }

    #[test]
    fn permutations_contain_every_number_once() {
        for len in [0, 1, 2, 1000] {
            let mut order = permutation(len, 3, 5);
            order.sort_unstable();
            assert_eq!(order, (0..len).collect::<Vec<_>>());
        }
    }

    /// All 6 orders of 3 numbers are equally likely: 6,000 draws, 5 degrees of freedom, χ² below the 99.9 % quantile of
    /// 20.5.
    #[test]
    fn permutations_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for stream in 0..6000 {
            *counts.entry(permutation(3, 0, stream)).or_insert(0.0) += 1.0;
        }
        assert_eq!(counts.len(), 6);
        let chi_squared: f64 = counts.values().map(|count: &f64| (count - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi_squared < 20.5, "{chi_squared}");
    }
}
