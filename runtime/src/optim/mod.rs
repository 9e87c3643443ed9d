//! Optimizers: what `configure_optimizers` returns, and what the loops step.
//!
//! An [`Algorithm`] is a plain description, such as [`AdamW`] with its hyperparameters; PyTorch's names and defaults, and
//! PyTorch's results. An [`Optimizer`] is one bound to named parameters, with the state that it keeps of them. A step is
//! one call into libtorch's fused kernels, and never waits for the device.
//!
//! ```
//! use tch::{Device, Kind, Tensor};
//! use tch_lightning::optim::{AdamW, Optimizer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let weight = Tensor::ones([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
//! let parameters = vec![("weight".to_owned(), weight.shallow_clone())];
//! let mut optimizer = Optimizer::new(AdamW::new(0.1).weight_decay(0.0), parameters)?;
//!
//! optimizer.zero_grad()?;
//! weight.square().sum(Kind::Float).f_backward()?;
//! optimizer.step()?;
//!
//! // Adam's first step is as long as the learning rate, whatever the gradient's size
//! assert!((weight.double_value(&[0]) - 0.9).abs() < 1e-6);
//! # Ok(())
//! # }
//! ```

mod adam;
mod adamw;
mod algorithm;
mod error;
mod index;
mod optimizer;
mod optimizers;
mod sgd;
mod state;

pub use adam::Adam;
pub use adamw::AdamW;
pub use algorithm::Algorithm;
pub use error::OptimizerError;
pub use index::OptimizerIndex;
pub use optimizer::Optimizer;
pub use optimizers::Optimizers;
pub use sgd::Sgd;
