//! Texts in Lightning's Python that are variants here.

/// Returns the stage that is this text in Python.
pub(crate) fn stage(text: &str) -> Option<&'static str> {
    match text.trim_matches('"') {
        "fit" | "train" => Some("Stage::Fit"),
        "validate" | "val" => Some("Stage::Validate"),
        "test" => Some("Stage::Test"),
        "predict" => Some("Stage::Predict"),
        _ => None,
    }
}

/// Returns the value of a setting of the trainer that is a text in Python.
pub(crate) fn choice(setting: &str, text: &str) -> Option<&'static str> {
    Some(match (setting, text) {
        ("accelerator", "cpu") => "Accelerator::Cpu",
        ("accelerator", "gpu") => "Accelerator::Gpu",
        ("accelerator", "cuda") => "Accelerator::Cuda",
        ("accelerator", "mps") => "Accelerator::Mps",
        ("accelerator", _) => "Accelerator::Auto",
        ("devices", _) => "Devices::Auto",
        ("strategy", "auto") => "StrategyConfig::Auto",
        ("strategy", _) => "StrategyConfig::Ddp(DdpConfig::default())",
        ("precision", "16" | "16-mixed") => "Precision::Float16Mixed",
        ("precision", "16-true") => "Precision::Float16True",
        ("precision", "bf16-true") => "Precision::BFloat16True",
        ("precision", "32" | "32-true") => "Precision::Float32True",
        ("precision", "64" | "64-true") => "Precision::Float64True",
        ("precision", _) => "Precision::BFloat16Mixed",
        ("deterministic", _) => "Deterministic::Warn",
        ("float32_matmul_precision", "medium") => "Some(Float32MatmulPrecision::Medium)",
        ("float32_matmul_precision", "highest") => "Some(Float32MatmulPrecision::Highest)",
        ("float32_matmul_precision", _) => "Some(Float32MatmulPrecision::High)",
        ("gradient_clip_algorithm", "value") => "GradientClipAlgorithm::Value",
        ("gradient_clip_algorithm", _) => "GradientClipAlgorithm::Norm",
        ("profiler", _) => "Some(Profiler::Simple)",
        _ => return None,
    })
}

/// Returns the variant that this text means as the argument of a method, and the others.
pub(crate) fn variant(method: &str, text: &str) -> Option<(&'static str, &'static str)> {
    Some(match (method, text) {
        ("logging_interval", "step") => ("Interval::Step", "`Interval::Step` and `Interval::Epoch`"),
        ("logging_interval", "epoch") => ("Interval::Epoch", "`Interval::Step` and `Interval::Epoch`"),
        ("save_last", "link") => {
            ("SaveLast::Link", "`SaveLast::Copy` and `SaveLast::Link`, of `tch_lightning::callbacks`")
        }
        ("interval", "step") => ("Interval::Step", "`Interval::Step` and `Interval::Epoch`"),
        ("interval", "epoch") => ("Interval::Epoch", "`Interval::Step` and `Interval::Epoch`"),
        ("reduce" | "dist_reduce_fx", "mean" | "avg") => ("Reduction::Mean", REDUCTIONS),
        ("reduce" | "dist_reduce_fx", "sum") => ("Reduction::Sum", REDUCTIONS),
        ("reduce" | "dist_reduce_fx", "min") => ("Reduction::Min", REDUCTIONS),
        ("reduce" | "dist_reduce_fx", "max") => ("Reduction::Max", REDUCTIONS),
        ("average", "micro") => ("Average::Micro", AVERAGES),
        ("average", "macro") => ("Average::Macro", AVERAGES),
        ("average", "weighted") => ("Average::Weighted", AVERAGES),
        ("average", "none") => ("Average::None", AVERAGES),
        _ => return None,
    })
}

const AVERAGES: &str =
    "`Average::Micro`, `Average::Macro`, `Average::Weighted` and `Average::None`, of `tch_lightning::metrics`";
const REDUCTIONS: &str = "`Reduction::Mean`, `Reduction::Sum`, `Reduction::Min` and `Reduction::Max`";
