//! The seed of a run, which decides what no seed of its own decides.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::native;

/// A seed, and whether somebody chose it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Seed {
    pub(crate) number: u64,
    /// Whether it is the same in every process of a run, as one that `seed_everything` or a loader was given.
    pub(crate) is_chosen: bool,
}

/// Whether [`seed_everything`](crate::seed_everything) was called.
static IS_CHOSEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The seed that counts on this thread in place of the process's.
    static OF_THREAD: Cell<Option<Seed>> = const { Cell::new(None) };
}

impl Seed {
    pub(crate) fn chosen(number: u64) -> Self {
        Self { number, is_chosen: true }
    }

    /// The seed of this thread's work, or else of the process.
    pub(crate) fn current() -> Self {
        let of_process = || Self { number: native::initial_seed(), is_chosen: IS_CHOSEN.load(Ordering::Relaxed) };
        OF_THREAD.get().unwrap_or_else(of_process)
    }

    /// Runs `call` with this as the current seed.
    pub(super) fn scope<T>(self, call: impl FnOnce() -> T) -> T {
        let _before = Restored(OF_THREAD.replace(Some(self)));
        call()
    }

    /// A seed for one of several that would otherwise have the same.
    pub(crate) fn derived(self, place: usize) -> Self {
        Self { number: mixed([self.number, place as u64]), ..self }
    }
}

/// What a panic leaves in its place too.
struct Restored(Option<Seed>);

impl Drop for Restored {
    fn drop(&mut self) {
        OF_THREAD.set(self.0);
    }
}

/// Notes that the process's seed was chosen.
pub(crate) fn seed_was_chosen() {
    IS_CHOSEN.store(true, Ordering::Relaxed);
}

/// The seed that loaders and samplers without a seed of their own follow, for samplers and datasets of your own.
///
/// In a run it is the run's: the number that [`seed_everything`](crate::seed_everything) or `tch::manual_seed` was given, or a
/// random one where nothing was seeded, so that every such run has another order. A resumed run has the seed of the run it
/// resumes. Outside of runs it is what this process was seeded with last.
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

/// One number of several, such that numbers of inputs which differ a little have nothing to do with each other.
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
    fn the_mixing_is_splitmix64() {
        let gamma = 0x9e37_79b9_7f4a_7c15_u64;
        let outputs = (0..3_u64).map(|step| mixed([gamma.wrapping_mul(step).wrapping_add(1_234_567)]));
        assert_eq!(
            outputs.collect::<Vec<_>>(),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn seeds_of_neighbours_differ() {
        let seeds: BTreeSet<u64> =
            (0..20).flat_map(|seed| (0..20).map(move |place| Seed::chosen(seed).derived(place).number)).collect();
        assert_eq!(seeds.len(), 400);
    }

    #[test]
    fn a_scope_ends_by_a_panic_too() {
        let outcome =
            crate::panic::catch(|| -> anyhow::Result<()> { Seed::chosen(3).scope(|| panic!("{}", run_seed())) });
        assert!(outcome.unwrap_err().to_string().starts_with('3'));
        assert_eq!(OF_THREAD.get(), None);
    }
}
