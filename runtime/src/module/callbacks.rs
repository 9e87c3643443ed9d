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
use std::collections::BTreeMap;
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

impl<M: LightningModule> Callbacks<M> {
    /// What each callback keeps in a checkpoint, by its name; those that keep nothing are left out.
    pub(crate) fn state_dicts(&mut self, ctx: &mut RunContext) -> std::result::Result<BTreeMap<String, Value>, Error> {
        let mut states = BTreeMap::new();
        for callback in &mut self.list {
            let name = callback.name();
            let state = edge::callback(Hook::StateDict, name, ctx, |ctx| callback.state_dict(ctx.at()))?;
            if !state.is_null() {
                states.insert(name.to_owned(), state);
            }
        }
        Ok(states)
    }

    /// Gives each callback what it kept.
    pub(crate) fn load_state_dicts(
        &mut self,
        ctx: &mut RunContext,
        states: &BTreeMap<String, Value>,
    ) -> std::result::Result<(), Error> {
        for callback in &mut self.list {
            let name = callback.name();
            if let Some(state) = states.get(name) {
                edge::callback(Hook::LoadStateDict, name, ctx, |ctx| callback.load_state_dict(ctx.at(), state))?;
            }
        }
        Ok(())
    }
}

tch_lightning_macros::declare_hooks!(Callback);
