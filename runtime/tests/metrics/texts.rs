//! Metrics of texts. The values are those of torchmetrics 1.9, which counted 8 errors in 18 words and 24 in 65 characters.

use tch_lightning::metrics::{
    BleuScore, CharErrorRate, Metric, MetricError, RougeAccumulate, RougeScore, RougeStatistic, WordErrorRate,
};

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

/// Predictions with their references.
type Referenced = (&'static [&'static str], &'static [&'static [&'static str]]);

const REFERENCED: [Referenced; 3] = [
    (
        &["the cat sat on the mat", "hello big wide world"],
        &[&["the cat sat on mat", "a cat sat on the mat today"], &["hello wide world"]],
    ),
    (
        &["ein  Schiff fährt über das weite Meer"],
        &[&["ein Schiff fährt über das Meer", "das Schiff fährt über das weite Meer , sagt er"]],
    ),
    (&["one two three four five six"], &[&["one two three four"]]),
];

#[test]
fn bleu_score_is_that_of_torchmetrics() {
    for (score, of_batches, value) in [
        (BleuScore::new(), [0.7400828044922853, 1.0, 0.5081327481546147], 0.7679634266158698),
        (BleuScore::new().smooth(true), [0.7721947901921794, 1.0, 0.6042750794713536], 0.780835535514871),
        (BleuScore::new().n_gram(2), [0.7745966692414834, 1.0, 0.6324555320336759], 0.8075728530872482),
    ] {
        for ((preds, target), expected) in REFERENCED.iter().zip(of_batches) {
            is(score.forward(preds, target), expected);
        }
        is(score.compute(), value);
    }
    is(BleuScore::new().forward(&["a b c"], &[["a b c d"]]), 0.0);
    // precisions of 1, and exp(1 - 4 / 3)
    is(BleuScore::new().n_gram(3).forward(&["a b c"], &[["a b c d"]]), (-1.0_f64 / 3.0).exp());
}

/// torchmetrics computes in f32.
#[test]
fn rouge_score_is_that_of_torchmetrics() {
    use RougeStatistic::{FMeasure, Precision, Recall};
    let (one, two, l) = (|| RougeScore::n(1), || RougeScore::n(2), RougeScore::l);
    let best = [
        (one(), FMeasure, 0.8748917579650879),
        (one(), Precision, 0.78125),
        (one(), Recall, 1.0),
        (two(), FMeasure, 0.661625862121582),
        (two(), Precision, 0.6119047403335571),
        (two(), Recall, 0.75),
        (l(), FMeasure, 0.8748917579650879),
        (l(), Precision, 0.78125),
        (l(), Recall, 1.0),
    ];
    let mean = [
        (one(), FMeasure, 0.8379648327827454),
        (one(), Precision, 0.78125),
        (one(), Recall, 0.9267857074737549),
        (two(), FMeasure, 0.6516462564468384),
        (two(), Precision, 0.6047619581222534),
        (two(), Recall, 0.7395833730697632),
        (l(), FMeasure, 0.8379648327827454),
        (l(), Recall, 0.9267857074737549),
    ];
    let mean = mean.map(|(score, statistic, value)| (score.accumulate(RougeAccumulate::Avg), statistic, value));
    for (score, statistic, expected) in best.into_iter().chain(mean) {
        let score = score.statistic(statistic);
        for (preds, target) in &REFERENCED {
            score.update(preds, target).unwrap();
        }
        let value = score.compute().unwrap().double_value(&[]);
        assert!((value - expected).abs() < 1e-6, "{statistic:?}: {value} is not {expected}");
    }
    is(RougeScore::l().forward(&["b a"], &[["a x b"]]), 2.0 / 5.0);
    is(RougeScore::n(2).forward(&["one"], &[["one"]]), 0.0);
}

#[test]
fn prediction_without_a_reference_is_refused() {
    let none: [&str; 0] = [];
    let said = BleuScore::new().update(&["one"], &[none]).unwrap_err().to_string();
    assert_eq!(said, "BleuScore cannot take this batch: prediction 0 has no references: give one or more");
    let said = RougeScore::l().update(&["one", "two"], &[["one"]]).unwrap_err().to_string();
    assert_eq!(
        said,
        "RougeScore cannot take this batch: it has 2 predictions, but 1 list of references: each prediction needs its \
         references"
    );
}
