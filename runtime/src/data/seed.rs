//! The seed of a run, the default of loaders and samplers without a seed.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::native;

/// A seed, and whether it was set explicitly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Seed {
    pub(crate) number: u64,
    /// Whether it was passed to `seed_everything` or to a loader, so that it is the same in every process of a run.
    pub(crate) is_chosen: bool,
}

/// Whether [`seed_everything`](crate::seed_everything) was called.
static IS_CHOSEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The seed of this thread, in place of the process's.
    static OF_THREAD: Cell<Option<Seed>> = const { Cell::new(None) };
}

impl Seed {
    pub(crate) fn chosen(number: u64) -> Self {
        Self { number, is_chosen: true }
    }

    /// The seed of this thread, or else of the process.
    pub(crate) fn current() -> Self {
        let of_process = || Self { number: native::initial_seed(), is_chosen: IS_CHOSEN.load(Ordering::Relaxed) };
        OF_THREAD.get().unwrap_or_else(of_process)
    }

    /// Runs `call` with this as the current seed.
    pub(super) fn scope<T>(self, call: impl FnOnce() -> T) -> T {
        let _before = Restored(OF_THREAD.replace(Some(self)));
        call()
    }

    /// Returns a different seed for each `position`.
    pub(crate) fn derived(self, position: usize) -> Self {
        Self { number: mixed([self.number, position as u64]), ..self }
    }
}

/// Restores the seed of the thread when dropped, also after a panic.
struct Restored(Option<Seed>);

impl Drop for Restored {
    fn drop(&mut self) {
        OF_THREAD.set(self.0);
    }
}

/// Records that `seed_everything` was called.
pub(crate) fn seed_was_chosen() {
    IS_CHOSEN.store(true, Ordering::Relaxed);
}

/// Returns the seed of loaders and samplers without one of their own, for use in your own samplers and datasets.
///
/// In a run it is the number given to [`seed_everything`](crate::seed_everything) or `tch::manual_seed`, or a random one if
/// neither was called, so that every such run has a different order. A resumed run has the seed of the run it resumes. With
/// several processes it is the number of rank 0 in all. Outside of runs it is the number that this process was last seeded with.
///
/// ```
/// use tch_lightning::data::run_seed;
///
/// tch_lightning::seed_everything(7);
/// assert_eq!(run_seed(), 7);
/// ```
pub fn run_seed() -> u64 {
    Seed::current().number
}

/// Mixes several numbers into one, such that the results for similar inputs are independent.
///
/// Each step is one of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
pub(super) fn mixed(words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(0, |state, word| {
        let mut mixed = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The first outputs of SplitMix64 for the seed 1234567, as in Vigna's reference program and on Rosetta Code.
    #[test]
    fn mixed_is_splitmix64() {
        let gamma = 0x9e37_79b9_7f4a_7c15_u64;
        let outputs = (0..3_u64).map(|step| mixed([gamma.wrapping_mul(step).wrapping_add(1_234_567)]));
        assert_eq!(
            outputs.collect::<Vec<_>>(),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn mixed_differs_for_neighbours() {
        let seeds: BTreeSet<u64> =
            (0..20).flat_map(|seed| (0..20).map(move |position| Seed::chosen(seed).derived(position).number)).collect();
        assert_eq!(seeds.len(), 400);
    }

    #[test]
    fn scope_ends_after_a_panic() {
        let outcome =
            crate::panic::catch(|| -> anyhow::Result<()> { Seed::chosen(3).scope(|| panic!("{}", run_seed())) });
        assert!(outcome.unwrap_err().to_string().starts_with('3'));
        assert_eq!(OF_THREAD.get(), None);
    }
}
