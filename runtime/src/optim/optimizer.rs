use std::collections::HashMap;
use std::fmt::Display;

use tch::Tensor;

use super::lbfgs::{Machine, Progress};
use super::parameter_groups::Named;
use super::scaling::Scaling;
use super::{Algorithm, IntoParameterGroups, OptimizerError, ParameterGroup};
use crate::native::TensorIdentity;

/// An algorithm bound to named parameters, in groups with hyperparameters of their own, with the state that it keeps of
/// them.
///
/// State is made on a parameter's device when the parameter first has a gradient, so parameters are moved or converted
/// before the optimizer is made. Parameters without a gradient take no part in a step, as in PyTorch: a layer that is
/// frozen with `set_requires_grad(false)` stays as it is.
#[derive(Debug)]
pub struct Optimizer {
    /// At least one.
    pub(super) groups: Vec<ParameterGroup>,
    /// L-BFGS's state, in place of the groups' own.
    pub(super) lbfgs: Option<Machine>,
    pub(super) scaling: Scaling,
    steps: u64,
}

impl Optimizer {
    /// Binds an algorithm to parameters, under names that are used for the saved state and in errors.
    ///
    /// With an algorithm all parameters are one group. [`ParameterGroups`](super::ParameterGroups) choose among them by
    /// their names, and may leave some out.
    ///
    /// ```
    /// use tch::{Device, Kind, Tensor};
    /// use tch_lightning::optim::{AdamW, Optimizer, ParameterGroups};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let parameter = |name: &str| (name.to_owned(), Tensor::ones([3], (Kind::Float, Device::Cpu)).set_requires_grad(true));
    /// let parameters = vec![parameter("fc1.weight"), parameter("fc1.bias"), parameter("fc2.weight"), parameter("fc2.bias")];
    ///
    /// let adamw = AdamW::new(1e-3);
    /// let groups = ParameterGroups::new(adamw).group("**.bias", adamw.weight_decay(0.0));
    /// let optimizer = Optimizer::new(groups, parameters)?;
    ///
    /// let names = |index: usize| optimizer.groups()[index].parameters().iter().map(|(name, _)| name.as_str());
    /// assert_eq!(names(0).collect::<Vec<_>>(), ["fc1.weight", "fc2.weight"]);
    /// assert_eq!(names(1).collect::<Vec<_>>(), ["fc1.bias", "fc2.bias"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a hyperparameter is out of its range; when there is no parameter; when a pattern is malformed or matches no
    /// parameter that is left; when a parameter is not a leaf, requires no gradient, or stands twice in the list, by name
    /// or as the same tensor. When groups have different algorithms; when L-BFGS has several groups or devices.
    pub fn new(algorithm: impl IntoParameterGroups, parameters: Named) -> Result<Self, OptimizerError> {
        let groups = algorithm.into_parameter_groups().divide(parameters)?;
        let groups = groups.into_iter().map(|(algorithm, parameters)| ParameterGroup::new(algorithm, parameters));
        let groups: Vec<ParameterGroup> = groups.collect::<Result<_, _>>()?;
        check_groups(&groups.iter().collect::<Vec<_>>())?;
        let lbfgs = matches!(groups[0].algorithm(), Algorithm::Lbfgs(_)).then(Machine::default);
        Ok(Self { groups, lbfgs, scaling: Scaling::default(), steps: 0 })
    }

    /// Adds a group behind the others, such as that of layers which took no part so far. Its parameters have no state yet.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when a parameter is in another group already; nothing is added then.
    pub fn add_parameter_group(
        &mut self,
        algorithm: impl Into<Algorithm>,
        parameters: Named,
    ) -> Result<(), OptimizerError> {
        let added = ParameterGroup::new(algorithm.into(), parameters)?;
        check_groups(&self.groups.iter().chain([&added]).collect::<Vec<_>>())?;
        self.groups.push(added);
        Ok(())
    }

    /// Updates every parameter that has a gradient. Nothing is recorded for autograd, and nothing waits for the device.
    ///
    /// Where the loss was scaled, and a [`GradScaler`](crate::precision::GradScaler) has unscaled the gradients, it does as
    /// [`step_unless`](Self::step_unless).
    ///
    /// # Errors
    /// When a gradient is sparse; when the trainer scales the loss, and the gradients are still scaled; when a parameter was moved or converted after its first step; when the algorithm is
    /// L-BFGS, which steps with [`step_on`](Self::step_on); when libtorch refuses.
    pub fn step(&mut self) -> Result<(), OptimizerError> {
        let found_inf = self.take_found_inf()?;
        self.step_groups(found_inf.as_ref())
    }

