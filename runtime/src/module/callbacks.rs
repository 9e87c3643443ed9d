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
use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use tch::Tensor;

/// The callbacks of a run, in the order in which their hooks are called.
pub struct Callbacks<M: LightningModule> {
    pub(crate) list: Vec<Box<dyn Callback<M>>>,
    /// Where those stand that belong to the running run alone.
    of_run: Range<usize>,
}

impl<M: LightningModule> Default for Callbacks<M> {
    fn default() -> Self {
        Self { list: Vec::new(), of_run: 0..0 }
    }
}

impl<M: LightningModule> Callbacks<M> {
    /// Adds a callback: before those that write checkpoints, whose files then hold what it did.
    pub(crate) fn add(&mut self, callback: Box<dyn Callback<M>>) {
        let place = if callback.writes_checkpoints() { self.list.len() } else { self.first_checkpoint() };
        self.list.insert(place, callback);
    }

    /// Adds the callbacks of the running run.
    pub(crate) fn add_of_run(&mut self, callbacks: Vec<Box<dyn Callback<M>>>) {
        let place = self.first_checkpoint();
        self.of_run = place..place + callbacks.len();
        self.list.splice(place..place, callbacks);
    }

    /// Takes the callbacks of the run out again.
    pub(crate) fn remove_of_run(&mut self) {
        self.list.drain(std::mem::take(&mut self.of_run));
    }

    /// The first callback of this type.
    pub(crate) fn find<C: Callback<M>>(&self) -> Option<&C> {
        self.list.iter().find_map(|callback| (callback.as_ref() as &dyn Any).downcast_ref())
    }

    fn first_checkpoint(&self) -> usize {
        let place = self.list.iter().position(|callback| callback.writes_checkpoints());
        place.unwrap_or(self.list.len())
    }

    /// What each callback keeps in a checkpoint, by its name; those that keep nothing are left out.
    pub(crate) fn state_dicts(&mut self, ctx: &mut RunContext) -> std::result::Result<BTreeMap<String, Value>, Error> {
        let mut states = BTreeMap::new();
        for callback in &mut self.list {
            let state = edge::callback(Hook::StateDict, callback.name(), ctx, |ctx| callback.state_dict(ctx.at()))?;
            if !state.is_null() {
                states.insert(callback.state_key(), state);
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
            if let Some(state) = states.get(&callback.state_key()) {
                edge::callback(Hook::LoadStateDict, name, ctx, |ctx| callback.load_state_dict(ctx.at(), state))?;
            }
        }
        Ok(())
    }
}

tch_lightning_macros::declare_hooks!(Callback);
