use super::ScheduleError;
use super::groups::{Groups, ParameterGroupRates};
use super::node::Node;
use super::rule::{RateInputs, Rule};
use super::state::SchedulerState;

/// A [`Rule`] bound to parameter groups.
#[derive(Debug)]
pub(super) struct BoundRule {
    rule: Box<dyn Rule>,
    /// `None` before the first epoch.
    last_epoch: Option<u64>,
    /// One element per known group.
    base_lrs: Vec<f64>,
}

impl BoundRule {
    pub(super) fn new(rule: Box<dyn Rule>) -> Self {
        Self { rule, last_epoch: None, base_lrs: Vec::new() }
    }

    /// Starts at epoch 0, at the milestone of a `SequentialLr`.
    pub(super) fn start(&mut self, groups: &mut Groups<'_>) {
        self.update(0, groups, Rule::start);
    }

    fn next_epoch(&self) -> u64 {
        self.last_epoch.map_or(0, |epoch| epoch.saturating_add(1))
    }

    fn update(&mut self, epoch: u64, groups: &mut Groups<'_>, lr: fn(&(dyn Rule + 'static), &RateInputs<'_>) -> f64) {
        self.last_epoch = Some(epoch);
        for (group, base_lr) in self.base_lrs.iter().enumerate() {
            let memory = &groups.memory[group];
            let inputs = RateInputs { epoch, group, lr: groups.rates.lr(group), base_lr: *base_lr, memory };
            groups.rates.set_lr(group, lr(&*self.rule, &inputs));
            if let Some(momentum) = self.rule.momentum(&inputs) {
                groups.rates.set_momentum(group, momentum);
            }
        }
    }

    /// Adds the groups that are not known yet, with their initial rates as base.
    fn add_base_lrs(&mut self, groups: &mut Groups<'_>) {
        for group in self.base_lrs.len()..groups.memory.len() {
            let memory = &mut groups.memory[group];
            self.rule.prepare(group, memory);
            self.base_lrs.push(*memory.initial_lr.get_or_insert_with(|| groups.rates.lr(group)));
        }
    }

    fn use_own_base_lrs(&mut self) {
        for (group, base_lr) in self.base_lrs.iter_mut().enumerate() {
            *base_lr = self.rule.base_lr(group).unwrap_or(*base_lr);
        }
    }
}

impl Node for BoundRule {
    fn name(&self) -> &'static str {
        self.rule.name()
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.rule.check_groups(rates)
    }

    fn check_step(&self) -> Result<(), ScheduleError> {
        self.rule.check_epoch(self.next_epoch())
    }

    fn construct(&mut self, groups: &mut Groups<'_>) {
        self.add_base_lrs(groups);
        self.initial_step(groups);
        // PyTorch's CyclicLR also starts with the initial rate, and has its own base from then on
        self.use_own_base_lrs();
    }

    fn add_groups(&mut self, groups: &mut Groups<'_>) {
        self.add_base_lrs(groups);
        self.use_own_base_lrs();
    }

    fn initial_step(&mut self, groups: &mut Groups<'_>) {
        self.update(self.next_epoch(), groups, Rule::first);
    }

    fn step(&mut self, groups: &mut Groups<'_>) {
        self.update(self.next_epoch(), groups, Rule::next);
    }

    fn undo(&mut self) {
        self.last_epoch = self.last_epoch.and_then(|epoch| epoch.checked_sub(1));
    }

    fn state(&self) -> SchedulerState {
        SchedulerState {
            last_epoch: self.last_epoch,
            base_lrs: self.base_lrs.clone(),
            ..SchedulerState::of(self.name())
        }
    }

    fn load(&mut self, state: &SchedulerState, groups: usize) -> Result<(), String> {
        state.check_name(self.name())?;
        if state.base_lrs.len() != groups {
            return Err(format!("{} has {} base_lrs for {groups} param_groups", self.name(), state.base_lrs.len()));
        }
        self.last_epoch = state.last_epoch;
        self.base_lrs.clone_from(&state.base_lrs);
        Ok(())
    }
}
