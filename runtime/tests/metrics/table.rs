//! `table.json`, which `table.py` computed with torchmetrics, and the metrics of its cases.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;
use tch::{Kind, Tensor};
use tch_lightning::metrics::*;

#[derive(Deserialize)]
struct Table {
    data: HashMap<String, Vec<Vec<Values>>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Values {
    kind: Dtype,
    shape: Vec<i64>,
    values: Vec<f64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Dtype {
    F32,
    I64,
}

#[derive(Deserialize, Debug)]
pub struct Case {
    data: String,
    metric: String,
    options: Options,
    pub shape: Vec<i64>,
    /// `None` is NaN.
    pub value: Vec<Option<f64>>,
    pub of_batches: Vec<Vec<Option<f64>>>,
}

#[derive(Deserialize, Debug, Default, Clone)]
#[serde(default, deny_unknown_fields)]
struct Options {
    average: Option<String>,
    threshold: Option<f64>,
    top_k: Option<i64>,
    ignore_index: Option<i64>,
    normalize: Option<String>,
    thresholds: Option<Chosen>,
    squared: Option<bool>,
    num_outputs: Option<i64>,
    adjusted: Option<i64>,
    multioutput: Option<String>,
    weights: Option<String>,
    data_range: Option<f64>,
    sigma: Option<f64>,
    uniform_kernel: Option<i64>,
    constants: Option<[f64; 2]>,
    n_bins: Option<i64>,
    norm: Option<String>,
    aggregation_level: Option<String>,
    include_background: Option<bool>,
}

#[derive(Deserialize, Debug, Clone)]
#[serde(untagged)]
enum Chosen {
    Evenly(i64),
    At(Vec<f32>),
}

/// The arguments of an update.
pub type Batch = Vec<Tensor>;

type Updated<T> = Box<dyn Fn(&Batch) -> Result<T, MetricError>>;

/// A metric with a uniform interface.
pub struct Subject {
    pub metric: Box<dyn Metric>,
    pub update: Updated<()>,
    pub forward: Updated<Tensor>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("table.json")).expect("table.json has the table's form"));

pub fn cases() -> &'static [Case] {
    &TABLE.cases
}

/// Returns one case for each kind of accumulation, which averages do not affect.
pub fn accumulations() -> impl Iterator<Item = &'static Case> {
    let mut known = HashSet::new();
    cases().iter().filter(move |case| {
        let options = Options { average: None, normalize: None, multioutput: None, ..case.options.clone() };
        known.insert(format!("{} {} {options:?}", case.metric, case.data))
    })
}

const CLASSES: i64 = 5;
const LABELS: i64 = 3;

macro_rules! compares {
    ($metric:expr) => {{
        let metric = $metric;
        let (updated, forwarded) = (metric.clone(), metric.clone());
        Subject {
            metric: metric.shallow_clone(),
            update: Box::new(move |batch| updated.update(&batch[0], &batch[1])),
            forward: Box::new(move |batch| forwarded.forward(&batch[0], &batch[1])),
        }
    }};
}

macro_rules! aggregates {
    ($metric:expr) => {{
        let metric = $metric;
        let (updated, forwarded) = (metric.clone(), metric.clone());
        Subject {
            metric: metric.shallow_clone(),
            update: Box::new(move |batch| updated.update(&batch[0])),
            forward: Box::new(move |batch| forwarded.forward(&batch[0])),
        }
    }};
}

/// Applies the options of a case.
macro_rules! with {
    ($metric:expr, $options:expr, $($option:ident: $value:expr),*) => {{
        let mut metric = $metric;
        $(if let Some(option) = &$options.$option {
            metric = metric.$option($value(option.clone()));
        })*
        metric
    }};
}

