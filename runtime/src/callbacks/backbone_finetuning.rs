//! Trains the head of a model first, and later its backbone.

use crate::context::phase::{Epoch, Outside};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::json;
use crate::messages;
use crate::module::{Callback, LightningModule, NamedParameter, trainable};
use crate::optim::{Optimizer, Pattern};
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;
use tch::nn::VarStore;

/// Freezes the backbone of a module, and trains it from a given epoch on with a separate learning rate, which grows until it
/// reaches that of the other parameters. Lightning's
/// [`BackboneFinetuning`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.BackboneFinetuning.html),
/// with its defaults.
///
/// The backbone consists of the parameters whose names match a [pattern](crate::optim::ParameterGroups#patterns). They must
/// exist when [`setup`](crate::Callback::setup) is called: later, the optimizers are created from the parameters that require
/// a gradient. The parameters of batch norms are not frozen. When the backbone's epoch begins, its parameters that are not in
/// the first optimizer yet are appended to it as a parameter group, with the hyperparameters of the first group.
///
/// ```
/// use tch_lightning::callbacks::BackboneFinetuning;
///
/// // from the sixth epoch on, starting at a hundredth of the head's rate, multiplied by 1.5 at each further epoch
/// let finetuning = BackboneFinetuning::new("encoder.**")
///     .unfreeze_backbone_at_epoch(5)
///     .backbone_initial_ratio_lr(0.01)
///     .lambda_func(|_epoch| 1.5);
/// ```
///
/// # Errors
/// `fit` fails if the pattern is malformed or matches no parameter, or if the module does not have an optimizer.
#[must_use]
pub struct BackboneFinetuning {
    /// The pattern of the backbone's parameters. Default `backbone.**`.
    pub backbone: String,
    /// The epoch, from 0, at which training of the backbone begins. Default 10.
    pub unfreeze_backbone_at_epoch: usize,
    /// The backbone's initial learning rate, as a fraction of that of the first parameter group. Default 0.1.
    pub backbone_initial_ratio_lr: f64,
    /// The backbone's initial learning rate, in place of a fraction. Default none.
    pub backbone_initial_lr: Option<f64>,
    /// Whether the backbone's learning rate is capped at that of the first group. Default true.
    pub should_align: bool,
    /// Whether the parameters of batch norms join the backbone's group, unless they are in the optimizer already. Default true.
    pub train_bn: bool,
    /// Whether to print the learning rates. Default false.
    pub verbose: bool,
    lambda_func: Box<dyn Fn(usize) -> f64>,
    state: State,
    /// The index of the backbone's group in the optimizer; `None` if the optimizer already had the complete backbone.
    group: Option<usize>,
}

/// The state that checkpoints contain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// The backbone's learning rate; `None` while it is frozen.
    previous_backbone_lr: Option<f64>,
    /// The epoch in which the rate was last set.
    #[serde(default)]
    latest_epoch: Option<usize>,
}

impl Default for BackboneFinetuning {
    fn default() -> Self {
        Self::new("backbone.**")
    }
}

impl BackboneFinetuning {
    /// Creates a callback that freezes the parameters whose names match this pattern for ten epochs.
    pub fn new(backbone: impl Into<String>) -> Self {
        Self {
            backbone: backbone.into(),
            unfreeze_backbone_at_epoch: 10,
            backbone_initial_ratio_lr: 0.1,
            backbone_initial_lr: None,
            should_align: true,
            train_bn: true,
            verbose: false,
            lambda_func: Box::new(|_| 2.0),
            state: State::default(),
            group: None,
        }
    }

    /// Sets the epoch, from 0, at which training of the backbone begins.
    pub fn unfreeze_backbone_at_epoch(self, epoch: usize) -> Self {
        Self { unfreeze_backbone_at_epoch: epoch, ..self }
    }

    /// Sets the factor by which the backbone's learning rate is multiplied at the beginning of an epoch, as a function of the
    /// epoch's number, from 1, as in Lightning. Default 2.
    pub fn lambda_func(self, lambda_func: impl Fn(usize) -> f64 + 'static) -> Self {
        Self { lambda_func: Box::new(lambda_func), ..self }
    }

    /// Sets the backbone's initial learning rate as a fraction of that of the first parameter group.
    pub fn backbone_initial_ratio_lr(self, ratio: f64) -> Self {
        Self { backbone_initial_ratio_lr: ratio, ..self }
    }

    /// Sets the backbone's initial learning rate.
    pub fn backbone_initial_lr(self, lr: f64) -> Self {
        Self { backbone_initial_lr: Some(lr), ..self }
    }

    /// Sets whether the backbone's learning rate is capped at that of the first group.
    pub fn should_align(self, should_align: bool) -> Self {
        Self { should_align, ..self }
    }

    /// Sets whether the parameters of batch norms join the backbone's group.
    pub fn train_bn(self, train_bn: bool) -> Self {
        Self { train_bn, ..self }
    }

