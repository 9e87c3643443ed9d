use serde::{Deserialize, Serialize};
use std::fmt;

/// The place of a process among the processes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rank {
    /// The number of the process in the run, from 0. Lightning's `global_rank`.
    pub global: usize,
    /// The number of the process on its machine, from 0, which determines its device. Lightning's `local_rank`.
    pub local: usize,
    /// The number of its machine, from 0. Lightning's `node_rank`.
    pub node: usize,
    /// The number of processes in the run.
    pub world_size: usize,
}

impl Rank {
    /// The rank of the only process of a run.
    pub(crate) const ALONE: Self = Self { global: 0, local: 0, node: 0, world_size: 1 };

    /// Whether this is the process that writes logs and checkpoints. Lightning's `is_global_zero`.
    pub fn is_global_zero(self) -> bool {
        self.global == 0
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.global, self.world_size)
    }
}
