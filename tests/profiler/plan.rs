//! `hooks --plan`: the printed plan of a run is played, and compared with the hooks that the run calls.

use std::fs;
use std::path::Path;
use std::process::Command;
use tests::profiler::model::BATCHES;

/// The batches of a sanity check and of a validation.
const VALIDATION_BATCHES: u64 = 2;

/// What the program writes to stdout.
fn program(folder: &Path, arguments: &str) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_profiled"));
    program.args(arguments.split_whitespace()).current_dir(folder).env("OMP_NUM_THREADS", "1").env_remove("RUST_LOG");
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A line of a plan, with the lines below it that are indented.
struct Line {
    text: String,
    below: Vec<Line>,
}

/// Reads lines that are indented at least this much.
fn tree(lines: &mut std::iter::Peekable<std::str::Lines<'_>>, indent: usize) -> Vec<Line> {
    let mut read = Vec::new();
    let indent_of = |line: &str| line.len() - line.trim_start().len();
    while let Some(line) = lines.next_if(|line| indent_of(line) >= indent) {
        read.push(Line { text: line.trim().to_owned(), below: tree(lines, indent + 2) });
    }
    read
}

/// A run by its plan.
struct Player {
    callbacks: Vec<String>,
    epochs: u64,
    /// Whether `configure_optimizers` requests the number of steps.
    estimates: bool,
    /// The running epoch and batch.
    epoch: u64,
    batch: u64,
    /// The owner and the hook of each call.
    calls: Vec<(String, String)>,
}

impl Player {
    fn play(&mut self, lines: &[Line]) {
        for line in lines {
            match line.text.strip_suffix(':') {
                Some(title) => self.repeat(title, &line.below),
                None => self.call(&line.text),
            }
        }
    }

    fn repeat(&mut self, title: &str, below: &[Line]) {
        if title.starts_with("for each epoch") {
            for epoch in 0..self.epochs {
                self.epoch = epoch;
                self.play(below);
            }
        } else if title == "for each training batch" {
            for batch in 0..BATCHES {
                self.batch = batch;
                self.play(below);
            }
        } else if title.starts_with("for each batch") || title == "for each validation batch" {
            (0..VALIDATION_BATCHES).for_each(|_| self.play(below));
        } else if title == "after the last batch" {
            if self.batch + 1 == BATCHES {
                self.play(below);
            }
        } else if let Some(interval) = title.strip_prefix("after every ") {
            let interval: u64 = interval.strip_suffix(" batches").unwrap().parse().unwrap();
            if (self.batch + 1).is_multiple_of(interval) {
                self.play(below);
            }
        } else {
            if title == "if it calls ctx.estimated_stepping_batches" {
                if self.estimates {
                    self.play(below);
                }
                return;
            }
            // what it depends on is not known before the run
            assert_eq!(title, "whenever a checkpoint is written");
        }
    }

    fn call(&mut self, text: &str) {
        let (text, when) = text.split_once("  (").map_or((text, ""), |(text, when)| (text, when.trim_end_matches(')')));
        let (hook, owners) = text.split_once("  ").unwrap();
        if !self.is_now(when) {
            return;
        }
        for owner in owners.trim().split(", ") {
            let owners = match owner.trim_end_matches('*') {
                "callbacks" => self.callbacks.iter().map(|name| format!("[Callback]{name}")).collect(),
                "Line" => vec!["[LightningModule]Line".to_owned()],
                "Rows" => vec!["[LightningDataModule]Rows".to_owned()],
                callback => vec![format!("[Callback]{callback}")],
            };
            self.calls.extend(owners.into_iter().map(|owner| (owner, hook.to_owned())));
        }
    }

    /// Whether a condition holds in the running batch.
    fn is_now(&self, when: &str) -> bool {
        let window = |words: &str| when.strip_prefix(words)?.strip_suffix(" batches")?.parse::<u64>().ok();
        if let Some(window) = window("the first of ") {
            return self.batch.is_multiple_of(window);
        }
        if let Some(window) = window("the last of ") {
            return (self.batch + 1).is_multiple_of(window) || self.batch + 1 == BATCHES;
        }
        match when {
            "" => true,
            "if not called before" => !self.estimates,
            // in these tests, the optimizer steps before each validation, and nothing schedules its rate
            "if the optimizer has just stepped" => true,
            "the first time" => self.epoch == 0,
            "if a scheduler is due" | "if the checkpoint has a state of it" => false,
            other => panic!("a condition that this test does not know: {other}"),
        }
    }
}

