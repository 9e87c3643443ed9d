//! The trace profiler, whose file must follow the rules of the Trace Event Format.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tch_lightning::prelude::*;
use tch_lightning::profiler::{Profiler, TraceSchedule};
use tests::profiler::model::{DataHparams, Hparams, Line, Rows, training_only};

fn config(folder: &tempfile::TempDir, schedule: TraceSchedule) -> TrainerConfig {
    TrainerConfig::default()
        .max_epochs(1)
        .enable_progress_bar(false)
        .enable_model_summary(false)
        .default_root_dir(folder.path())
        .profiler(Profiler::Trace(schedule))
}

/// A range of a trace, in microseconds.
#[derive(Debug)]
struct Range {
    name: String,
    category: String,
    thread: u64,
    begin: f64,
    end: f64,
}

impl Range {
    /// Whether the other range is within this one, in the same thread.
    fn contains(&self, other: &Self) -> bool {
        self.thread == other.thread && self.begin <= other.begin && other.end <= self.end
    }
}

/// The microseconds that two times may differ by where they are equal: sums of numbers with three decimals.
const EQUAL: f64 = 1e-6;

/// Reads a trace, and checks the rules of the format: those of complete events and of metadata, and that the ranges of a thread are
/// within one another or apart, without which a viewer does not draw them.
fn read(path: &Path) -> Vec<Range> {
    let trace: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut ranges = Vec::new();
    let mut threads = Vec::new();
    for event in trace["traceEvents"].as_array().unwrap() {
        let number = |key: &str| event[key].as_u64().unwrap_or_else(|| panic!("`{key}` of {event}"));
        let (process, thread) = (number("pid"), number("tid"));
        assert_eq!(process, u64::from(std::process::id()));
        let name = event["name"].as_str().unwrap().to_owned();
        match event["ph"].as_str().unwrap() {
            "M" => {
                assert!(!event["args"]["name"].as_str().unwrap().is_empty());
                if name == "thread_name" {
                    threads.push(thread);
                } else {
                    assert_eq!(name, "process_name");
                }
            }
            "X" => {
                let (begin, duration) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
                assert!(begin >= 0.0 && duration >= 0.0, "{event}");
                let category = event["cat"].as_str().unwrap().to_owned();
                ranges.push(Range { name, category, thread, begin, end: begin + duration });
            }
            other => panic!("an event of the kind `{other}`"),
        }
    }
    for thread in &threads {
        let mut around: Vec<&Range> = Vec::new();
        for range in ranges.iter().filter(|range| range.thread == *thread) {
            while around.last().is_some_and(|outer| outer.end <= range.begin + EQUAL) {
                around.pop();
            }
            if let Some(outer) = around.last() {
                assert!(range.end <= outer.end + EQUAL, "{range:?} is neither within {outer:?} nor after it");
            }
            around.push(range);
        }
    }
    assert!(ranges.iter().all(|range| threads.contains(&range.thread)), "a thread has no name");
    assert!(ranges.is_sorted_by(|one, other| one.begin <= other.begin));
    ranges
}

/// The names of the steps of a trace.
fn steps(ranges: &[Range]) -> Vec<&str> {
    ranges.iter().filter(|range| range.category == "step").map(|range| range.name.as_str()).collect()
}

#[test]
fn trace_has_operators_below_the_hooks_of_its_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, mut data) = (Line::new(Hparams::default()), Rows(DataHparams { read: 0, workers: 1 }));
    let mut trainer = Trainer::new(config(&folder, TraceSchedule::default()));
    trainer.fit(&mut model, &mut data).unwrap();
    let path = trainer.context().made_log_dir().unwrap().join("trace.json");
    let ranges = read(&path);
    // a step of waiting and one of warm-up come first
    assert_eq!(steps(&ranges), ["ProfilerStep#2", "ProfilerStep#3", "ProfilerStep#4"]);
    let named = |name: &str| ranges.iter().filter(|range| range.name == name).collect::<Vec<_>>();
    for (hook, operator) in [
        ("[LightningModule]Line.training_step", "aten::linear"),
        ("[LightningModule]Line.backward", "aten::mm"),
        ("loss", "aten::mean"),
    ] {
        let hooks = named(hook);
        assert_eq!(hooks.len(), 3, "{hook}");
        for hook in hooks {
            let within = ranges.iter().filter(|range| range.category == "operator" && hook.contains(range));
            assert!(
                within.clone().any(|range| range.name == operator),
                "{hook:?} has {:?}",
                within.collect::<Vec<_>>()
            );
        }
    }
    // operators have no hook as their own, and loops none of the other steps
    assert_eq!(named("run_training_batch").len(), 3);
    for batch in named("run_training_batch") {
        assert_eq!(
            named("[LightningModule]Line.training_step").into_iter().filter(|step| batch.contains(step)).count(),
            1
        );
    }
}

#[test]
fn trace_follows_its_schedule() {
    let folder = tempfile::tempdir().unwrap();
    // 8 steps: the second repetition is cut short by the end of the run
    let schedule = TraceSchedule { skip_first: 1, wait: 1, warmup: 0, active: 3, repeat: 2 };
    let mut trainer = Trainer::new(config(&folder, schedule));
    trainer.fit(&mut Line::new(Hparams::default()), training_only(Duration::ZERO)).unwrap();
    let run = trainer.context().made_log_dir().unwrap();
    assert_eq!(steps(&read(&run.join("trace.json"))), ["ProfilerStep#2", "ProfilerStep#3", "ProfilerStep#4"]);
    assert_eq!(steps(&read(&run.join("trace_1.json"))), ["ProfilerStep#6", "ProfilerStep#7"]);
}

#[test]
fn trace_of_another_verb_counts_its_batches() {
    let folder = tempfile::tempdir().unwrap();
    let schedule = TraceSchedule { wait: 0, warmup: 0, active: 1, ..TraceSchedule::default() };
    let mut trainer = Trainer::new(config(&folder, schedule));
    let mut data = Rows(DataHparams { read: 0, workers: 0 });
    trainer.test(&mut Line::new(Hparams::default()), &mut data).unwrap();
    let ranges = read(&trainer.context().made_log_dir().unwrap().join("trace.json"));
    assert_eq!(steps(&ranges), ["ProfilerStep#0"]);
    assert_eq!(ranges.iter().filter(|range| range.name == "[LightningModule]Line.test_step").count(), 1);
}

#[test]
fn trace_of_a_schedule_without_steps_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let schedule = TraceSchedule { active: 0, ..TraceSchedule::default() };
    let error =
        Trainer::new(config(&folder, schedule)).fit(&mut Line::new(Hparams::default()), training_only(Duration::ZERO));
    assert_eq!(error.unwrap_err().to_string(), "`active` of the `profiler` is 0: a trace needs at least one step");
}
