//! What the setters of choices take, which are texts in Lightning's Python: the message about a text names the values.

use super::{Deterministic, Float32MatmulPrecision, GradientClipAlgorithm, LoggerChoice};
use crate::device::{Accelerator, Devices};
use crate::precision::Precision;
use crate::profiler::Profiler;
use crate::span::Span;
use crate::strategy::StrategyConfig;

macro_rules! choices {
    ($($into:ident: $type:ty, $message:literal, $label:literal;)*) => {$(
        #[doc = concat!("What becomes a `", stringify!($type), "`.")]
        #[diagnostic::on_unimplemented(message = $message, label = $label)]
        pub trait $into {
            /// Returns it.
            fn into_setting(self) -> $type;
        }

        #[diagnostic::do_not_recommend]
        impl<T: Into<$type>> $into for T {
            fn into_setting(self) -> $type {
                self.into()
            }
        }
    )*};
}

choices! {
    IntoAccelerator: Accelerator,
        "`accelerator` is an `Accelerator`, not `{Self}` [TL0006]",
        "write `Accelerator::Gpu`, or another variant: `Auto`, `Cpu`, `Cuda` or `Mps`, of `tch_lightning::device`";
    IntoDevices: Devices,
        "`devices` is a number or a `Devices`, not `{Self}` [TL0006]",
        "write `2`, `Devices::Auto` or `Devices::Indices(vec![0, 1])`, of `tch_lightning::device`";
    IntoStrategy: StrategyConfig,
        "`strategy` is a `StrategyConfig`, not `{Self}` [TL0006]",
        "write `DdpConfig::default()` or `StrategyConfig::Auto`, of `tch_lightning::strategy`";
    IntoPrecision: Precision,
        "`precision` is a `Precision`, not `{Self}` [TL0006]",
        "write `Precision::BFloat16Mixed`, or another variant: `Float16Mixed`, `BFloat16True`, `Float16True`, `Float32True` or `Float64True`";
    IntoDeterministic: Deterministic,
        "`deterministic` is a `bool` or a `Deterministic`, not `{Self}` [TL0006]",
        "write `true`, `false`, or `Deterministic::Warn` of `tch_lightning::trainer`";
    IntoFloat32MatmulPrecision: Option<Float32MatmulPrecision>,
        "`float32_matmul_precision` is a `Float32MatmulPrecision`, not `{Self}` [TL0006]",
        "write `Float32MatmulPrecision::High`, or another variant: `Highest` or `Medium`, of `tch_lightning::trainer`";
    IntoGradientClipAlgorithm: GradientClipAlgorithm,
        "`gradient_clip_algorithm` is a `GradientClipAlgorithm`, not `{Self}` [TL0006]",
        "write `GradientClipAlgorithm::Norm` or `GradientClipAlgorithm::Value`, of `tch_lightning::trainer`";
    IntoLoggerChoice: LoggerChoice,
        "`logger` is a `bool`, a `LoggerConfig` or a `Vec` of them, not `{Self}` [TL0006]",
        "write `LoggerConfig::TensorBoard {{ folder: None }}` of `tch_lightning::trainer`, or give the logger to the trainer, `Model::trainer().logger(logger)`";
    IntoMaxTime: Span,
        "`max_time` is a `Duration`, not `{Self}` [TL0006]",
        "write `Duration::from_secs(600)`, of `std::time`";
    IntoProfiler: Option<Profiler>,
        "`profiler` is a `Profiler`, not `{Self}` [TL0006]",
        "write `Profiler::Simple` or `Profiler::Trace(TraceSchedule::default())`, of `tch_lightning::profiler`";
}
