use tch::Tensor;

use super::assigned::{Assigned, Named};
use super::rule::{Slot, SlotShape};
use super::state::{Saved, entry_name, not_started};
use super::{Algorithm, OptimizerError};
use crate::native::{Group, NativeError};

/// Parameters of an [`Optimizer`](super::Optimizer) that share hyperparameters.
#[derive(Debug)]
pub struct ParameterGroup {
    /// The description of what chose the parameters.
    selection: String,
    algorithm: Algorithm,
    parameters: Named,
    native: Group,
}

impl ParameterGroup {
    pub(super) fn new(Assigned { selection, algorithm, parameters }: Assigned) -> Result<Self, OptimizerError> {
        algorithm.validate()?;
        let native = Group::new(&parameters, algorithm.rule().slots().len())
            .map_err(|error| OptimizerError::libtorch(algorithm.name(), "take its parameters", error))?;
        Ok(Self { selection, algorithm, parameters, native })
    }

    /// The description of what chose the parameters: a pattern of names, the description of a predicate, or `all others`.
    pub fn selection(&self) -> &str {
        &self.selection
    }

    /// The algorithm with its current hyperparameters, including the learning rate.
    pub fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    /// Sets all hyperparameters from the next step on, for instance to those in a checkpoint.
    ///
    /// # Errors
    /// If a hyperparameter is out of range; if the group has another algorithm.
    pub fn set_algorithm(&mut self, algorithm: impl Into<Algorithm>) -> Result<(), OptimizerError> {
        let algorithm = algorithm.into();
        algorithm.validate()?;
        self.require_kind_of(&algorithm)?;
        self.algorithm = algorithm;
        Ok(())
    }

    /// The parameters with their names, in the order in which they were given. Empty if the patterns of other groups matched
    /// all parameters.
    pub fn parameters(&self) -> &[(String, Tensor)] {
        &self.parameters
    }

    /// The learning rate.
    pub fn lr(&self) -> f64 {
        self.algorithm.lr()
    }

    /// Sets the learning rate from the next step on.
    pub fn set_lr(&mut self, lr: f64) {
        self.algorithm.set_lr(lr);
    }

    /// The momentum, which some schedules change: `momentum` of SGD and RMSprop, `betas.0` of Adam and its variants; `None`
    /// for the others.
    pub fn momentum(&self) -> Option<f64> {
        self.algorithm.momentum()
    }

    /// Sets [`momentum`](Self::momentum) from the next step on.
    ///
    /// # Errors
    /// [`OptimizerError::NoMomentum`] if the algorithm has no momentum.
    pub fn set_momentum(&mut self, momentum: f64) -> Result<(), OptimizerError> {
        self.algorithm.set_momentum(momentum)
    }

    pub(super) fn require_kind_of(&self, other: &Algorithm) -> Result<(), OptimizerError> {
        if self.algorithm.is_of_the_kind_of(other) {
            return Ok(());
        }
        Err(OptimizerError::OtherAlgorithm { optimizer: self.algorithm.name(), other: other.name() })
    }

    /// Checks that the algorithm can update each parameter.
    pub(super) fn check_parameters(&self) -> Result<(), OptimizerError> {
        let rule = self.algorithm.rule();
        let mut refusals = self.parameters.iter().filter_map(|(name, tensor)| Some((name, rule.refusal(tensor)?)));
        let Some((name, reason)) = refusals.next() else { return Ok(()) };
        Err(OptimizerError::Parameter { optimizer: self.algorithm.name(), parameter: name.clone(), reason })
    }

    pub(super) fn native(&self) -> &Group {
        &self.native
    }

    pub(super) fn step(&mut self, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        self.algorithm.rule().step(&mut self.native, found_inf)
    }

    pub(super) fn zero_grad(&mut self) -> Result<(), NativeError> {
        self.native.zero_grad()
    }

    /// The names of the slots of the state of one of the parameters.
    pub(crate) fn slot_names(&self, parameter: &str) -> Vec<&'static str> {
        let rule = self.algorithm.rule();
        let tensor = self.parameters.iter().find(|(name, _)| name == parameter).map(|(_, tensor)| tensor);
        let has = |slot: &&Slot| rule.keeps(slot) && tensor.is_none_or(|tensor| slot.shape.applies_to(tensor));
        rule.slots().iter().filter(has).map(|slot| slot.name).collect()
    }

    /// Returns the shape of a slot of the state of one of the parameters; `None` without the slot.
    pub(crate) fn slot_size(&self, parameter: &str, slot: &str) -> Option<Vec<i64>> {
        let (_, tensor) = self.parameters.iter().find(|(name, _)| name == parameter)?;
        let slot = self.algorithm.rule().slots().iter().find(|one| one.name == slot)?;
        slot.shape.applies_to(tensor).then(|| slot.shape.of(tensor).0)
    }

    /// Adds the group's state to `state`.
    pub(super) fn save(&self, state: &mut Vec<(String, Tensor)>) -> Result<(), NativeError> {
        let rule = self.algorithm.rule();
        for (member, (parameter, tensor)) in self.parameters.iter().enumerate() {
            let keeps = |slot: &Slot| rule.keeps(slot) && slot.shape.applies_to(tensor);
            for (index, slot) in rule.slots().iter().enumerate().filter(|(_, slot)| keeps(slot)) {
                let tensor = self.native.saved(index, member)?.unwrap_or_else(not_started);
                state.push((entry_name(parameter, slot.name), tensor));
            }
        }
        Ok(())
    }

    /// Takes the group's part of a saved state, in the order of [`load`](Self::load), and records what does not fit.
    pub(super) fn take(&self, saved: &mut Saved) -> Vec<Option<Tensor>> {
        let rule = self.algorithm.rule();
        let mut taken = Vec::new();
        for slot in rule.slots() {
            for (parameter, tensor) in &self.parameters {
                let keeps = rule.keeps(slot) && slot.shape.applies_to(tensor);
                let expected = |_: &[i64]| slot.shape.of(tensor);
                taken.push(keeps.then(|| saved.take(parameter, slot.name, expected)).flatten());
            }
        }
        taken
    }

    pub(super) fn load(&mut self, taken: &[Option<Tensor>]) -> Result<(), NativeError> {
        let slots = self.algorithm.rule().slots().iter();
        let of_parameter: Vec<bool> = slots.map(|slot| slot.shape != SlotShape::Scalar).collect();
        self.native.load(taken, &of_parameter)
    }
}
