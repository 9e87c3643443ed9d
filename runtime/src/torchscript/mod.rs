//! A module's computation in TorchScript, for programs without its Rust code, such as Python or C++.
//!
//! [`trace`] records what a module computes from inputs. The other way, a model that Python scripted or traced is part of a module as tch's
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

mod error;

pub use error::TorchScriptError;

use crate::module::{LightningModule, variables};
use crate::panic;
use crate::training_mode::TrainingMode;
use anyhow::Result;
use std::borrow::Borrow;
use tch::nn::VarStore;
use tch::{CModule, Kind, TchError, Tensor, no_grad};

/// The largest difference of a traced module's outputs, as a part of the value and for values near 0.
const TOLERANCE: f64 = 1e-5;

/// Traces what `forward` computes from tensors: [`torch.jit.trace`](https://docs.pytorch.org/docs/stable/generated/torch.jit.trace.html).
///
/// The parameters become constants of the traced module, with the values that they have now. Dropout and batch normalization by
/// [`is_training`](crate::is_training) act as in prediction. `requires_grad` of the parameters is false while `forward` is called, and as before
/// afterwards. The traced module has computed the outputs for `inputs` again, equal within 1e-5, when this function returns it.
///
/// A trace repeats the operations that were recorded: a branch that was taken is always taken, and a number that was read from a tensor is
/// always the same. The sizes of other inputs may differ where the operations allow it. Compare its outputs for inputs of other
/// sizes and values with those of the module.
///
/// # Errors
/// [`TorchScriptError::NoInputs`] without inputs; [`TorchScriptError::Forward`] for an error or a panic of `forward`;
/// [`TorchScriptError::Trace`] if libtorch cannot trace it; [`TorchScriptError::Differs`] if the traced module computes something else.
pub fn trace<M: LightningModule, T: Borrow<Tensor>>(
    module: &mut M,
    inputs: &[T],
    mut forward: impl FnMut(&mut M, &[Tensor]) -> Result<Tensor>,
) -> Result<CModule, TorchScriptError> {
    let inputs: Vec<Tensor> = inputs.iter().map(|input| input.borrow().detach()).collect();
    let Some(any_output) = inputs.first().map(Tensor::shallow_clone) else {
        return Err(TorchScriptError::NoInputs);
    };
    let _mode = TrainingMode::enter(false);
    let _frozen = Frozen::parameters_of(module.parameters());
    let mut call = |inputs: &[Tensor]| panic::catch(|| forward(module, inputs));
    let expected = no_grad(|| call(&inputs)).map_err(TorchScriptError::Forward)?;
    let mut failure = None;
    let traced = CModule::create_by_tracing("Module", "forward", &inputs, &mut |inputs| {
        // tracing ends with any output alone
        vec![call(inputs).unwrap_or_else(|error| {
            failure = Some(error);
            any_output.shallow_clone()
        })]
    });
    if let Some(error) = failure {
        return Err(TorchScriptError::Forward(error));
    }
    // the constants are the parameters themselves, which are trained later: a file has copies without gradients
    let traced = traced.and_then(|traced| reloaded(&traced)).map_err(TorchScriptError::trace)?;
    let found = no_grad(|| traced.forward_ts(&inputs)).map_err(TorchScriptError::trace)?;
    if found.size() != expected.size() || found.kind() != expected.kind() {
        return Err(TorchScriptError::Differs { difference: format!("{found:?} instead of {expected:?}") });
    }
    if !found.allclose(&expected, TOLERANCE, TOLERANCE, true) {
        let largest = (found - expected).to_kind(Kind::Double).abs().max().double_value(&[]);
        return Err(TorchScriptError::Differs { difference: format!("the largest difference is {largest:.3e}") });
    }
    Ok(traced)
}

fn reloaded(module: &CModule) -> Result<CModule, TchError> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("module.pt");
    module.save(&path)?;
    CModule::load(&path)
}

/// Parameters without gradients, which a trace would refuse as constants. Dropping it turns them on again.
struct Frozen(Vec<Tensor>);

impl Frozen {
    fn parameters_of(store: &VarStore) -> Self {
        let trained = variables(store).into_iter().map(|(_, tensor)| tensor).filter(Tensor::requires_grad);
        Self(trained.map(|tensor| tensor.set_requires_grad(false)).collect())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for tensor in &self.0 {
            let _: Result<Tensor, TchError> = tensor.f_set_requires_grad(true);
        }
    }
}
