use tch::{Device, Kind, Tensor};
use tch_lightning::metrics::*;

fn floats(shape: &[i64]) -> Tensor {
    Tensor::zeros(shape, (Kind::Float, Device::Cpu))
}

fn labels(shape: &[i64]) -> Tensor {
    Tensor::zeros(shape, (Kind::Int64, Device::Cpu))
}

/// Returns the error of an update, which must fail without changing the state.
macro_rules! refused {
    ($metric:expr, $($input:expr),*) => {{
        let metric = $metric;
        let error = metric.update($(&$input),*).expect_err("the mistake went unnoticed");
        assert!(matches!(metric.compute(), Err(MetricError::NoUpdates { .. })));
        error.to_string()
    }};
}

#[test]
fn mismatched_shapes_are_refused() {
    for (said, sentence) in [
        (
            refused!(Accuracy::binary(), floats(&[4]), labels(&[3])),
            "Accuracy cannot take this batch: the predictions have the shape [4] and the targets [3], but both must have the same shape",
        ),
        (
            refused!(Precision::multiclass(3), floats(&[4, 5]), labels(&[4])),
            "Precision cannot take this batch: the scores have the shape [4, 5] and the targets [4], but with 3 classes they \
             must be [batch, 3, …] and [batch, …]",
        ),
        (
            refused!(Auroc::multiclass(3), floats(&[4, 3, 2]), labels(&[4])),
            "Auroc cannot take this batch: the scores have the shape [4, 3, 2] and the targets [4], but with 3 classes they \
             must be [batch, 3, …] and [batch, …]",
        ),
        (
            refused!(ConfusionMatrix::multiclass(3), floats(&[]), labels(&[])),
            "ConfusionMatrix cannot take this batch: the scores have the shape [] and the targets [], but with 3 classes \
             they must be [batch, 3, …] and [batch, …]",
        ),
        (
            refused!(F1Score::multilabel(3), floats(&[4, 2]), labels(&[4, 2])),
            "F1Score cannot take this batch: its shape is [4, 2], but with 3 labels it must be [batch, 3, …]",
        ),
        (
            refused!(MeanSquaredError::new().num_outputs(2), floats(&[4]), floats(&[4])),
            "MeanSquaredError cannot take this batch: its shape is [4], but with num_outputs 2 it must be [samples, 2]",
        ),
        (
            refused!(R2Score::new(), floats(&[4, 2]), floats(&[4, 2])),
            "R2Score cannot take this batch: its shape is [4, 2], but with num_outputs 1 it must be [samples, 1]",
        ),
        (
            refused!(Perplexity::new(), floats(&[2, 7]), labels(&[2])),
            "Perplexity cannot take this batch: the predictions have the shape [2, 7] and the targets [2], but they must \
             be [batch, length, vocabulary] and [batch, length]",
        ),
    ] {
        assert_eq!(said, sentence);
    }
    let mean = Mean::new();
    assert_eq!(
        mean.update_weighted(&floats(&[4, 2]), &floats(&[4])).unwrap_err().to_string(),
        "Mean cannot take this batch: the weights have the shape [4], which does not broadcast to that of the values, [4, 2]"
    );
}

#[test]
fn unsupported_dtypes_are_refused() {
    let complex = Tensor::zeros([4], (Kind::ComplexFloat, Device::Cpu));
    for (said, sentence) in [
        (
            refused!(Recall::multiclass(3), floats(&[4, 3]), floats(&[4])),
            "Recall cannot take this batch: the targets are Float: give labels of an integer dtype, such as Int64",
        ),
        (
            refused!(Auroc::binary(), labels(&[4]), labels(&[4])),
            "Auroc cannot take this batch: the predictions are Int64: give scores, probabilities or logits of a \
             floating-point dtype",
        ),
        (
            refused!(Accuracy::multiclass(3).top_k(2), labels(&[4]), labels(&[4])),
            "Accuracy cannot take this batch: the predictions are labels, but a top_k of 2 requires the scores of all classes",
        ),
        (
            refused!(Sum::new(), complex),
            "Sum cannot take this batch: the values are ComplexFloat: give real numbers, such as Float",
        ),
    ] {
        assert_eq!(said, sentence);
    }
}

#[test]
fn invalid_options_are_refused() {
    let (scores, target) = (floats(&[4, 3]), labels(&[4]));
    for (said, sentence) in [
        (refused!(Accuracy::multiclass(1), scores, target), "Accuracy: num_classes must be 2 or more, but it is 1"),
        (refused!(Accuracy::multilabel(1), scores, target), "Accuracy: num_labels must be 2 or more, but it is 1"),
        (
            refused!(Accuracy::multiclass(3).top_k(4), scores, target),
            "Accuracy: top_k must be from 1 to the number of classes, 3, but it is 4",
        ),
        (
            refused!(F1Score::binary().threshold(1.5), target, target),
            "F1Score: threshold must be from 0 to 1, but it is 1.5",
        ),
        (
            refused!(Auroc::multiclass(3).average(Average::Micro), scores, target),
            "Auroc: average must not be Micro for the multiclass task",
        ),
        (
            refused!(Auroc::multiclass(3).thresholds(1), scores, target),
            "Auroc: thresholds is 1, but as a number it must be 2 or more",
        ),
        (
            refused!(AveragePrecision::multiclass(3).thresholds([0.5, 0.25]), scores, target),
            "AveragePrecision: thresholds are [0.5, 0.25], but they must ascend from 0 to 1",
        ),
        (
            refused!(R2Score::new().adjusted(-1), floats(&[4]), floats(&[4])),
            "R2Score: adjusted must be 0 or more, but it is -1",
        ),
        (
            refused!(MeanAbsoluteError::new().num_outputs(0), floats(&[4]), floats(&[4])),
            "MeanAbsoluteError: num_outputs must be 1 or more, but it is 0",
        ),
    ] {
        assert_eq!(said, sentence);
    }
}

