//! Optimizers, which `configure_optimizers` returns.
//!
//! An [`Algorithm`] is a description, such as [`AdamW`] with its hyperparameters; names, defaults and results are those of
//! PyTorch. [`ParameterGroups`] assign different hyperparameters to parameters chosen by name or by a predicate. An [`Optimizer`] binds
//! either of them to named parameters, and holds their state. A step is one call per group, into libtorch's fused kernels
//! where they exist, and never waits for the device, except that of [`Lbfgs`].
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
//! // the length of Adam's first step is the learning rate, whatever the gradient
//! assert!((weight.double_value(&[0]) - 0.9).abs() < 1e-6);
//! # Ok(())
//! # }
//! ```

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod algorithm;
mod assigned;
mod config;
mod declare;
mod error;
mod gradients;
mod groups_table;
mod hyperparameters;
mod index;
mod layer_decay;
mod lbfgs;
mod lion;
mod muon;
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
mod selector;
mod sgd;
mod state;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use algorithm::Algorithm;
pub use config::OptimizerConfig;
pub use error::OptimizerError;
pub use index::OptimizerIndex;
pub use lbfgs::{Lbfgs, LineSearch, Progress};
pub use lion::Lion;
pub use muon::{AdjustLr, Muon};
pub use nadam::NAdam;
pub use optimizer::Optimizer;
pub use parameter_group::ParameterGroup;
pub use parameter_groups::{IntoParameterGroups, ParameterGroups};
pub(crate) use pattern::Pattern;
pub use radam::RAdam;
pub use rms_prop::RmsProp;
pub use selector::Selector;
pub use sgd::Sgd;
pub(crate) use state::{entry_name, not_started};
