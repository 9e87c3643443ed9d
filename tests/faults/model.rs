//! A model that goes wrong where a test says so.

use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{Error, RunContext, module::Optimizers};

/// What a training step does with its loss.
pub type Fault = Box<dyn FnMut(&mut RunContext, Tensor) -> Result<Tensor>>;

/// One linear layer, 2 to 1, with weights 0. `fault` gets the loss of each training step and returns it, or another.
pub struct Net {
    /// Its parameters.
    pub vs: nn::VarStore,
    /// Its layer.
    pub layer: nn::Linear,
    /// What steps it.
    pub optimizers: Optimizers,
    /// What becomes of its losses.
    pub fault: Fault,
    batches: Vec<usize>,
    /// What it tells.
    pub events: Events,
}

/// What happened, told by module, callbacks and loggers.
#[derive(Clone, Default)]
pub struct Events(Rc<RefCell<Vec<String>>>);

impl Events {
    /// Tells an event.
    pub fn tell(&self, event: impl Into<String>) {
        self.0.borrow_mut().push(event.into());
    }

    /// All that was told.
    pub fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Net {
    /// A net with this fault.
    pub fn new(fault: impl FnMut(&mut RunContext, Tensor) -> Result<Tensor> + 'static) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "layer", 2, 1, nn::LinearConfig::default());
        let net = Self {
            vs,
            layer,
            optimizers: Sgd::new(0.1).into(),
            fault: Box::new(fault),
            batches: (0..6).collect(),
            events: Events::default(),
        };
        tch::no_grad(|| net.vs.variables().values_mut().for_each(|weight| drop(weight.zero_())));
        net
    }

    /// Sets the optimizers, in place of SGD with a rate of 0.1.
    pub fn optimizers(self, optimizers: impl Into<Optimizers>) -> Self {
        Self { optimizers: optimizers.into(), ..self }
    }

    /// Of the six batches, those that the loader has.
    pub fn batches(self, batches: &[usize]) -> Self {
        Self { batches: batches.to_owned(), ..self }
    }

    /// The weights, and last the bias.
    pub fn weights(&self) -> Vec<f64> {
        Vec::try_from(
            Tensor::cat(&[self.layer.ws.flatten(0, -1), self.layer.bs.as_ref().unwrap().shallow_clone()], 0)
                .to_kind(Kind::Double),
        )
        .unwrap()
    }
}

/// The fault that makes the loss of some batches of the first epoch NaN.
pub fn nan_at(batches: &'static [usize]) -> impl FnMut(&mut RunContext, Tensor) -> Result<Tensor> + 'static {
    move |ctx, loss| {
        let is_bad = ctx.current_epoch() == 0 && batches.contains(&ctx.batch_idx().unwrap());
        Ok(if is_bad { loss * f64::NAN } else { loss })
    }
}

#[lightning_module]
impl Net {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<Tensor> {
        let loss = self.layer.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean);
        let loss = (self.fault)(ctx, loss)?;
        ctx.log("train_loss", &loss);
        Ok(loss)
    }

    fn configure_optimizers(&self) -> Optimizers {
        self.optimizers.clone()
    }

    pub fn train_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        let x = Tensor::arange(24, (Kind::Float, Device::Cpu)).view([6, 2, 2]) / 10.0;
        let chosen: Vec<i64> = self.batches.iter().map(|batch| *batch as i64).collect();
        let x = x.index_select(0, &Tensor::from_slice(&chosen)).view([-1, 2]);
        let y = x.sum_dim_intlist([1i64].as_slice(), true, Kind::Float).sin();
        Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(2))
    }

    fn on_exception(&self, exception: &Error) {
        self.events.tell(format!("module: {exception}"));
    }

    fn teardown(&self) {
        self.events.tell("module: teardown");
    }
}

/// A run that writes nothing.
pub fn config() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(2),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}
