//! Random numbers for orders of samples, reproducible everywhere.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A generator for one seed and one of its 2^64 independent streams, so that the order of epoch 1,000 is had without
/// those before it.
pub(super) fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}

/// The numbers from 0 to less than `len` in an order that `seed` and `stream` alone decide.
pub(super) fn permutation(len: usize, seed: u64, stream: u64) -> Vec<usize> {
    shuffled(&mut generator(seed, stream), len)
}

/// The numbers from 0 to less than `len`, shuffled.
///
/// The shuffle (Fisher and Yates's, as Durstenfeld wrote it) stands here because that of `rand` may change with its
/// version and its features, and with it every resumed run.
pub(super) fn shuffled(generator: &mut ChaCha8Rng, len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last, below(generator, last + 1));
    }
    order
}

/// A number from 0 to less than `bound`.
///
/// By multiplication instead of division (Lemire, "Fast Random Integer Generation in an Interval", 2019). Its bias is
/// below bound / 2^64, too small to reject any.
pub(super) fn below(generator: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u128::from(generator.next_u64()) * bound as u128) >> 64) as usize
}

/// A number from 0 to less than 1, one of 2^53.
pub(super) fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::permutation;

    /// Computed by a separate program from RFC 8439's ChaCha with 8 rounds (its 20 rounds checked against
    /// the RFC's first vector) and the seeding that `rand_core` documents. Runs are resumed in these
    /// orders: they must never change.
    #[test]
    fn the_orders_are_fixed() {
        assert_eq!(permutation(12, 0, 0), [2, 1, 11, 9, 10, 4, 3, 7, 0, 6, 5, 8]);
        assert_eq!(permutation(12, 0, 1), [6, 7, 4, 2, 0, 1, 11, 3, 10, 5, 8, 9]);
        assert_eq!(permutation(12, 42, 3), [10, 2, 8, 3, 9, 0, 5, 1, 11, 7, 6, 4]);
        assert_eq!(permutation(12, 42, u64::MAX), [1, 2, 0, 3, 9, 11, 7, 10, 8, 5, 6, 4]);
        assert_eq!(permutation(1000, 7, 5)[..6], [100, 239, 917, 172, 313, 886]);
    }

    #[test]
    fn every_number_stands_once() {
        for len in [0, 1, 2, 1000] {
            let mut order = permutation(len, 3, 5);
            order.sort_unstable();
            assert_eq!(order, (0..len).collect::<Vec<_>>());
        }
    }

    /// Each of the 6 orders of 3 numbers is as likely: 6,000 draws, 5 degrees of freedom, χ² below the
    /// 99.9 % quantile of 20.5.
    #[test]
    fn every_order_is_as_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for stream in 0..6000 {
            *counts.entry(permutation(3, 0, stream)).or_insert(0.0) += 1.0;
        }
        assert_eq!(counts.len(), 6);
        let chi_squared: f64 = counts.values().map(|count: &f64| (count - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi_squared < 20.5, "{chi_squared}");
    }
}