    /// Sets whether to print the learning rates.
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// Returns the backbone's parameters, each with whether it belongs to a batch norm.
    fn backbone_of(&self, store: &VarStore) -> Result<Vec<(NamedParameter, bool)>, Error> {
        let pattern = Pattern::new(NAME, &self.backbone)?;
        let norms = norms(store);
        let parameters = trainable(store).into_iter().filter(|(name, _)| pattern.matches(name));
        let parameters = parameters.map(|parameter| {
            let is_norm = parameter.0.rsplit_once('.').is_some_and(|(layer, _)| norms.contains(layer));
            (parameter, is_norm)
        });
        Ok(parameters.collect())
    }

    fn freeze(&self, store: &VarStore) -> Result<(), Error> {
        let backbone = self.backbone_of(store)?;
        if backbone.is_empty() {
            return Err(Error::configuration(format!(
                "{NAME}: no parameter name matches `{}`: create the backbone before `setup`",
                self.backbone
            )));
        }
        for ((_, tensor), is_norm) in backbone {
            let _ = tensor.set_requires_grad(is_norm);
        }
        Ok(())
    }

    /// Unfreezes the backbone and adds it to the optimizer as a group.
    fn unfreeze(&mut self, store: &VarStore, optimizer: &mut Optimizer, lr: f64) -> Result<()> {
        let mut backbone = self.backbone_of(store)?;
        for ((_, tensor), _) in &backbone {
            let _ = tensor.set_requires_grad(true);
        }
        let has: HashSet<&String> = optimizer.borrowed_parameters().map(|(name, _)| name).collect();
        backbone.retain(|((name, _), is_norm)| !has.contains(name) && (self.train_bn || !is_norm));
        if backbone.is_empty() {
            return Ok(());
        }
        let mut algorithm = optimizer.algorithm().clone();
        algorithm.set_lr(lr);
        let parameters = backbone.into_iter().map(|(parameter, _)| parameter).collect();
        self.group = Some(optimizer.groups().len());
        Ok(optimizer.add_parameter_group(algorithm, parameters)?)
    }

    /// Returns the backbone's learning rate in the epoch that begins; `None` while it is frozen.
    fn next_lr(&self, epoch: usize, lr: f64) -> Option<f64> {
        let is_due = epoch >= self.unfreeze_backbone_at_epoch;
        let next = match self.state.previous_backbone_lr {
            None => return is_due.then(|| self.backbone_initial_lr.unwrap_or(lr * self.backbone_initial_ratio_lr)),
            Some(previous) => (self.lambda_func)(epoch + 1) * previous,
        };
        Some(if self.should_align { next.min(lr) } else { next })
    }

    fn begin_epoch(&mut self, ctx: &mut RunContext, store: &VarStore) -> Result<()> {
        let epoch = ctx.current_epoch();
        // a resumed run may begin an epoch again
        if self.state.latest_epoch == Some(epoch) {
            return Ok(());
        }
        let optimizer = ctx.optimizer(0);
        let lr = optimizer.lr();
        let Some(backbone_lr) = self.next_lr(epoch, lr) else { return Ok(()) };
        if self.state.previous_backbone_lr.is_none() {
            self.unfreeze(store, optimizer, backbone_lr)?;
        } else if let Some(group) = self.group {
            optimizer.groups_mut()[group].set_lr(backbone_lr);
        }
        self.state.previous_backbone_lr = Some(backbone_lr);
        self.state.latest_epoch = Some(epoch);
        if self.verbose {
            messages::info!({ epoch, lr, backbone_lr }, "epoch {epoch}: learning rate {lr}, backbone {backbone_lr}");
        }
        Ok(())
    }
}

const NAME: &str = "BackboneFinetuning";

/// Returns the names of the batch-norm layers.
fn norms(store: &VarStore) -> HashSet<String> {
    let names = store.variables().into_keys();
    names.filter_map(|name| name.strip_suffix(".running_mean").map(str::to_owned)).collect()
}

impl fmt::Debug for BackboneFinetuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = &mut f.debug_struct(NAME);
        fields.field("backbone", &self.backbone).field("state", &self.state).finish_non_exhaustive()
    }
}

impl<M: LightningModule> Callback<M> for BackboneFinetuning {
    fn name(&self) -> &'static str {
        NAME
    }

    fn setup(&mut self, _: &mut Context<Outside>, module: &mut M, stage: Stage) -> Result<()> {
        if stage == Stage::Fit {
            (self.state, self.group) = (State::default(), None);
            self.freeze(module.parameters())?;
        }
        Ok(())
    }

    /// Adds the group of a resumed run again, before the state of the optimizer is restored.
    fn on_fit_start(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
        if ctx.optimizers().is_empty() {
            return Err(Error::configuration(format!("{NAME}: the module does not have an optimizer")).into());
        }
        match self.state.previous_backbone_lr {
            Some(lr) => self.unfreeze(module.parameters(), ctx.optimizer(0), lr),
            None => Ok(()),
        }
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context<Epoch>, module: &mut M) -> Result<()> {
        self.begin_epoch(ctx, module.parameters())
    }

    fn state_dict(&mut self, _: &mut Context<Outside>) -> Result<Value> {
        Ok(json::to_value(&self.state)?)
    }

    fn load_state_dict(&mut self, _: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        self.state = json::from_value(state_dict)?;
        Ok(())
    }
}
