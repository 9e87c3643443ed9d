//! The state of schedulers as PyTorch's `state_dict` has it.

use super::groups::Memory;
use super::state::{LrSchedulerState, PlateauState, SchedulerState};
use crate::json;
use serde_json::{Map, Value};

impl LrSchedulerState {
    /// Returns the state of the same scheduler with the values of a `state_dict` of PyTorch, and those that PyTorch keeps in the optimizer's
    /// parameter groups.
    ///
    /// # Errors
    /// A clause about what the `state_dict` lacks.
    pub(crate) fn with_pytorch_state(&self, saved: &Value, groups: &[Value]) -> Result<Self, String> {
        let memory = self.param_groups.iter().enumerate().map(|(index, own)| memory(own, groups.get(index)));
        Ok(Self {
            last_lr: numbers(saved, "_last_lr").unwrap_or_else(|| self.last_lr.clone()),
            param_groups: memory.collect(),
            scheduler: self.scheduler.with_pytorch_state(saved)?,
        })
    }

    /// Returns the `state_dict`, without hyperparameters: PyTorch's schedulers keep those that they were made with.
    pub(crate) fn pytorch_state(&self) -> Value {
        let mut state = self.scheduler.pytorch_state();
        state.insert("_last_lr".to_owned(), self.last_lr.clone().into());
        Value::Object(state)
    }

    /// Returns what PyTorch keeps in each parameter group.
    pub(crate) fn pytorch_groups(&self) -> Vec<Value> {
        let groups = self.param_groups.iter().map(|memory| {
            let mut group = json::to_value(memory).unwrap_or_default();
            if let Some(values) = group.as_object_mut() {
                // what no scheduler has set
                values.retain(|_, value| !value.is_null() && value.as_f64() != Some(0.0));
            }
            group
        });
        groups.collect()
    }
}

impl SchedulerState {
    fn with_pytorch_state(&self, saved: &Value) -> Result<Self, String> {
        let count = |name: &str| saved.get(name).and_then(Value::as_u64);
        let lacks = |name: &str| format!("does not have the `{name}` of {}", self.name);
        let has_last_epoch = saved.get("last_epoch").is_some();
        if self.last_epoch.is_some() && !has_last_epoch {
            return Err(lacks("last_epoch"));
        }
        // PyTorch's is -1 before the first step of a part, which ours does not have yet
        let last_epoch = if has_last_epoch { count("last_epoch") } else { None };
        let is_rule = self.schedulers.is_empty() && self.plateau.is_none();
        let base_lrs = if is_rule { numbers(saved, "base_lrs") } else { None };
        let parts = saved.get("_schedulers").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        if parts.len() != self.schedulers.len() {
            return Err(format!(
                "is of {} schedulers, and the run's {} of {}",
                parts.len(),
                self.name,
                self.schedulers.len()
            ));
        }
        let schedulers = self.schedulers.iter().zip(parts).map(|(own, saved)| own.with_pytorch_state(saved));
        let plateau = self.plateau.as_ref().map(|_| {
            let best = saved
                .get("best")
                .and_then(|best| json::from_value(best).ok())
                .map(|crate::json_float::JsonFloat(best)| best);
            Ok::<_, String>(PlateauState {
                best: best.ok_or_else(|| lacks("best"))?,
                num_bad_epochs: count("num_bad_epochs").ok_or_else(|| lacks("num_bad_epochs"))?,
                cooldown_counter: count("cooldown_counter").ok_or_else(|| lacks("cooldown_counter"))?,
            })
        });
        Ok(Self {
            name: self.name.clone(),
            last_epoch,
            base_lrs: base_lrs.unwrap_or_else(|| self.base_lrs.clone()),
            schedulers: schedulers.collect::<Result<_, _>>()?,
            plateau: plateau.transpose()?,
        })
    }

    fn pytorch_state(&self) -> Map<String, Value> {
        let mut state = Map::new();
        if let Some(last_epoch) = self.last_epoch {
            state.insert("last_epoch".to_owned(), last_epoch.into());
            state.insert("_step_count".to_owned(), (last_epoch + 1).into());
        }
        if !self.base_lrs.is_empty() {
            state.insert("base_lrs".to_owned(), self.base_lrs.clone().into());
        }
        if !self.schedulers.is_empty() {
            let parts = self.schedulers.iter().map(|part| Value::Object(part.pytorch_state()));
            state.insert("_schedulers".to_owned(), parts.collect::<Vec<_>>().into());
        }
        if let Some(PlateauState { best, num_bad_epochs, cooldown_counter }) = self.plateau {
            state.insert("best".to_owned(), best.into());
            state.insert("num_bad_epochs".to_owned(), num_bad_epochs.into());
            state.insert("cooldown_counter".to_owned(), cooldown_counter.into());
        }
        state
    }
}

/// Returns what the schedulers keep of a group, from the group in PyTorch.
fn memory(own: &Memory, group: Option<&Value>) -> Memory {
    let number = |name: &str, own: f64| group.and_then(|group| group.get(name)).and_then(Value::as_f64).unwrap_or(own);
    Memory {
        initial_lr: group.and_then(|group| group.get("initial_lr")).and_then(Value::as_f64).or(own.initial_lr),
        max_lr: number("max_lr", own.max_lr),
        min_lr: number("min_lr", own.min_lr),
        base_momentum: number("base_momentum", own.base_momentum),
        max_momentum: number("max_momentum", own.max_momentum),
    }
}

fn numbers(saved: &Value, name: &str) -> Option<Vec<f64>> {
    saved.get(name)?.as_array()?.iter().map(Value::as_f64).collect()
}
