//! Optimizers: what `configure_optimizers` returns, and what the loops step.
//!
//! An [`Algorithm`] is a plain description, such as [`AdamW`] with its hyperparameters; PyTorch's names and defaults, and
//! PyTorch's results. [`ParameterGroups`] give parameters chosen by their names hyperparameters of their own. An
//! [`Optimizer`] is either bound to named parameters, with the state that it keeps of them. A step is one call a group,
//! into libtorch's fused kernels where it has them, and never waits for the device; [`Lbfgs`] alone does, by its nature.
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

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod algorithm;
mod declare;
mod error;
mod gradients;
mod index;
mod lbfgs;
mod nadam;
mod optimizer;
mod parameter_group;
mod parameter_groups;
mod pattern;
mod radam;
mod range;
mod rms_prop;
mod rule;
mod scaling;
mod sgd;
mod state;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use algorithm::Algorithm;
pub use error::OptimizerError;
pub use index::OptimizerIndex;
pub use lbfgs::{Lbfgs, LineSearch, Progress};
pub use nadam::NAdam;
pub use optimizer::Optimizer;
pub use parameter_group::ParameterGroup;
pub use parameter_groups::{IntoParameterGroups, ParameterGroups};
pub(crate) use pattern::Pattern;
pub use radam::RAdam;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;
