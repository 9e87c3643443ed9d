use tch::{Kind, Tensor};

use super::parameter_groups::Named;
use super::rule::SlotShape;
use super::state::{Saved, entry_name, not_started};
use super::{Algorithm, OptimizerError};
use crate::native::{Group, NativeError};

/// Parameters of an [`Optimizer`](super::Optimizer) that share hyperparameters.
#[derive(Debug)]
pub struct ParameterGroup {
    algorithm: Algorithm,
    parameters: Named,
    native: Group,
}

impl ParameterGroup {
    pub(super) fn new(algorithm: Algorithm, parameters: Named) -> Result<Self, OptimizerError> {
        algorithm.validate()?;
        let native = Group::new(&parameters, algorithm.rule().slots().len())
            .map_err(|error| OptimizerError::libtorch(algorithm.name(), "take its parameters", error))?;
        Ok(Self { algorithm, parameters, native })
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

    pub(super) fn native(&self) -> &Group {
        &self.native
    }

    pub(super) fn step(&mut self, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        self.algorithm.rule().step(&mut self.native, found_inf)
    }

    pub(super) fn zero_grad(&mut self) -> Result<(), NativeError> {
        self.native.zero_grad()
    }

    /// The names of the slots of each parameter's state.
    pub(crate) fn slot_names(&self) -> impl Iterator<Item = &'static str> {
        let rule = self.algorithm.rule();
        rule.slots().iter().filter(|slot| rule.keeps(slot)).map(|slot| slot.name)
    }

    /// Adds the group's state to `state`.
    pub(super) fn save(&self, state: &mut Vec<(String, Tensor)>) -> Result<(), NativeError> {
        let rule = self.algorithm.rule();
        for (member, (parameter, _)) in self.parameters.iter().enumerate() {
            for (index, slot) in rule.slots().iter().enumerate().filter(|(_, slot)| rule.keeps(slot)) {
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
                let expected = |_: &[i64]| match slot.shape {
                    SlotShape::Scalar => (Vec::new(), Kind::Float),
                    SlotShape::Elementwise => (tensor.size(), tensor.kind()),
                };
                taken.push(rule.keeps(slot).then(|| saved.take(parameter, slot.name, expected)).flatten());
            }
        }
        taken
    }

    pub(super) fn load(&mut self, taken: &[Option<Tensor>]) -> Result<(), NativeError> {
        let slots = self.algorithm.rule().slots().iter();
        let elementwise: Vec<bool> = slots.map(|slot| slot.shape == SlotShape::Elementwise).collect();
        self.native.load(taken, &elementwise)
    }
}