/// Tests mistakes in values, which `compute` reports.
#[test]
fn labels_out_of_range_are_refused() {
    let target = Tensor::from_slice(&[0i64, 2, -1, 3]);
    let scores = floats(&[4, 3]);
    macro_rules! said {
        ($metric:expr, $preds:expr, $target:expr) => {{
            let metric = $metric;
            metric.update(&$preds, &$target).unwrap();
            metric.compute().unwrap_err().to_string()
        }};
    }
    for (said, sentence) in [
        (
            said!(Accuracy::multiclass(3), scores, target),
            "Accuracy has no value: 2 labels were not among 0 to 2; correct the data, or skip them with `ignore_index`",
        ),
        (
            said!(Accuracy::multiclass(3).ignore_index(-1).top_k(2), scores, target),
            "Accuracy has no value: 1 label was not among 0 to 2; correct the data, or skip them with `ignore_index`",
        ),
        (
            said!(ConfusionMatrix::multiclass(3), target, target),
            "ConfusionMatrix has no value: 2 labels were not among 0 to 2; correct the data, or skip them with \
             `ignore_index`",
        ),
        (
            said!(Auroc::multiclass(3).thresholds(5), scores, target),
            "Auroc has no value: 2 labels were not among 0 to 2; correct the data, or skip them with `ignore_index`",
        ),
        (
            said!(AveragePrecision::binary(), floats(&[4]), target),
            "AveragePrecision has no value: 3 labels were not 0 or 1; correct the data, or skip them with `ignore_index`",
        ),
        (
            said!(Recall::binary(), target, labels(&[4])),
            "Recall has no value: 3 labels were not 0 or 1; correct the data, or skip them with `ignore_index`",
        ),
        (
            said!(Precision::multiclass(3), target, labels(&[4])),
            "Precision has no value: 2 labels were not among 0 to 2; correct the data, or skip them with `ignore_index`",
        ),
        (
            said!(Perplexity::new(), floats(&[1, 4, 3]), target.view([1, 4])),
            "Perplexity has no value: 2 labels were not in the vocabulary; correct the data, or skip them with \
             `ignore_index`",
        ),
    ] {
        assert_eq!(said, sentence);
    }
}

#[test]
fn sample_counts_below_the_minimum_are_refused() {
    let score = R2Score::new();
    let of_batch = score.forward(&floats(&[1]), &floats(&[1])).unwrap();
    assert!(of_batch.double_value(&[]).is_nan());
    assert_eq!(
        score.compute().unwrap_err().to_string(),
        "R2Score has no value: it requires at least two samples, but there were 1"
    );
    assert_eq!(
        Mean::new().compute().unwrap_err().to_string(),
        "Mean has no value yet; call `update` before `compute`, and again after `reset`"
    );
}

/// Tests batches without samples, as at the end of a loader or after masking.
#[test]
fn empty_batches_are_accepted() {
    let value = |metric: &dyn Metric| metric.compute().unwrap().double_value(&[]);
    let accuracy = Accuracy::multiclass(3).ignore_index(0);
    accuracy.update(&floats(&[0, 3]), &labels(&[0])).unwrap();
    accuracy.update(&floats(&[4, 3]), &labels(&[4])).unwrap();
    assert_eq!(value(&accuracy), 0.0);
    for auroc in [Auroc::binary(), Auroc::binary().thresholds(3)] {
        let auroc = auroc.ignore_index(0);
        assert_eq!(auroc.forward(&floats(&[0]), &labels(&[0])).unwrap().double_value(&[]), 0.0);
        assert_eq!(auroc.forward(&floats(&[3]), &labels(&[3])).unwrap().double_value(&[]), 0.0);
    }
    let (min, max) = (Min::new(), Max::new());
    min.update(&floats(&[0])).unwrap();
    max.update(&floats(&[0])).unwrap();
    assert_eq!((value(&min), value(&max)), (f64::INFINITY, f64::NEG_INFINITY));
    min.update(&Tensor::from_slice(&[2i64, 5])).unwrap();
    assert_eq!(value(&min), 2.0);
    let mean = Mean::new();
    mean.update(&floats(&[0])).unwrap();
    assert!(value(&mean).is_nan());
}

#[test]
fn nan_propagates() {
    let with_nan = Tensor::from_slice(&[1.0f32, f32::NAN, 3.0]);
    macro_rules! assert_nan {
        ($($metric:expr),*) => {$({
            let metric = $metric;
            metric.update(&with_nan).unwrap();
            metric.update(&Tensor::from_slice(&[-9.0f32, 9.0])).unwrap();
            assert!(metric.compute().unwrap().double_value(&[]).is_nan(), "{}", metric.name());
        })*};
    }
    assert_nan!(Sum::new(), Min::new(), Max::new(), Mean::new());
}

#[test]
fn half_precision_is_read_as_f32() {
    // sigmoid(0.0005) is 0.5 in half precision and above 0.5 in f32
    let logits = Tensor::from_slice(&[0.0005f32, -3.0]);
    for kind in [Kind::Half, Kind::BFloat16, Kind::Float, Kind::Double] {
        let accuracy = Accuracy::binary();
        accuracy.update(&logits.to_kind(kind), &Tensor::from_slice(&[1i64, 0])).unwrap();
        assert_eq!(accuracy.compute().unwrap().double_value(&[]), 1.0, "{kind:?}");
    }
}