macro_rules! stat_scores {
    ($metric:ident, $case:expr) => {{
        let options = &$case.options;
        match $case.task() {
            "binary" => compares!(with!($metric::binary(), options, threshold: same, ignore_index: same)),
            "multiclass" => {
                compares!(with!($metric::multiclass(CLASSES), options, average: average, top_k: same, ignore_index: same))
            }
            _ => {
                let metric = $metric::multilabel(LABELS);
                compares!(with!(metric, options, average: average, threshold: same, ignore_index: same))
            }
        }
    }};
}

macro_rules! rates {
    ($metric:ident, $case:expr) => {{
        let options = &$case.options;
        match $case.task() {
            "binary" => compares!(with!($metric::binary(), options, threshold: same, ignore_index: same)),
            "multiclass" => {
                compares!(with!($metric::multiclass(CLASSES), options, average: average, ignore_index: same))
            }
            _ => {
                let metric = $metric::multilabel(LABELS);
                compares!(with!(metric, options, average: average, threshold: same, ignore_index: same))
            }
        }
    }};
}

macro_rules! areas {
    ($metric:ident, $case:expr) => {{
        let options = &$case.options;
        match $case.task() {
            "binary" => compares!(with!($metric::binary(), options, thresholds: thresholds, ignore_index: same)),
            "multiclass" => {
                let metric = $metric::multiclass(CLASSES);
                compares!(with!(metric, options, average: average, thresholds: thresholds, ignore_index: same))
            }
            _ => {
                let metric = $metric::multilabel(LABELS);
                compares!(with!(metric, options, average: average, thresholds: thresholds, ignore_index: same))
            }
        }
    }};
}

macro_rules! confusion {
    ($metric:expr, $options:expr) => {
        compares!(with!($metric, $options, normalize: normalize, ignore_index: same))
    };
}

impl Case {
    fn task(&self) -> &str {
        self.data.split(' ').next().unwrap()
    }

    /// Creates the metric, without updates.
    pub fn subject(&self) -> Subject {
        let options = &self.options;
        match self.metric.as_str() {
            "Accuracy" => stat_scores!(Accuracy, self),
            "Precision" => stat_scores!(Precision, self),
            "Recall" => stat_scores!(Recall, self),
            "Specificity" => stat_scores!(Specificity, self),
            "F1Score" => stat_scores!(F1Score, self),
            "JaccardIndex" => rates!(JaccardIndex, self),
            "MatthewsCorrCoef" => match self.task() {
                "binary" => compares!(with!(MatthewsCorrCoef::binary(), options, threshold: same, ignore_index: same)),
                "multiclass" => compares!(with!(MatthewsCorrCoef::multiclass(CLASSES), options, ignore_index: same)),
                _ => compares!(with!(MatthewsCorrCoef::multilabel(LABELS), options, ignore_index: same)),
            },
            "CohenKappa" => match self.task() {
                "binary" => compares!(with!(CohenKappa::binary(), options, weights: weights, ignore_index: same)),
                _ => compares!(with!(CohenKappa::multiclass(CLASSES), options, weights: weights, ignore_index: same)),
            },
            "ConfusionMatrix" => match self.task() {
                "binary" => confusion!(ConfusionMatrix::binary(), options),
                "multiclass" => confusion!(ConfusionMatrix::multiclass(CLASSES), options),
                _ => confusion!(ConfusionMatrix::multilabel(LABELS), options),
            },
            "Auroc" => areas!(Auroc, self),
            "AveragePrecision" => areas!(AveragePrecision, self),
            "CalibrationError" => match self.task() {
                "binary" => {
                    compares!(with!(CalibrationError::binary(), options, n_bins: same, norm: norm, ignore_index: same))
                }
                _ => {
                    let metric = CalibrationError::multiclass(CLASSES);
                    compares!(with!(metric, options, n_bins: same, norm: norm, ignore_index: same))
                }
            },
            "DiceScore" => {
                let metric = DiceScore::new(CLASSES);
                compares!(with!(metric, options, average: average, include_background: same, aggregation_level: level))
            }
            "SpearmanCorrCoef" => compares!(with!(SpearmanCorrCoef::new(), options, num_outputs: same)),
            "StructuralSimilarityIndexMeasure" => {
                let mut metric = StructuralSimilarityIndexMeasure::new(options.data_range.unwrap());
                if let Some([k1, k2]) = options.constants {
                    metric = metric.constants(k1, k2);
                }
                compares!(with!(metric, options, sigma: same, uniform_kernel: same))
            }
            "MeanSquaredError" => {
                compares!(with!(MeanSquaredError::new(), options, squared: same, num_outputs: same))
            }
            "MeanAbsoluteError" => compares!(with!(MeanAbsoluteError::new(), options, num_outputs: same)),
            "MeanAbsolutePercentageError" => compares!(MeanAbsolutePercentageError::new()),
            "PearsonCorrCoef" => compares!(with!(PearsonCorrCoef::new(), options, num_outputs: same)),
            "PeakSignalNoiseRatio" => compares!(PeakSignalNoiseRatio::new(options.data_range.unwrap())),
            "R2Score" => {
                let score = R2Score::new();
                compares!(with!(score, options, adjusted: same, num_outputs: same, multioutput: multioutput))
            }
            "Perplexity" => compares!(with!(Perplexity::new(), options, ignore_index: same)),
            "Mean" => self.mean(),
            "Sum" => aggregates!(Sum::new()),
            "Min" => aggregates!(Min::new()),
            "Max" => aggregates!(Max::new()),
            other => panic!("no metric {other}"),
        }
    }