    /// As [`step`](Self::step), for algorithms that may evaluate the loss several times a step: of those here, L-BFGS.
    ///
    /// It takes the loss (0-dim) and the gradients where the parameters are. On [`Progress::Again`] it has moved the
    /// parameters and asks to be called again, with new gradients and the new loss; on [`Progress::Done`] the step is
    /// done. All other algorithms step and are done, with a loss or without. See [`Lbfgs`](super::Lbfgs) for the loop.
    ///
    /// # Errors
    /// As [`step`](Self::step); when L-BFGS gets no loss, or one that is not one number.
    pub fn step_on(&mut self, loss: Option<&Tensor>) -> Result<Progress, OptimizerError> {
        let optimizer = self.name();
        let (Some(machine), Algorithm::Lbfgs(lbfgs)) = (&mut self.lbfgs, self.groups[0].algorithm()) else {
            self.step()?;
            return Ok(Progress::Done);
        };
        let loss = loss.ok_or(OptimizerError::NeedsLoss { optimizer })?;
        if loss.numel() != 1 {
            return Err(OptimizerError::LossShape { optimizer, shape: loss.size() });
        }
        let progress = machine.step(lbfgs, self.groups[0].parameters(), loss);
        let progress = progress.map_err(|error| OptimizerError::libtorch(optimizer, "step", error))?;
        self.steps += u64::from(progress == Progress::Done);
        Ok(progress)
    }

    pub(super) fn step_groups(&mut self, found_inf: Option<&Tensor>) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        if self.lbfgs.is_some() {
            return Err(OptimizerError::NeedsLoss { optimizer });
        }
        for group in &mut self.groups {
            group.step(found_inf).map_err(|error| OptimizerError::libtorch(optimizer, "step", error))?;
        }
        self.steps += 1;
        Ok(())
    }

    /// The groups, in the order in which they were given; first, if there is one, that of the parameters which no pattern
    /// matched.
    pub fn groups(&self) -> &[ParameterGroup] {
        &self.groups
    }

    /// The groups, to change their hyperparameters.
    pub fn groups_mut(&mut self) -> &mut [ParameterGroup] {
        &mut self.groups
    }

    /// The first group's algorithm with its hyperparameters as they are now, the learning rate included.
    pub fn algorithm(&self) -> &Algorithm {
        self.groups[0].algorithm()
    }

    /// The parameters of all groups with their names.
    pub fn parameters(&self) -> impl Iterator<Item = &(String, Tensor)> {
        self.groups.iter().flat_map(ParameterGroup::parameters)
    }

    /// The first group's learning rate.
    pub fn lr(&self) -> f64 {
        self.groups[0].lr()
    }

    /// Sets the learning rate of all groups from the next step on.
    pub fn set_lr(&mut self, lr: f64) {
        for group in &mut self.groups {
            group.set_lr(lr);
        }
    }

    /// How many steps were taken, or skipped by [`step_unless`](Self::step_unless).
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Sets the count of steps taken, which is no part of [`state`](Self::state), when training is resumed. It changes no
    /// result.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// The algorithm's name in PyTorch.
    pub(super) fn name(&self) -> &'static str {
        self.algorithm().name()
    }

    pub(crate) fn refused(&self, action: &'static str, error: impl Display) -> OptimizerError {
        OptimizerError::libtorch(self.name(), action, error)
    }
}

/// What groups must be together to be those of one optimizer.
fn check_groups(groups: &[&ParameterGroup]) -> Result<(), OptimizerError> {
    let first = groups[0];
    for group in groups {
        first.require_kind_of(group.algorithm())?;
    }
    let optimizer = first.algorithm().name();
    let parameters: Vec<&(String, Tensor)> = groups.iter().flat_map(|group| group.parameters()).collect();
    check_parameters(optimizer, &parameters)?;
    if matches!(first.algorithm(), Algorithm::Lbfgs(_)) {
        check_for_lbfgs(optimizer, groups.len(), &parameters)?;
    }
    Ok(())
}

fn check_parameters(optimizer: &'static str, parameters: &[&(String, Tensor)]) -> Result<(), OptimizerError> {
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

fn check_for_lbfgs(
    optimizer: &'static str,
    groups: usize,
    parameters: &[&(String, Tensor)],
) -> Result<(), OptimizerError> {
    if groups > 1 {
        return Err(OptimizerError::OneGroup { optimizer });
    }
    let (first, tensor) = parameters[0];
    match parameters.iter().find(|(_, other)| other.device() != tensor.device()) {
        None => Ok(()),
        Some((name, other)) => Err(OptimizerError::Parameter {
            optimizer,
            parameter: name.clone(),
            reason: format!(
                "it is on {:?} and `{first}` on {:?}, but all its parameters must be on one device",
                other.device(),
                tensor.device()
            ),
        }),
    }
}
