//! Callbacks, and the list of them that a run has.

use super::{LightningModule, call_hook};
use crate::checkpoint::Checkpoint;
use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::optim::OptimizerIndex;
use crate::stage::Stage;
use anyhow::Result;
use serde_json::Value;
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use tch::Tensor;

/// The callbacks of a run, in the order in which their hooks are called: those that write checkpoints last, as their files hold
/// what the others did.
pub struct Callbacks<M: LightningModule> {
    pub(crate) list: Vec<Box<dyn Callback<M>>>,
    /// Whether each callback belongs only to the current or the last run.
    of_run: Vec<bool>,
    /// The trainer's callbacks that callbacks of the run replace, with their indices.
    replaced: Vec<(usize, Box<dyn Callback<M>>)>,
}

impl<M: LightningModule> Default for Callbacks<M> {
    fn default() -> Self {
        Self { list: Vec::new(), of_run: Vec::new(), replaced: Vec::new() }
    }
}

impl<M: LightningModule> Callbacks<M> {
    /// Adds a callback of the trainer's.
    pub(crate) fn add(&mut self, callback: Box<dyn Callback<M>>) {
        self.insert(callback, false);
    }

    /// Adds a callback of the trainer's in place of the first one of its type, if there is one.
    pub(crate) fn replace<C: Callback<M>>(&mut self, callback: C) {
        match self.list.iter().position(|callback| type_of(callback.as_ref()) == TypeId::of::<C>()) {
            Some(index) => self.list[index] = Box::new(callback),
            None => self.add(Box::new(callback)),
        }
    }

    /// Adds the callbacks that a module configures for the current run. As in Lightning, they replace the trainer's callbacks of
    /// the same type.
    pub(crate) fn configure(&mut self, callbacks: Vec<Box<dyn Callback<M>>>) {
        let types: Vec<TypeId> = callbacks.iter().map(|callback| type_of(callback.as_ref())).collect();
        for index in (0..self.list.len()).rev() {
            if !self.of_run[index] && types.contains(&type_of(self.list[index].as_ref())) {
                self.of_run.remove(index);
                let callback = self.list.remove(index);
                messages::info!(
                    "the {} that `configure_callbacks` returned replaces the trainer's, as it has the same type",
                    callback.name()
                );
                self.replaced.push((index, callback));
            }
        }
        self.add_of_run(callbacks);
    }

    /// Adds callbacks of the current run.
    pub(crate) fn add_of_run(&mut self, callbacks: impl IntoIterator<Item = Box<dyn Callback<M>>>) {
        callbacks.into_iter().for_each(|callback| self.insert(callback, true));
    }

    /// Restores the trainer's own callbacks for the next run.
    pub(crate) fn begin_run(&mut self) {
        let mut of_run = std::mem::take(&mut self.of_run).into_iter();
        self.list.retain(|_| !of_run.next().unwrap_or_default());
        while let Some((index, callback)) = self.replaced.pop() {
            self.list.insert(index, callback);
        }
        self.of_run = vec![false; self.list.len()];
    }

    fn insert(&mut self, callback: Box<dyn Callback<M>>, of_run: bool) {
        let index = if callback.writes_checkpoints() { self.list.len() } else { self.first_checkpoint() };
        self.list.insert(index, callback);
        self.of_run.insert(index, of_run);
    }

    /// The first callback of this type.
    pub(crate) fn find<C: Callback<M>>(&self) -> Option<&C> {
        self.list.iter().find_map(|callback| (callback.as_ref() as &dyn Any).downcast_ref())
    }

    fn first_checkpoint(&self) -> usize {
        let index = self.list.iter().position(|callback| callback.writes_checkpoints());
        index.unwrap_or(self.list.len())
    }

    /// The key of each callback's state in a checkpoint. It is the callback's [`state_key`](Callback::state_key), and where several
    /// callbacks share one, that and their [`instance_key`](Callback::instance_key).
    fn state_keys(&self) -> Vec<String> {
        let shared: Vec<String> = self.list.iter().map(|callback| callback.state_key()).collect();
        let key = |key: String, callback: &dyn Callback<M>| {
            let sharing = shared.iter().filter(|other| **other == key).count();
            if sharing == 1 { key } else { format!("{key} {}", callback.instance_key()).trim_end().to_owned() }
        };
        self.list.iter().map(|callback| key(callback.state_key(), callback.as_ref())).collect()
    }

    /// Fails where two callbacks that keep a state have one key for it: a checkpoint could keep only one of the states.
    pub(crate) fn check_state_keys(&mut self, ctx: &mut RunContext) -> std::result::Result<(), Error> {
        let keys = self.state_keys();
        let mut taken = BTreeSet::new();
        for index in 0..keys.len() {
            let is_shared = keys.iter().filter(|key| **key == keys[index]).count() > 1;
            if is_shared && !self.state_dict_of(index, ctx)?.is_null() && !taken.insert(&keys[index]) {
                return Err(Error::configuration(format!(
                    "two callbacks have the same state key `{}`, so one state would be lost in checkpoints: remove one of them, or \
                     override `state_key` or `instance_key`",
                    keys[index]
                )));
            }
        }
        Ok(())
    }

    /// Returns the state of each callback that is `wanted` and has one, by its key in a checkpoint.
    pub(crate) fn states_of(
        &mut self,
        ctx: &mut RunContext,
        wanted: impl Fn(&dyn Callback<M>) -> bool,
    ) -> std::result::Result<BTreeMap<String, Value>, Error> {
        let mut states = BTreeMap::new();
        for (index, key) in self.state_keys().into_iter().enumerate() {
            if !wanted(self.list[index].as_ref()) {
                continue;
            }
            let state = self.state_dict_of(index, ctx)?;
            if !state.is_null() {
                states.insert(key, state);
            }
        }
        Ok(states)
    }

    /// Calls `load_state_dict` of each callback that has a state in a checkpoint.
    pub(crate) fn load_state_dicts(
        &mut self,
        ctx: &mut RunContext,
        states: &BTreeMap<String, Value>,
    ) -> std::result::Result<(), Error> {
        for (index, key) in self.state_keys().into_iter().enumerate() {
            // the run that wrote the checkpoint may have had more callbacks or fewer that share the key
            let (shared, instance) = (self.list[index].state_key(), self.list[index].instance_key());
            let own = format!("{shared} {instance}");
            if let Some(state) = [key.as_str(), own.trim_end(), &shared].into_iter().find_map(|key| states.get(key)) {
                self.load_state_dict_of(index, ctx, state)?;
            }
        }
        Ok(())
    }
}

/// The type of a callback.
fn type_of<M: LightningModule>(callback: &dyn Callback<M>) -> TypeId {
    (callback as &dyn Any).type_id()
}

tch_lightning_macros::declare_hooks!(Callback);