    fn mean(&self) -> Subject {
        if self.data != "weighted values" {
            return aggregates!(Mean::new());
        }
        let metric = Mean::new();
        let (updated, forwarded) = (metric.clone(), metric.clone());
        Subject {
            metric: metric.shallow_clone(),
            update: Box::new(move |batch| updated.update_weighted(&batch[0], &batch[1])),
            forward: Box::new(move |batch| forwarded.forward_weighted(&batch[0], &batch[1])),
        }
    }

    pub fn batches(&self) -> Vec<Batch> {
        TABLE.data[&self.data].iter().map(|batch| batch.iter().map(Values::tensor).collect()).collect()
    }
}

impl Values {
    fn tensor(&self) -> Tensor {
        let kind = match self.kind {
            Dtype::F32 => Kind::Float,
            Dtype::I64 => Kind::Int64,
        };
        Tensor::from_slice(&self.values).to_kind(kind).view(self.shape.as_slice())
    }
}

fn same<T>(option: T) -> T {
    option
}

fn average(name: String) -> Average {
    match name.as_str() {
        "micro" => Average::Micro,
        "macro" => Average::Macro,
        "weighted" => Average::Weighted,
        _ => Average::None,
    }
}

fn normalize(name: String) -> Normalize {
    match name.as_str() {
        "true" => Normalize::True,
        "pred" => Normalize::Pred,
        "all" => Normalize::All,
        _ => Normalize::None,
    }
}

fn weights(name: String) -> KappaWeights {
    match name.as_str() {
        "linear" => KappaWeights::Linear,
        "quadratic" => KappaWeights::Quadratic,
        _ => KappaWeights::None,
    }
}

fn norm(name: String) -> CalibrationNorm {
    match name.as_str() {
        "l2" => CalibrationNorm::L2,
        "max" => CalibrationNorm::Max,
        _ => CalibrationNorm::L1,
    }
}

fn level(name: String) -> AggregationLevel {
    match name.as_str() {
        "global" => AggregationLevel::Global,
        _ => AggregationLevel::Samplewise,
    }
}

fn multioutput(name: String) -> MultiOutput {
    match name.as_str() {
        "raw_values" => MultiOutput::RawValues,
        "variance_weighted" => MultiOutput::VarianceWeighted,
        _ => MultiOutput::UniformAverage,
    }
}

fn thresholds(chosen: Chosen) -> Thresholds {
    match chosen {
        Chosen::Evenly(number) => number.into(),
        Chosen::At(thresholds) => thresholds.into(),
    }
}
