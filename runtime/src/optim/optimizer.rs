use std::collections::HashMap;
use std::fmt::Display;

use tch::Tensor;

use super::assigned::{Assigned, Named};
use super::lbfgs::{LbfgsState, Progress};
use super::scaling::Scaling;
use super::{Algorithm, IntoParameterGroups, OptimizerError, ParameterGroup};
use crate::native::TensorIdentity;

/// An algorithm bound to named parameters, in one or more groups with their own hyperparameters or
/// [algorithms](super::ParameterGroups::route), and the state of each parameter.
///
/// The state of a parameter is created on its device when it first has a gradient, so move or convert parameters before
/// creating the optimizer. A step skips parameters without a gradient, as in PyTorch: a layer frozen by
/// `set_requires_grad(false)` does not change.
#[derive(Debug)]
pub struct Optimizer {
    /// One or more groups.
    pub(super) groups: Vec<ParameterGroup>,
    /// The state of L-BFGS, which is not kept by group.
    pub(super) lbfgs: Option<LbfgsState>,
    pub(super) scaling: Scaling,
    /// Whether the groups may have different algorithms.
    is_routed: bool,
    steps: u64,
}

impl Optimizer {
    /// Binds an algorithm to parameters, whose names are used in the saved state and in errors.
    ///
    /// With an algorithm, all parameters are one group. [`ParameterGroups`](super::ParameterGroups) select parameters by
    /// name, and may leave some out.
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
    /// If a hyperparameter is out of range; if there are no parameters; if a pattern is malformed, or a selector chooses no parameter
    /// that earlier groups have left; if a parameter is not a leaf, does not require a gradient, or occurs twice, by name or as the
    /// same tensor; if the algorithm cannot update one, as Muon those that are not matrices; if groups have different algorithms and
    /// none is [routed](super::ParameterGroups::route); if L-BFGS has several groups or devices.
    pub fn new(algorithm: impl IntoParameterGroups, parameters: Named) -> Result<Self, OptimizerError> {
        let groups = algorithm.into_parameter_groups();
        let is_routed = groups.is_routed();
        let groups = groups.divide(parameters)?;
        let groups: Vec<ParameterGroup> = groups.into_iter().map(ParameterGroup::new).collect::<Result<_, _>>()?;
        check_groups(&groups.iter().collect::<Vec<_>>(), is_routed)?;
        let lbfgs = matches!(groups[0].algorithm(), Algorithm::Lbfgs(_)).then(LbfgsState::default);
        Ok(Self { groups, lbfgs, scaling: Scaling::default(), is_routed, steps: 0 })
    }

    /// Appends a group, for instance for layers that have been frozen so far. Its parameters have no state yet.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if a parameter is already in another group; then nothing is added.
    pub fn add_parameter_group(
        &mut self,
        algorithm: impl Into<Algorithm>,
        parameters: Named,
    ) -> Result<(), OptimizerError> {
        let (selection, algorithm) = ("added later".to_owned(), algorithm.into());
        let added = ParameterGroup::new(Assigned { selection, algorithm, parameters })?;
        check_groups(&self.groups.iter().chain([&added]).collect::<Vec<_>>(), self.is_routed)?;
        self.groups.push(added);
        Ok(())
    }

    /// Updates every parameter that has a gradient. It records nothing for autograd, and does not wait for the device.
    ///
    /// After a [`GradScaler`](crate::precision::GradScaler) has unscaled the gradients of a scaled loss, it steps as
    /// [`step_unless`](Self::step_unless) does.
    ///
    /// # Errors
    /// If a gradient is sparse; if the trainer scales the loss, and the gradients are still scaled; if a parameter was moved or
    /// converted after its first step; if the algorithm is L-BFGS, which steps by [`step_on`](Self::step_on); if an operation
    /// of libtorch fails.
    pub fn step(&mut self) -> Result<(), OptimizerError> {
        let found_inf = self.take_found_inf()?;
        self.step_groups(found_inf.as_ref())
    }

