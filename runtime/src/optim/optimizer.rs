use std::collections::HashMap;

use tch::Tensor;

use super::{Algorithm, OptimizerError};
use crate::native::{Group, NativeError, TensorIdentity};

/// An [`Algorithm`] bound to named parameters, with the state that it keeps of them.
///
/// State is made on a parameter's device when the parameter first has a gradient, so parameters are moved or converted
/// before the optimizer is made. Parameters without a gradient take no part in a step, as in PyTorch.
#[derive(Debug)]
pub struct Optimizer {
    pub(super) algorithm: Algorithm,
    pub(super) parameters: Vec<(String, Tensor)>,
    pub(super) group: Group,
    steps: u64,
}

impl Optimizer {
    /// Binds an algorithm to parameters, under names that are used for the saved state and in errors.
    ///
    /// # Errors
    /// When a hyperparameter is out of its range; when there is no parameter; when a parameter is not a leaf, requires no
    /// gradient, or stands twice in the list, by name or as the same tensor.
    pub fn new(algorithm: impl Into<Algorithm>, parameters: Vec<(String, Tensor)>) -> Result<Self, OptimizerError> {
        let algorithm = algorithm.into();
        algorithm.validate()?;
        check_parameters(algorithm.name(), &parameters)?;
        let group = Group::new(&parameters, algorithm.rule().slots().len())
            .map_err(|error| OptimizerError::libtorch(algorithm.rule(), "take its parameters", error))?;
        Ok(Self { algorithm, parameters, group, steps: 0 })
    }

    /// Updates every parameter that has a gradient. Nothing is recorded for autograd, and nothing waits for the device.
    ///
    /// # Errors
    /// When a gradient is sparse; when a parameter was moved or converted after its first step; when libtorch refuses.
    pub fn step(&mut self) -> Result<(), OptimizerError> {
        self.algorithm.rule().step(&mut self.group).map_err(|error| self.refused("step", error))?;
        self.steps += 1;
        Ok(())
    }

    /// Drops all gradients, as PyTorch's `zero_grad(set_to_none=True)`: until the next backward pass they are undefined,
    /// not zero.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn zero_grad(&mut self) -> Result<(), OptimizerError> {
        self.group.zero_grad().map_err(|error| self.refused("drop the gradients", error))
    }

    /// The algorithm with its hyperparameters as they are now, the learning rate included.
    pub fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    /// The parameters with their names, in the order in which they were given.
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

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Sets the count of steps taken, which is no part of [`state`](Self::state), when training is resumed. It changes no
    /// result.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// The L2 norm of all gradients taken as one vector: 0-dim, in the gradients' dtype, on the first one's device, which
    /// is not waited for. 0 on the CPU when there is no gradient.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn grad_norm(&self) -> Result<Tensor, OptimizerError> {
        self.group.grad_norm().map_err(|error| self.refused("take the norm of the gradients", error))
    }

    /// Scales all gradients so that their norm is at most `max_norm`, and returns the norm that they had, as
    /// [`grad_norm`](Self::grad_norm) does. The device is not waited for.
    ///
    /// As [`torch.nn.utils.clip_grad_norm_`](https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_norm_.html).
    ///
    /// # Errors
    /// When `max_norm` is negative or not a number; when libtorch refuses.
    pub fn clip_grad_norm(&mut self, max_norm: f64) -> Result<Tensor, OptimizerError> {
        super::error::require_non_negative(self.algorithm.name(), "max_norm", max_norm)?;
        self.group.clip_grad_norm(max_norm).map_err(|error| self.refused("clip the gradients", error))
    }

    /// Clamps every element of every gradient to `-clip_value ..= clip_value`. The device is not waited for.
    ///
    /// As [`torch.nn.utils.clip_grad_value_`](https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_value_.html).
    ///
    /// # Errors
    /// When `clip_value` is negative or not a number; when libtorch refuses.
    pub fn clip_grad_value(&mut self, clip_value: f64) -> Result<(), OptimizerError> {
        super::error::require_non_negative(self.algorithm.name(), "clip_value", clip_value)?;
        self.group.clip_grad_value(clip_value).map_err(|error| self.refused("clip the gradients", error))
    }

    pub(super) fn refused(&self, action: &'static str, error: NativeError) -> OptimizerError {
        OptimizerError::libtorch(self.algorithm.rule(), action, error)
    }
}

fn check_parameters(optimizer: &'static str, parameters: &[(String, Tensor)]) -> Result<(), OptimizerError> {
    if parameters.is_empty() {
        return Err(OptimizerError::NoParameters { optimizer });
    }
    let mut names = HashMap::new();
    let mut identities = HashMap::new();
    for (name, tensor) in parameters {
        let reason = if !tensor.defined() {
            "it is an undefined tensor".to_owned()
        } else if !tensor.requires_grad() {
            "it requires no gradient: leave it out, or call `set_requires_grad(true)`".to_owned()
        } else if !tensor.is_leaf() {
            "it is computed from other tensors, which are the ones to optimize".to_owned()
        } else if names.insert(name, ()).is_some() {
            "another parameter has the same name".to_owned()
        } else if let Some(first) = identities.insert(TensorIdentity::of(tensor), name) {
            format!("it is the same tensor as `{first}`: give a shared parameter once")
        } else {
            continue;
        };
        return Err(OptimizerError::Parameter { optimizer, parameter: name.clone(), reason });
    }
    Ok(())
}
