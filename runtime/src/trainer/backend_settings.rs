//! The settings of libtorch's kernels that the configuration has.

use crate::config::{Deterministic, Float32MatmulPrecision, TrainerConfig};
use crate::error::Error;
use crate::messages::warning;
use crate::native::{exchange_benchmark_cudnn, exchange_float32_matmul_precision, set_deterministic_algorithms};

/// Applies the settings that the configuration has, as Lightning's trainer does. They hold for the process.
pub(super) fn apply(config: &TrainerConfig) -> Result<(), Error> {
    let is_deterministic = config.deterministic != Deterministic::Off;
    if is_deterministic {
        set_deterministic_algorithms(true, config.deterministic == Deterministic::Warn);
        if config.benchmark == Some(true) {
            warning!("`benchmark` makes cuDNN ignore `deterministic`: set one of them to false");
        }
    }
    // cuDNN may choose another algorithm in each run
    if let Some(benchmark) = config.benchmark.or(is_deterministic.then_some(false)) {
        exchange_benchmark_cudnn(benchmark);
    }
    if let Some(precision) = config.float32_matmul_precision {
        let name = match precision {
            Float32MatmulPrecision::Highest => c"highest",
            Float32MatmulPrecision::High => c"high",
            Float32MatmulPrecision::Medium => c"medium",
        };
        exchange_float32_matmul_precision(name).map_err(|error| Error::configuration(error.to_string()))?;
    }
    Ok(())
}
