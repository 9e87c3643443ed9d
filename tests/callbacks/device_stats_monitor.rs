use crate::model::{Line, config};
use crate::recorder::{Recorder, Row};
use crate::table::table;
use std::process::Command;
use tch_lightning::callbacks::DeviceStatsMonitor;
use tch_lightning::prelude::*;

fn line() -> Line {
    Line::new(Sgd::new(0.1))
}

/// What a monitor logs of all verbs, each by a trainer of its own.
fn logged(monitor: impl Fn() -> DeviceStatsMonitor) -> Vec<Row> {
    let recorder = Recorder::default();
    let config = TrainerConfig { log_every_n_steps: 2, ..config() };
    let trainer = || Trainer::new(config.clone()).logger(recorder.clone()).callback(monitor());
    trainer().fit(&mut line(), ()).unwrap();
    trainer().validate(&mut line(), ()).unwrap();
    trainer().test(&mut line(), ()).unwrap();
    recorder.rows().into_iter().filter(|row| !row.1.contains_key("epoch")).collect()
}

#[test]
fn statistics_are_logged_when_lightning_logs_them() {
    let rows = logged(DeviceStatsMonitor::new);
    let names: Vec<(usize, Vec<String>)> = rows.iter().map(|row| (row.0, row.1.keys().cloned().collect())).collect();
    assert_eq!(names, table().device_stats_monitor);
    assert!(rows.iter().flat_map(|row| row.1.values()).all(|percent| (0.0..=100.0).contains(percent)), "{rows:?}");
    assert!(
        rows.iter().flat_map(|row| &row.1).any(|(name, percent)| name.ends_with("/cpu_vm_percent") && *percent > 0.0)
    );
}

#[test]
fn statistics_that_are_not_requested_are_skipped() {
    let names = |rows: Vec<Row>| rows.into_iter().flat_map(|row| row.1.into_keys()).collect::<Vec<_>>();
    let filtered = names(logged(|| DeviceStatsMonitor::new().filter_keys(["cpu_percent"])));
    assert!(filtered.iter().all(|name| name.ends_with("/cpu_percent")));
    assert!(names(logged(|| DeviceStatsMonitor::new().cpu_stats(false))).is_empty());
}

#[test]
fn missing_logger_is_an_error() {
    let error = Trainer::new(config()).callback(DeviceStatsMonitor::new()).fit(&mut line(), ()).unwrap_err();
    let said = "DeviceStatsMonitor writes to loggers, but the trainer has none: add one, or leave `logger` at true";
    assert_eq!(error.to_string(), said);
}

#[test]
fn statistic_of_another_device_can_be_requested() {
    let rows = logged(|| DeviceStatsMonitor::new().filter_keys(["allocated_bytes.all.peak"]));
    assert!(rows.is_empty());
}

#[test]
fn statistic_that_is_missing_is_an_error() {
    // in a process of its own, whose standard error stream can be read
    let fit = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "device_stats_monitor::statistic_of_another_device_can_be_requested"])
        .output()
        .unwrap();
    let said = String::from_utf8(fit.stderr).unwrap();
    let warning = "warning: DeviceStatsMonitor: this device does not have the statistic `allocated_bytes.all.peak`\n";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
}
