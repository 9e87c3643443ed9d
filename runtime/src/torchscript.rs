//! A module's computation in TorchScript, for programs without its Rust code, such as Python or C++.
//!
//! [`trace`] records what a module computes from inputs; [`Trainer::to_torchscript`](crate::Trainer::to_torchscript), and `export --torchscript` on
//! the command line, what `predict_step` computes from a batch. The other way, a model that Python scripted or traced is part of a module as tch's
//! `TrainableCModule`, whose parameters are in the module's `VarStore`: the trainer trains and saves them as all others.
//!
//! ```
//! use tch_lightning::prelude::*;
//! use tch_lightning::torchscript;
//! # struct Model { vs: nn::VarStore, net: nn::Linear }
//! # #[lightning_module]
//! # impl Model {
//! #     fn new() -> Self {
//! #         let vs = nn::VarStore::new(Device::Cpu);
//! #         let net = nn::linear(vs.root(), 3, 2, Default::default());
//! #         Self { vs, net }
//! #     }
//! #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
//! #     fn training_step(&mut self, batch: &Tensor) -> Tensor { self.forward(batch).sum(Kind::Float) }
//! #     fn configure_optimizers(&mut self) -> Sgd { Sgd::new(0.1) }
//! #     fn forward(&self, inputs: &Tensor) -> Tensor { self.net.forward(inputs).dropout(0.1, is_training()) }
//! # }
//!
//! # fn main() -> Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("model.pt");
//! let mut model = Model::new(); // or Model::load_from_checkpoint("model.ckpt")?
//! let inputs = Tensor::randn([4, 3], (Kind::Float, Device::Cpu));
//! let script = torchscript::trace(&mut model, &[&inputs], |model, inputs| Ok(model.forward(&inputs[0])))?;
//! script.save(&path)?; // torch.jit.load("model.pt") in Python
//!
//! let others = Tensor::randn([9, 3], (Kind::Float, Device::Cpu));
//! let loaded = tch::CModule::load(&path)?;
//! assert!(loaded.forward_ts(&[&others])?.allclose(&model.forward(&others), 1e-5, 1e-6, false));
//! # Ok(())
//! # }
//! ```

pub use crate::computation_trace::TorchScriptError;

use crate::computation_trace::Traced;
use crate::data::{Batch, tensors_of};
use crate::module::{LightningModule, variables};
use crate::native::UnreadInputs;
use crate::training_mode::TrainingMode;
use anyhow::Result;
use std::borrow::Borrow;
use tch::{CModule, Tensor};

/// Traces what `forward` computes from tensors: [`torch.jit.trace`](https://docs.pytorch.org/docs/stable/generated/torch.jit.trace.html).
///
/// The traced module has copies of the parameters and buffers under their names, with the values that they have now, so that Python's
/// `state_dict()`, `parameters()` and `to(device)` work. It returns a tensor, or a tuple of the tensors if `forward` returns
/// several. Dropout and batch normalization by [`is_training`](crate::is_training) act as in prediction. The traced module has computed the
/// outputs for `inputs` again, equal within 1e-5, when this function returns it.
///
/// A trace repeats the operations that were recorded: a branch that was taken is always taken, and a number that was read from a tensor is
/// always the same, as is a size that was read. A warning says if numbers were read, and if the traced module does not compute the same as
/// the module for another batch size or another length of a later dimension.
///
/// # Errors
/// [`TorchScriptError::NoInputs`] without inputs; [`TorchScriptError::Name`] for a layer with a name such as `class`;
/// [`TorchScriptError::Forward`] for an error or a panic of `forward`;
/// [`TorchScriptError::Constant`] for an output that does not depend on the inputs; [`TorchScriptError::Trace`] if libtorch cannot trace
/// it; [`TorchScriptError::Differs`] if the traced module computes something else.
pub fn trace<M: LightningModule, T: Borrow<Tensor>, O: Batch>(
    module: &mut M,
    inputs: &[T],
    mut forward: impl FnMut(&mut M, &[Tensor]) -> Result<O>,
) -> Result<CModule, TorchScriptError> {
    let inputs: Vec<Tensor> = inputs.iter().map(|input| input.borrow().detach()).collect();
    let _mode = TrainingMode::enter(false);
    let parameters = variables(module.parameters());
    let mut compute = |inputs: &[Tensor]| Ok(tensors_of(&forward(module, inputs)?));
    Ok(Traced::record(&parameters, &inputs, UnreadInputs::Keep, &mut compute)?.module)
}
