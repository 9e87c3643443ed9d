//! Setters of the trainer's configuration, for `TrainerConfig::default().max_epochs(5)`.

use super::choices::{
    IntoAccelerator, IntoDeterministic, IntoDevices, IntoFloat32MatmulPrecision, IntoGradientClipAlgorithm,
    IntoLoggerChoice, IntoMaxTime, IntoPrecision, IntoProfiler, IntoStrategy,
};
use super::{BatchLimit, FastDevRun, NonFiniteLoss, Resume, TrainerConfig, ValCheckInterval};
use std::path::PathBuf;

/// What becomes the value of a setting: a value of type `T`, or one that converts to it, such as the value of an `Option`.
#[diagnostic::on_unimplemented(
    message = "this setting is of type `{T}`, not `{Self}` [TL0006]",
    label = "expected `{T}`, or a value of it",
    note = "an `f64` is written `1.0`, and a `BatchLimit` `10` for a number of batches, or `0.25` for a part of them"
)]
pub trait IntoSetting<T> {
    /// Returns the value.
    fn into_setting(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T, Value: Into<T>> IntoSetting<T> for Value {
    fn into_setting(self) -> T {
        self.into()
    }
}

macro_rules! setters {
    // a literal such as `5` would be an `i32` if the parameter were an `impl Into<usize>`
    (as they are: $($field:ident: $type:ty),* $(,)?) => {
        impl TrainerConfig {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $field(self, $field: $type) -> Self {
                    Self { $field, ..self }
                }
            )*
        }
    };

    ($($field:ident: $type:ty),* $(,)?) => {
        impl TrainerConfig {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $field(self, $field: impl IntoSetting<$type>) -> Self {
                    Self { $field: $field.into_setting(), ..self }
                }
            )*
        }
    };
}

setters! {
    use_distributed_sampler: bool,
    benchmark: Option<bool>,
    max_epochs: Option<i64>,
    min_epochs: Option<usize>,
    max_steps: Option<i64>,
    min_steps: Option<usize>,
    limit_train_batches: BatchLimit,
    limit_val_batches: BatchLimit,
    limit_test_batches: BatchLimit,
    limit_predict_batches: BatchLimit,
    overfit_batches: BatchLimit,
    fast_dev_run: FastDevRun,
    val_check_interval: ValCheckInterval,
    check_val_every_n_epoch: Option<usize>,
    gradient_clip_val: Option<f64>,
    on_non_finite_loss: NonFiniteLoss,
    resume: Resume,
    detect_anomaly: bool,
    default_root_dir: PathBuf,
    enable_checkpointing: bool,
    async_checkpointing: bool,
    enable_progress_bar: bool,
    dashboard: bool,
    enable_model_summary: bool,
    handle_signals: bool,
    trace_hooks: Option<PathBuf>,
}

setters! {
    as they are:
    num_nodes: usize,
    num_sanity_val_steps: i64,
    reload_dataloaders_every_n_epochs: usize,
    accumulate_grad_batches: usize,
    log_every_n_steps: usize,
}

impl TrainerConfig {
    /// Sets [`accelerator`](field@Self::accelerator).
    #[must_use]
    pub fn accelerator(self, accelerator: impl IntoAccelerator) -> Self {
        Self { accelerator: accelerator.into_setting(), ..self }
    }

    /// Sets [`devices`](field@Self::devices).
    #[must_use]
    pub fn devices(self, devices: impl IntoDevices) -> Self {
        Self { devices: devices.into_setting(), ..self }
    }

    /// Sets [`strategy`](field@Self::strategy).
    #[must_use]
    pub fn strategy(self, strategy: impl IntoStrategy) -> Self {
        Self { strategy: strategy.into_setting(), ..self }
    }

    /// Sets [`precision`](field@Self::precision).
    #[must_use]
    pub fn precision(self, precision: impl IntoPrecision) -> Self {
        Self { precision: precision.into_setting(), ..self }
    }

    /// Sets [`deterministic`](field@Self::deterministic).
    #[must_use]
    pub fn deterministic(self, deterministic: impl IntoDeterministic) -> Self {
        Self { deterministic: deterministic.into_setting(), ..self }
    }

    /// Sets [`float32_matmul_precision`](field@Self::float32_matmul_precision).
    #[must_use]
    pub fn float32_matmul_precision(self, float32_matmul_precision: impl IntoFloat32MatmulPrecision) -> Self {
        Self { float32_matmul_precision: float32_matmul_precision.into_setting(), ..self }
    }

    /// Sets [`gradient_clip_algorithm`](field@Self::gradient_clip_algorithm).
    #[must_use]
    pub fn gradient_clip_algorithm(self, gradient_clip_algorithm: impl IntoGradientClipAlgorithm) -> Self {
        Self { gradient_clip_algorithm: gradient_clip_algorithm.into_setting(), ..self }
    }

    /// Sets [`logger`](field@Self::logger).
    #[must_use]
    pub fn logger(self, logger: impl IntoLoggerChoice) -> Self {
        Self { logger: logger.into_setting(), ..self }
    }

    /// Sets [`profiler`](field@Self::profiler).
    #[must_use]
    pub fn profiler(self, profiler: impl IntoProfiler) -> Self {
        Self { profiler: profiler.into_setting(), ..self }
    }

    /// Sets [`max_time`](field@Self::max_time).
    #[must_use]
    pub fn max_time(self, max_time: impl IntoMaxTime) -> Self {
        Self { max_time: Some(max_time.into_setting()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LoggerChoice;
    use super::*;
    use crate::device::Devices;
    use crate::span::Span;
    use std::time::Duration;

    #[test]
    fn setters_take_plain_values() {
        let config = TrainerConfig::default()
            .max_epochs(5)
            .gradient_clip_val(1.0)
            .limit_train_batches(0.25)
            .limit_val_batches(3)
            .val_check_interval(100)
            .fast_dev_run(true)
            .accumulate_grad_batches(2)
            .min_epochs(1)
            .devices(1)
            .max_time(Duration::from_secs(60))
            .check_val_every_n_epoch(None)
            .default_root_dir("runs")
            .logger(false);
        let literal = TrainerConfig {
            max_epochs: Some(5),
            gradient_clip_val: Some(1.0),
            limit_train_batches: BatchLimit::Fraction(0.25),
            limit_val_batches: BatchLimit::Batches(3),
            val_check_interval: ValCheckInterval::from(100),
            fast_dev_run: FastDevRun(1),
            accumulate_grad_batches: 2,
            min_epochs: Some(1),
            devices: Devices::Count(1),
            max_time: Some(Span(Duration::from_secs(60))),
            check_val_every_n_epoch: None,
            default_root_dir: PathBuf::from("runs"),
            logger: LoggerChoice::Off,
            ..TrainerConfig::default()
        };
        assert_eq!(config, literal);
    }

    #[test]
    fn setters_exist_for_every_field() {
        let source = include_str!("setters.rs");
        let config = serde_json::to_value(TrainerConfig::default()).unwrap();
        for field in config.as_object().unwrap().keys() {
            let forms = [format!("\n    {field}: "), format!("pub fn {field}(")];
            assert!(forms.iter().any(|form| source.contains(form)), "`{field}` has no setter");
        }
    }
}
