//! Learning-rate schedulers, which change the rates of an optimizer's parameter groups during training.
//!
//! A [`Schedule`] is a description, such as [`CosineAnnealingLr`] with its hyperparameters. A [`LrScheduler`] is a schedule
//! bound to an optimizer's parameter groups. The names, defaults, rules and rates are those of
//! [`torch.optim.lr_scheduler`](https://docs.pytorch.org/docs/2.13/optim.html#how-to-adjust-learning-rate), including the
//! order in which numbers are multiplied: most schedules compute the next rate from the current rate of a group, so that they
//! continue from a rate that was changed by hand.
//!
//! | shape | schedule | |
//! |---|---|---|
//! | `████▅▅▅▅▃▃▃▃▂▂▂▂` | [`StepLr`] | times `gamma` after every `step_size` steps |
//! | `████████▅▅▅▅▅▃▃▃` | [`MultiStepLr`] | times `gamma` at each milestone |
//! | `▃▃▃▃▃███████████` | [`ConstantLr`] | times `factor` for `total_iters` steps |
//! | `▂▃▄▅▆▇██████████` | [`LinearLr`] | a straight line over `total_iters` steps |
//! | `█▇▆▅▅▄▄▃▃▃▂▂▂▂▂▂` | [`ExponentialLr`] | times `gamma` at every step |
//! | `██▇▇▆▆▅▅▄▄▃▃▂▂▁▁` | [`PolynomialLr`] | down to 0 in `total_iters` steps |
//! | `███▇▇▆▆▅▄▃▃▂▂▁▁▁` | [`CosineAnnealingLr`] | half a cosine of `t_max` steps |
//! | `█▇▅▂██▇▆▅▃▂▁███▇` | [`CosineAnnealingWarmRestarts`] | a cosine with restarts |
//! | `▁▄▆█▆▄▁▄▆█▆▄▁▄▆█` | [`CyclicLr`] | cycles between two bounds |
//! | `▁▂▅▇██▇▇▆▅▄▃▂▂▁▁` | [`OneCycleLr`] | one cycle |
//! | `████▇▇▆▅▅▄▄▄▄▄▄▄` | [`SwaLr`] | annealing to the rate of stochastic weight averaging |
//! | | [`LambdaLr`] | the initial rate times a function of the step |
//! | | [`MultiplicativeLr`] | times a function of the step at every step |
//! | | [`SequentialLr`] | one schedule after another |
//! | | [`ChainedScheduler`] | several schedules at once |
//! | | [`ReduceLrOnPlateau`] | times `factor` when a metric has stopped improving |
//!
//! ```
//! use tch::{Device, Kind, Tensor};
//! use tch_lightning::optim::{AdamW, Optimizer};
//! use tch_lightning::schedule::{CosineAnnealingLr, LinearLr, LrScheduler, SequentialLr};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let weight = Tensor::ones([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
//! let mut optimizer = Optimizer::new(AdamW::new(1e-3), vec![("weight".to_owned(), weight)])?;
//! let warm_up = LinearLr::default().start_factor(0.1).total_iters(10);
//! let schedule = SequentialLr::warm_up(warm_up, CosineAnnealingLr::new(90));
//! let mut scheduler = LrScheduler::new(schedule, &mut optimizer)?;
//!
//! assert_eq!(optimizer.lr(), 1e-4);
//! for _ in 0..10 {
//!     optimizer.step()?;
//!     scheduler.step(&mut optimizer)?;
//! }
//! assert_eq!(optimizer.lr(), 1e-3);
//! # Ok(())
//! # }
//! ```

mod bound;
mod bound_rule;
mod chained_scheduler;
mod config;
mod constant_lr;
mod cosine_annealing_lr;
mod cosine_annealing_warm_restarts;
mod cyclic_lr;
mod description;
mod error;
mod exponential_lr;
mod groups;
mod index;
mod lambda_lr;
mod linear_lr;
mod lr_lambda;
mod multi_step_lr;
mod multiplicative_lr;
mod node;
mod one_cycle_lr;
mod per_group;
mod polynomial_lr;
mod pytorch_state;
mod reduce_lr_on_plateau;
mod rule;
mod scheduler;
mod sequential_lr;
mod state;
mod step_lr;
mod swa_lr;

pub use chained_scheduler::ChainedScheduler;
pub use config::{Interval, LrSchedulerConfig};
pub use constant_lr::ConstantLr;
pub use cosine_annealing_lr::CosineAnnealingLr;
pub use cosine_annealing_warm_restarts::CosineAnnealingWarmRestarts;
pub use cyclic_lr::{CyclicLr, CyclicMode, ScaleFn, ScaleMode};
pub use description::Schedule;
pub use error::ScheduleError;
pub use exponential_lr::ExponentialLr;
pub use groups::ParameterGroupRates;
pub use index::LrSchedulerIndex;
pub use lambda_lr::LambdaLr;
pub use linear_lr::LinearLr;
pub use lr_lambda::LrLambda;
pub use multi_step_lr::MultiStepLr;
pub use multiplicative_lr::MultiplicativeLr;
pub use one_cycle_lr::{AnnealStrategy, OneCycleLr};
pub use per_group::PerGroup;
pub use polynomial_lr::PolynomialLr;
pub use reduce_lr_on_plateau::{PlateauMode, ReduceLrOnPlateau, ThresholdMode};
pub use scheduler::LrScheduler;
pub use sequential_lr::SequentialLr;
pub use state::LrSchedulerState;
pub use step_lr::StepLr;
pub use swa_lr::SwaLr;

/// Passes the types of all schedules to a macro, which implements a trait for each of them.
macro_rules! each_schedule {
    ($implement:ident) => {
        $implement!(
            $crate::schedule::ChainedScheduler,
            $crate::schedule::ConstantLr,
            $crate::schedule::CosineAnnealingLr,
            $crate::schedule::CosineAnnealingWarmRestarts,
            $crate::schedule::CyclicLr,
            $crate::schedule::ExponentialLr,
            $crate::schedule::LambdaLr,
            $crate::schedule::LinearLr,
            $crate::schedule::MultiStepLr,
            $crate::schedule::MultiplicativeLr,
            $crate::schedule::OneCycleLr,
            $crate::schedule::PolynomialLr,
            $crate::schedule::ReduceLrOnPlateau,
            $crate::schedule::SequentialLr,
            $crate::schedule::StepLr,
            $crate::schedule::SwaLr,
        );
    };
}
pub(crate) use each_schedule;
