//! The value of `--seed-everything`.

use crate::config::TrainerConfig;
use crate::error::Error;
use crate::trainer;
use serde_json::Value;
use std::hash::{BuildHasher, RandomState};
use std::num::ParseIntError;
use std::str::FromStr;

const RANDOM: &str = "random";

/// The seed of a run, or the request to draw one.
#[derive(Clone, Copy)]
pub(super) enum Seed {
    Number(i64),
    Random,
}

impl Seed {
    /// Returns the seed, which is drawn if it is random. Drawn seeds have 32 bits, as Lightning's.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Number(number) => number,
            // the keys of a `RandomState` are random numbers of the operating system
            Self::Random => (RandomState::new().hash_one(0) as u32).into(),
        }
    }

    /// Returns the seed of a run, which rank 0 draws for all its processes if it is random. These are then started, or waited for.
    pub(super) fn of_all_processes(self, config: &TrainerConfig) -> Result<i64, Error> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Random => trainer::seed_of_rank_zero(config, self.number()),
        }
    }

    /// Returns the seed of a configuration file; `None` if the value is not a seed.
    pub(super) fn of_file(value: &Value) -> Option<Self> {
        if value == RANDOM { Some(Self::Random) } else { value.as_i64().map(Self::Number) }
    }
}

impl FromStr for Seed {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        if text == RANDOM { Ok(Self::Random) } else { text.parse().map(Self::Number) }
    }
}
