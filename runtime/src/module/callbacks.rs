//! Callbacks, and the list of them that a run has.

use super::{LightningModule, edge};
use crate::checkpoint::Checkpoint;
use crate::context::at::{Epoch, Outside};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::hook::Hook;
use crate::optim::OptimizerIndex;
use crate::stage::Stage;
use anyhow::Result;
use serde_json::Value;
use tch::Tensor;

/// The callbacks of a run, in the order in which their hooks are called.
pub struct Callbacks<M: LightningModule> {
    pub(crate) list: Vec<Box<dyn Callback<M>>>,
}

impl<M: LightningModule> Default for Callbacks<M> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

tch_lightning_macros::declare_hooks!(Callback);
