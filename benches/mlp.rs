//! The network of the benchmarks, 32-64-2.

use super::SharedSteps;
use std::rc::Rc;
use tch_lightning::prelude::*;

/// The rows of a batch.
pub const BATCH: usize = 16;
/// The learning rate.
pub const LR: f64 = 1e-3;

/// Inputs and classes.
pub type Rows = (Tensor, Tensor);

/// Returns random rows `[count, 32] f32` and their classes `[count] i64`.
pub fn rows(count: i64) -> Rows {
    let inputs = Tensor::randn([count, 32], (Kind::Float, Device::Cpu));
    let classes = inputs.select(1, 0).gt(0.0).to_kind(Kind::Int64);
    (inputs, classes)
}

/// The network, which marks the beginning of each step.
pub struct Mlp {
    /// Its parameters.
    pub vs: nn::VarStore,
    net: nn::Sequential,
    steps: SharedSteps,
}

impl Mlp {
    /// Creates a network with random weights.
    pub fn new(device: Device, steps: &SharedSteps) -> Self {
        let vs = nn::VarStore::new(device);
        let root = vs.root();
        let net = nn::seq()
            .add(nn::linear(&root / "fc1", 32, 64, nn::LinearConfig::default()))
            .add_fn(|x| x.relu())
            .add(nn::linear(&root / "fc2", 64, 2, nn::LinearConfig::default()));
        Self { vs, net, steps: Rc::clone(steps) }
    }

    /// Begins a step, and returns its loss.
    pub fn loss(&self, inputs: &Tensor, classes: &Tensor) -> Tensor {
        self.steps.borrow_mut().mark();
        self.net.forward(inputs).cross_entropy_for_logits(classes)
    }
}

#[lightning_module]
impl Mlp {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Tensor {
        let (inputs, classes) = batch;
        let loss = self.loss(inputs, classes);
        ctx.log("train_loss", &loss);
        loss
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(LR)
    }
}
