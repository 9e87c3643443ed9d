use crate::model::{Line, Rows, config};
use crate::recorder::Recorder;
use crate::table::table;
use std::collections::BTreeMap;
use std::time::Duration;
use tch_lightning::callbacks::{Throughput, ThroughputMonitor, ThroughputTotals};
use tch_lightning::prelude::*;

/// A moment of the table: a time, and what was seen by then.
fn moment(update: &[f64]) -> (Duration, ThroughputTotals) {
    let total = |place: usize| update.get(place).map(|total| *total as u64);
    let totals =
        ThroughputTotals { batches: total(1).unwrap(), samples: total(2).unwrap(), lengths: total(3), flops: total(4) };
    (Duration::from_secs_f64(update[0]), totals)
}

fn assert_close(computed: Vec<(String, f64)>, expected: &BTreeMap<String, f64>) {
    let computed: BTreeMap<String, f64> = computed.into_iter().collect();
    assert!(computed.keys().eq(expected.keys()), "{computed:?}, not {expected:?}");
    // times are rounded to nanoseconds
    let differs = |(value, expected): (&f64, &f64)| (value - expected).abs() > 1e-8 * expected;
    assert!(!computed.values().zip(expected.values()).any(differs), "{computed:?}, not {expected:?}");
}

#[test]
fn rates_are_lightnings() {
    for case in table().throughput {
        let mut throughput = Throughput::new().window_size(case.window_size).available_flops(1e6);
        for (update, expected) in case.updates.iter().zip(&case.computed) {
            let (time, totals) = moment(update);
            throughput.update(time, totals);
            assert_close(throughput.compute(), expected);
        }
        throughput.reset();
        assert!(throughput.compute().is_empty());
    }
}

#[test]
fn window_reaches_back_to_the_last_moment_before_its_first_batch() {
    let mut throughput = Throughput::new().window_size(5);
    let mut rates = Vec::new();
    for (seconds, batches) in [(1, 3), (2, 6), (4, 9), (8, 12)] {
        throughput.update(Duration::from_secs(seconds), ThroughputTotals { batches, ..Default::default() });
        let metrics: BTreeMap<String, f64> = throughput.compute().into_iter().collect();
        rates.push(metrics.get("device/batches_per_sec").copied());
    }
    // of batches 3 to 9, and 6 to 12
    assert_eq!(rates, [None, None, Some(6.0 / 3.0), Some(6.0 / 6.0)]);
}

#[test]
fn rows_are_lightnings() {
    for case in table().throughput_monitor {
        let recorder = Recorder::default();
        let monitor = ThroughputMonitor::new().window_size(3).length_fn(|(x, _): &Rows| x.numel()).flops_per_batch(100);
        let mut line = Line::new(Sgd::new(0.1));
        let mut trainer = Trainer::new(case.trainer.with(config())).logger(recorder.clone()).callback(monitor);
        trainer.fit(&mut line, ()).unwrap();
        trainer.validate(&mut line, ()).unwrap();
        trainer.test(&mut line, ()).unwrap();
        trainer.predict(&mut line, ()).unwrap();
        let rows = recorder.rows().into_iter().filter(|row| row.1.keys().any(|name| name.contains('/')));
        let counted =
            |name: &str| ["batches", "samples", "lengths", "epoch"].contains(&name.rsplit('/').next().unwrap());
        let rows: Vec<(usize, BTreeMap<String, Option<f64>>)> = rows
            .map(|row| {
                (
                    row.0,
                    row.1.into_iter().map(|(name, value)| (name.clone(), counted(&name).then_some(value))).collect(),
                )
            })
            .collect();
        assert_eq!(rows, case.rows);
    }
}

#[test]
fn samples_can_be_counted_in_another_way() {
    let recorder = Recorder::default();
    let monitor = ThroughputMonitor::new().batch_size_fn(|(x, _): &Rows| 5 * x.size()[0] as usize);
    let config = TrainerConfig { log_every_n_steps: 4, max_epochs: Some(1), ..config() };
    Trainer::new(config).logger(recorder.clone()).callback(monitor).fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap();
    let samples: Vec<f64> = recorder.rows().iter().filter_map(|row| row.1.get("train/samples").copied()).collect();
    assert_eq!(samples, [40.0]);
}

#[test]
fn measured_operations_are_those_of_a_training_batch() {
    let recorder = Recorder::default();
    let monitor = ThroughputMonitor::<Rows>::new().window_size(2).measure_flops(true);
    let config = TrainerConfig { log_every_n_steps: 1, max_epochs: Some(3), ..config() };
    let mut line = Line::new(Sgd::new(0.1));
    Trainer::new(config).logger(recorder.clone()).callback(monitor).fit(&mut line, ()).unwrap();
    let rows = recorder.rows();
    let rates: Vec<_> = rows
        .iter()
        .filter_map(|row| row.1.get("train/device/flops_per_sec").zip(row.1.get("train/device/batches_per_sec")))
        .collect();
    assert!(!rates.is_empty(), "{rows:?}");
    for (flops, batches) in rates {
        // a product of [2, 4] and [4, 1], and the gradient of the weights
        assert!((flops / batches - 2.0 * 16.0).abs() < 1e-6, "{}", flops / batches);
    }
}
