//! Error rates of texts. The values are those of torchmetrics 1.9, which counted 8 errors in 18 words and 24 in 65 characters.

use tch_lightning::metrics::{CharErrorRate, Metric, MetricError, WordErrorRate};

const BATCHES: [(&[&str], &[&str]); 3] = [
    (&["the cat sat on the mat", "hello"], &["the cat sat on mat", "hello world"]),
    (&["ein  Schiff", "naïve café", "a b c"], &["ein Schiff", "naive cafe", "x a b c d"]),
    (&[""], &["one two"]),
];

fn is(value: Result<tch::Tensor, MetricError>, expected: f64) {
    let value = value.unwrap().double_value(&[]);
    assert!((value - expected).abs() < 1e-12, "{value} is not {expected}");
}

#[test]
fn word_error_rate_is_that_of_torchmetrics() {
    let rate = WordErrorRate::new();
    for ((preds, target), expected) in BATCHES.iter().zip([2.0 / 7.0, 4.0 / 9.0, 1.0]) {
        is(rate.forward(preds, target), expected);
    }
    is(rate.compute(), 8.0 / 18.0);
}

#[test]
fn char_error_rate_is_that_of_torchmetrics() {
    let rate = CharErrorRate::new();
    for ((preds, target), expected) in BATCHES.iter().zip([10.0 / 29.0, 7.0 / 29.0, 1.0]) {
        is(rate.forward(preds, target), expected);
    }
    is(rate.compute(), 24.0 / 65.0);
}

#[test]
fn prediction_without_a_target_is_refused() {
    let rate = WordErrorRate::new();
    let said = rate.update(&["one", "two"], &["one"]).unwrap_err().to_string();
    assert_eq!(
        said,
        "WordErrorRate cannot take this batch: it has 2 predictions, but 1 target: each text needs the other"
    );
    assert!(rate.compute().is_err());
}
