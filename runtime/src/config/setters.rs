//! Setters of the trainer's configuration, for `TrainerConfig::default().max_epochs(5)`.

use super::{
    BatchLimit, Deterministic, FastDevRun, Float32MatmulPrecision, GradientClipAlgorithm, LoggerChoice, NonFiniteLoss,
    Resume, Span, TrainerConfig, ValCheckInterval,
};
use crate::device::{Accelerator, Devices};
use crate::precision::Precision;
use crate::profiler::Profiler;
use crate::strategy::StrategyConfig;
use std::path::PathBuf;

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
                pub fn $field(self, $field: impl Into<$type>) -> Self {
                    Self { $field: $field.into(), ..self }
                }
            )*
        }
    };
}

setters! {
    accelerator: Accelerator,
    devices: Devices,
    strategy: StrategyConfig,
    use_distributed_sampler: bool,
    precision: Precision,
    deterministic: Deterministic,
    benchmark: Option<bool>,
    float32_matmul_precision: Option<Float32MatmulPrecision>,
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
    gradient_clip_algorithm: GradientClipAlgorithm,
    on_non_finite_loss: NonFiniteLoss,
    resume: Resume,
    detect_anomaly: bool,
    default_root_dir: PathBuf,
    logger: LoggerChoice,
    enable_checkpointing: bool,
    async_checkpointing: bool,
    enable_progress_bar: bool,
    dashboard: bool,
    enable_model_summary: bool,
    handle_signals: bool,
    profiler: Option<Profiler>,
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
    /// Sets [`max_time`](field@Self::max_time).
    #[must_use]
    pub fn max_time(self, max_time: impl Into<Span>) -> Self {
        Self { max_time: Some(max_time.into()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let is_listed = source.contains(&format!("\n    {field}: ")) || field == "max_time";
            assert!(is_listed, "`{field}` has no setter");
        }
    }
}
