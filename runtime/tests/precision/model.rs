//! The table's linear model, with three ways to step its optimizer.

use crate::table::{TABLE, Training};
use tch_lightning::prelude::*;
use tch_lightning::{Loaders, device::Accelerator, trainer::NonFiniteLoss};

pub type Rows = (Tensor, Tensor);

/// The model, and its values after each step.
pub struct Linear {
    pub vs: nn::VarStore,
    layer: nn::Linear,
    pub training: &'static Training,
    pub points: Vec<Vec<f64>>,
    pub scales: Vec<f64>,
}

impl Linear {
    pub fn new(training: &'static Training) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let mut layer = nn::linear(vs.root(), 3, 2, nn::LinearConfig::default());
        tch::no_grad(|| {
            layer.ws.copy_(&Tensor::from_slice(TABLE.weight.as_flattened()).view([2, 3]));
            layer.bs.as_mut().unwrap().copy_(&Tensor::from_slice(&TABLE.bias));
        });
        Self { vs, layer, training, points: Vec::new(), scales: Vec::new() }
    }

    pub fn loss_of(&self, (inputs, targets): &Rows) -> Tensor {
        self.layer.forward(inputs).mse_loss(targets, tch::Reduction::Mean)
    }

    pub fn loss(&self, ctx: &Context, batch: &Rows, batch_idx: usize) -> Tensor {
        let loss = self.loss_of(batch);
        let is_infinite = self.training.infinite_at.contains(&(ctx.current_epoch() * 2 + batch_idx));
        if is_infinite { loss * f64::INFINITY } else { loss }
    }

    fn note(&mut self, ctx: &Context) {
        let parameters = [&self.layer.ws, self.layer.bs.as_ref().unwrap()];
        let values = Tensor::cat(&parameters.map(|tensor| tensor.detach().to_kind(Kind::Double).flatten(0, -1)), 0);
        self.points.push(values.try_into().unwrap());
        self.scales.push(ctx.grad_scaler().map_or(1.0, |scaler| scaler.get_scale().double_value(&[])));
    }
}

pub fn config(precision: Precision) -> TrainerConfig {
    TrainerConfig {
        accelerator: Accelerator::Cpu,
        precision,
        max_epochs: Some(TABLE.epochs),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        // the scaler is tested with infinite losses
        on_non_finite_loss: NonFiniteLoss::Ignore,
        ..TrainerConfig::default()
    }
}

pub fn loaders() -> Loaders<Rows> {
    let inputs = Tensor::from_slice(TABLE.inputs.as_flattened()).view([-1, 3]);
    let targets = Tensor::from_slice(TABLE.targets.as_flattened()).view([-1, 2]);
    Loaders::train(DataLoader::new(TensorDataset::new((inputs, targets)).unwrap()).batch_size(2))
}

pub struct Automatic(pub Linear);

#[lightning_module]
impl Automatic {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Tensor {
        self.0.loss(ctx, batch, batch_idx)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1).momentum(0.9)
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context) {
        self.0.note(ctx);
    }
}

/// The model with an `optimizer_step` of its own.
pub struct Stepping(pub Linear);

#[lightning_module]
impl Stepping {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Tensor {
        self.0.loss(ctx, batch, batch_idx)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1).momentum(0.9)
    }

    fn optimizer_step(
        &mut self,
        ctx: &mut Context,
        optimizer: OptimizerIndex,
        closure: &mut StepClosure<'_, Self>,
    ) -> Result<()> {
        closure.run(self, ctx)?;
        ctx.optimizer(optimizer).step()?;
        Ok(())
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context) {
        self.0.note(ctx);
    }
}

pub struct Manual(pub Linear);

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<()> {
        let loss = self.0.loss(ctx, batch, batch_idx);
        ctx.optimizer(0).zero_grad()?;
        ctx.manual_backward(self, &loss)?;
        if let Some(clip) = self.0.training.clip {
            ctx.clip_gradients(0, clip, tch_lightning::trainer::GradientClipAlgorithm::Norm)?;
        }
        Ok(ctx.manual_step(self, 0)?)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1).momentum(0.9)
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context) {
        self.0.note(ctx);
    }
}
