use super::case::Model;
use super::events::{Events, Shown, raise};
use super::rows::Rows;
use tch_lightning::prelude::*;
use tch_lightning::{
    LightningModule, RunContext,
    module::{Optimizes, Predicts, Tests, Trains, Validates},
};

/// One linear layer, 4 to 1, that notes every hook.
pub(super) struct Recording {
    pub(super) vs: nn::VarStore,
    pub(super) layer: nn::Linear,
    pub(super) model: Model,
    events: Events,
    /// The validations so far, the sanity check aside.
    pub(super) validations: usize,
}

/// The rank of this process, before a trainer has one.
pub(super) fn own_rank() -> i64 {
    std::env::var("RANK").ok().and_then(|rank| rank.parse().ok()).unwrap_or(0)
}

/// A module that records.
pub(super) trait Records:
    LightningModule<Prediction = Tensor> + Trains + Optimizes + Validates + Tests + Predicts
{
    fn new(recording: Recording) -> Self;

    fn recording(&self) -> &Recording;
}

impl Recording {
    pub(super) fn new(model: Model, events: Events) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let mut layer = nn::linear(vs.root(), 4, 1, nn::LinearConfig::default());
        let weight: Vec<f32> = (0..4).map(|k| (f64::from(k + 1).sin() / 2.0) as f32).collect();
        tch::no_grad(|| {
            layer.ws.copy_(&Tensor::from_slice(&weight).view([1, 4]));
            let bias = if model.perturb_ranks { own_rank() } else { 0 };
            let _ = layer.bs.as_mut().map(|zero| zero.fill_(bias));
        });
        Self { vs, layer, model, events, validations: 0 }
    }

    pub(super) fn note(&self, hook: &str, ctx: &RunContext, shown: Shown) -> Result<()> {
        self.events.note(hook, ctx, shown);
        raise(self.model.raise.as_ref(), hook, ctx, shown)
    }

    pub(super) fn note_if_overridden(&self, hook: &str, ctx: &RunContext) -> Result<()> {
        if self.model.overridden.iter().any(|overridden| overridden == hook) {
            self.note(hook, ctx, Shown::default())?;
        }
        Ok(())
    }

    pub(super) fn loss(&self, (x, y): &Rows) -> Tensor {
        self.layer.forward(x).mse_loss(y, tch::Reduction::Mean) * self.model.loss_scale
    }
}