    /// Advances a step by one evaluation of the loss. L-BFGS needs several; all other algorithms call [`step`](Self::step),
    /// with or without a loss, and return [`Progress::Done`].
    ///
    /// Pass the loss (0-dim) of the current parameters, after the backward pass. After [`Progress::Again`] the parameters have
    /// moved: call it again with new gradients and the new loss. See [`Lbfgs`](super::Lbfgs) for the loop.
    ///
    /// # Errors
    /// As [`step`](Self::step), and if the loss of L-BFGS is missing or not a single number.
    pub fn step_on(&mut self, loss: Option<&Tensor>) -> Result<Progress, OptimizerError> {
        let optimizer = self.name();
        let (Some(state), Algorithm::Lbfgs(lbfgs)) = (&mut self.lbfgs, self.groups[0].algorithm()) else {
            self.step()?;
            return Ok(Progress::Done);
        };
        let loss = loss.ok_or(OptimizerError::NeedsLoss { optimizer })?;
        if loss.numel() != 1 {
            return Err(OptimizerError::LossShape { optimizer, shape: loss.size() });
        }
        let progress = state.step(lbfgs, self.groups[0].parameters(), loss);
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
            let optimizer = group.algorithm().name();
            group.step(found_inf).map_err(|error| OptimizerError::libtorch(optimizer, "step", error))?;
        }
        self.steps += 1;
        Ok(())
    }

    /// The groups, in the order in which they were given. The first is that of the parameters that no pattern matched, if
    /// there is one.
    pub fn groups(&self) -> &[ParameterGroup] {
        &self.groups
    }

    /// Returns the groups for changing their hyperparameters.
    pub fn groups_mut(&mut self) -> &mut [ParameterGroup] {
        &mut self.groups
    }

    /// The algorithm of the first group, with its current hyperparameters, including the learning rate.
    pub fn algorithm(&self) -> &Algorithm {
        self.groups[0].algorithm()
    }

    /// Returns the parameters of all groups with their names, as handles, so that a hook can log while it iterates over them.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore }
    /// #[lightning_module]
    /// impl Model {
    ///     fn on_before_optimizer_step(&self, ctx: &mut Context, optimizer: OptimizerIndex) {
    ///         for (name, parameter) in ctx.optimizer(optimizer).parameters() {
    ///             ctx.log(name, parameter.grad().norm());
    ///         }
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    pub fn parameters(&self) -> impl Iterator<Item = (String, Tensor)> + use<> {
        let handles = self.borrowed_parameters().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        handles.collect::<Vec<_>>().into_iter()
    }

    /// Returns the names of the parameters of each group.
    pub(crate) fn names_by_group(&self) -> Vec<Vec<String>> {
        let names = |group: &ParameterGroup| group.parameters().iter().map(|(name, _)| name.clone()).collect();
        self.groups.iter().map(names).collect()
    }

    /// The parameters of all groups with their names.
    pub(crate) fn borrowed_parameters(&self) -> impl Iterator<Item = &(String, Tensor)> {
        self.groups.iter().flat_map(ParameterGroup::parameters)
    }

    /// The learning rate of the first group.
    pub fn lr(&self) -> f64 {
        self.groups[0].lr()
    }

    /// Sets the learning rate of all groups from the next step on.
    pub fn set_lr(&mut self, lr: f64) {
        for group in &mut self.groups {
            group.set_lr(lr);
        }
    }

    /// The number of steps taken, including those that [`step_unless`](Self::step_unless) skipped.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Sets the number of steps taken, which is not part of [`state`](Self::state), when training is resumed. It does not
    /// affect the results.
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

/// Checks that the groups can belong to one optimizer.
fn check_groups(groups: &[&ParameterGroup], is_routed: bool) -> Result<(), OptimizerError> {
    let first = groups[0];
    if !is_routed {
        groups.iter().try_for_each(|group| first.require_kind_of(group.algorithm()))?;
    }
    let optimizer = first.algorithm().name();
    let parameters: Vec<&(String, Tensor)> = groups.iter().flat_map(|group| group.parameters()).collect();
    check_parameters(optimizer, &parameters)?;
    groups.iter().try_for_each(|group| group.check_parameters())?;
    if let Some(lbfgs) = groups.iter().find(|group| matches!(group.algorithm(), Algorithm::Lbfgs(_))) {
        check_for_lbfgs(lbfgs.algorithm().name(), groups.len(), &parameters)?;
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
            "it does not require a gradient; remove it, or call `set_requires_grad(true)`".to_owned()
        } else if !tensor.is_leaf() {
            "it is computed from other tensors; optimize those".to_owned()
        } else if names.insert(name, ()).is_some() {
            "another parameter has the same name".to_owned()
        } else if let Some(first) = identities.insert(TensorIdentity::of(tensor), name) {
            format!("it is the same tensor as `{first}`; pass a shared parameter once")
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
                "it is on {:?} and `{first}` is on {:?}, but all parameters must be on the same device",
                other.device(),
                tensor.device()
            ),
        }),
    }
}