/// Compares the plan of a verb with its run of `epochs` epochs. Hooks of checkpoints depend on what callbacks decide.
fn compare(folder: &Path, verb: &str, flags: &str, epochs: u64) {
    let plan = program(folder, &format!("hooks --plan {verb} {flags}"));
    program(folder, &format!("{verb} {flags} --trace-hooks hooks.tsv"));
    let (head, body) = plan.split_once("\n\n").unwrap();
    let callbacks = head.lines().find_map(|line| line.strip_prefix("callbacks: ")).unwrap();
    let callbacks = callbacks.split(", ").filter(|name| *name != "none").map(str::to_owned).collect();
    let mut player =
        Player { callbacks, epochs, estimates: flags.contains("--estimates"), epoch: 0, batch: 0, calls: Vec::new() };
    player.play(&tree(&mut body.lines().peekable(), 0));
    let trace = fs::read_to_string(folder.join("hooks.tsv")).unwrap();
    let called = trace.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let called = called.filter(|line| !["on_save_checkpoint", "state_dict", "load_state_dict"].contains(&line[4]));
    let called: Vec<(String, String)> = called.map(|line| (line[3].to_owned(), line[4].to_owned())).collect();
    let differs = player.calls.iter().zip(&called).position(|(planned, called)| planned != called);
    if let Some(index) = differs {
        let around = index.saturating_sub(3)..(index + 2).min(called.len().min(player.calls.len()));
        panic!("{plan}\nplanned {:#?}\nand called {:#?}", &player.calls[around.clone()], &called[around]);
    }
    assert_eq!(player.calls.len(), called.len(), "{plan}");
}

#[test]
fn plan_is_what_a_fit_with_the_defaults_calls() {
    let folder = tempfile::tempdir().unwrap();
    compare(folder.path(), "fit", "--max-epochs 2", 2);
    // resumed after the last of two epochs
    compare(folder.path(), "fit", "--max-epochs 3 --ckpt-path last", 1);
    compare(folder.path(), "test", "--ckpt-path last", 0);
    compare(folder.path(), "validate", "--ckpt-path last", 0);
}

#[test]
fn plan_is_what_a_fit_calls_that_accumulates_and_validates_within_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--max-epochs 2 --accumulate-grad-batches 4 --val-check-interval 4 --num-sanity-val-steps 0 \
        --enable-checkpointing false --enable-model-summary false --enable-progress-bar false";
    compare(folder.path(), "fit", flags, 2);
}

#[test]
fn plan_is_what_a_fit_without_validation_calls() {
    let folder = tempfile::tempdir().unwrap();
    compare(folder.path(), "fit", "--max-epochs 1 --limit-val-batches 0 --accumulate-grad-batches 3", 1);
}

#[test]
fn plan_is_what_a_fit_calls_whose_optimizer_needs_the_number_of_steps() {
    let folder = tempfile::tempdir().unwrap();
    compare(folder.path(), "fit", "--max-epochs 1 --estimates", 1);
    compare(folder.path(), "fit", "--max-epochs 1 --optimizer sgd --optimizer.lr 0.1", 1);
}

#[test]
fn plan_marks_overridden_hooks_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plan = program(folder.path(), "hooks --plan --max-epochs 2");
    let line = |hook: &str| {
        let line = plan.lines().find(|line| line.trim_start().starts_with(&format!("{hook} ")));
        line.unwrap_or_else(|| panic!("{plan}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(plan.lines().next(), Some("the hooks of `fit`, in order; * overrides a hook"));
    assert_eq!(line("training_step"), "training_step Line*");
    assert_eq!(line("backward"), "backward Line");
    assert_eq!(line("train_dataloader"), "train_dataloader Rows*");
    assert_eq!(line("on_train_batch_end"), "on_train_batch_end callbacks, Line*");
    assert_eq!(line("on_train_batch_start"), "on_train_batch_start callbacks");
    assert!(plan.contains("\nfor each epoch, at most 2:\n"), "{plan}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the plan leaves files");
}
