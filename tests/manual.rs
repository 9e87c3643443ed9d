//! Manual optimization where automatic optimization does the same.
#![allow(missing_docs)]

use tch_lightning::optim::{Lbfgs, Progress};
use tch_lightning::prelude::*;
use tch_lightning::{
    LightningModule, Loaders,
    module::{Optimizes, Trains},
};

type Rows = (Tensor, Tensor);

fn layer() -> (nn::VarStore, nn::Linear) {
    let vs = nn::VarStore::new(Device::Cpu);
    let config = nn::LinearConfig { ws_init: nn::Init::Const(0.5), bs_init: Some(nn::Init::Const(0.0)), bias: true };
    let layer = nn::linear(vs.root() / "layer", 2, 1, config);
    (vs, layer)
}

fn loss(layer: &nn::Linear, (x, y): &Rows) -> Tensor {
    layer.forward(x).mse_loss(y, tch::Reduction::Mean)
}

struct Automatic {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Automatic {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Rows) -> Tensor {
        loss(&self.layer, batch)
    }

    fn configure_optimizers(&self) -> Lbfgs {
        Lbfgs::new(0.1)
    }
}

struct Manual {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Result<()> {
        loop {
            let loss = loss(&self.layer, batch);
            ctx.optimizer(0).zero_grad()?;
            ctx.manual_backward(self, &loss)?;
            if ctx.manual_step_on(self, 0, &loss)? == Progress::Done {
                return Ok(());
            }
        }
    }

    fn configure_optimizers(&self) -> Lbfgs {
        Lbfgs::new(0.1)
    }
}

/// Trains on three batches. Returns the steps that were counted.
fn trained<M: LightningModule<Batch = Rows> + Trains + Optimizes>(module: &mut M) -> usize {
    let x = Tensor::arange(12, (Kind::Float, Device::Cpu)).sin().view([6, 2]);
    let y = x.sum_dim_intlist([1i64].as_slice(), true, Kind::Float) * 2.0 + 1.0;
    let loader = DataLoader::new(TensorDataset::new((x, y)).unwrap()).batch_size(2);
    let mut trainer = Trainer::new(TrainerConfig {
        max_epochs: Some(1),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    });
    trainer.fit(module, Loaders::train(loader)).unwrap();
    trainer.context().global_step()
}

#[test]
fn lbfgs_steps_by_hand_as_by_itself() {
    let [(vs, own), (other_vs, other)] = [layer(), layer()];
    let (mut automatic, mut manual) = (Automatic { vs, layer: own }, Manual { vs: other_vs, layer: other });
    assert_eq!((trained(&mut automatic), trained(&mut manual)), (3, 3));
    assert_eq!(automatic.layer.ws, manual.layer.ws);
    assert_ne!(automatic.layer.ws, layer().1.ws);
}

/// A helper that the macro does not see steps an optimizer as in Python.
struct SteppedByItself(Manual);

impl SteppedByItself {
    fn update(&self, ctx: &mut Context) -> Result<()> {
        Ok(ctx.optimizer(0).step()?)
    }
}

#[lightning_module(automatic_optimization = false)]
impl SteppedByItself {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Result<()> {
        ctx.manual_backward(self, &loss(&self.0.layer, batch))?;
        self.update(ctx)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

#[test]
fn step_that_is_not_counted_ends_the_run() {
    let (vs, layer) = layer();
    let mut module = SteppedByItself(Manual { vs, layer });
    let loader = DataLoader::new(
        TensorDataset::new((
            Tensor::ones([2, 2], (Kind::Float, Device::Cpu)),
            Tensor::ones([2, 1], (Kind::Float, Device::Cpu)),
        ))
        .unwrap(),
    );
    let config = TrainerConfig {
        max_epochs: Some(1),
        logger: false.into(),
        enable_checkpointing: false,
        ..TrainerConfig::default()
    };
    let error = Trainer::new(config).fit(&mut module, Loaders::train(loader)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`training_step` failed in `fit` at epoch 0, batch 0: an optimizer was stepped by its own `step`, which calls no hooks and is not counted \
         as a step of the run: write `ctx.manual_step(self, 0)?` in place of `ctx.optimizer(0).step()?`"
    );
}
