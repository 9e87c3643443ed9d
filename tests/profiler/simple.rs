//! The simple profiler.

use std::process::Command;
use std::time::{Duration, Instant};
use tch_lightning::prelude::*;
use tch_lightning::profiler::{ActionTime, Profiler};
use tests::profiler::model::{BATCHES, DataHparams, Hparams, Line, Rows, training_only};

/// Does nothing, under a name.
struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&mut self) {}
}

fn config(folder: &tempfile::TempDir) -> TrainerConfig {
    TrainerConfig::default()
        .max_epochs(2)
        .log_every_n_steps(2)
        .enable_progress_bar(false)
        .enable_model_summary(false)
        .default_root_dir(folder.path())
}

/// The times of a `fit` over two epochs, whose steps take `step` and whose rows take `read`, and the time of the `fit`.
fn fit(config: TrainerConfig, step: u64, read: u64) -> (Vec<ActionTime>, Duration) {
    let (mut model, mut data) =
        (Line::new(Hparams { step, ..Hparams::default() }), Rows(DataHparams { read, workers: 0 }));
    let mut trainer = Trainer::new(config).callback(Watch);
    let began = Instant::now();
    trainer.fit(&mut model, &mut data).unwrap();
    (trainer.context().action_times(), began.elapsed())
}

fn find<'a>(times: &'a [ActionTime], name: &str) -> &'a ActionTime {
    let names: Vec<&str> = times.iter().map(|time| time.name.as_str()).collect();
    times.iter().find(|time| time.name == name).unwrap_or_else(|| panic!("`{name}` is not one of {names:#?}"))
}

#[test]
fn simple_profiler_measures_every_hook_and_part() {
    let folder = tempfile::tempdir().unwrap();
    let (times, fit) = fit(config(&folder).profiler(Profiler::Simple), 3, 2);
    let steps = 2 * BATCHES;
    let calls = |name: &str| find(&times, name).calls;
    // the hooks of each owner, overridden or with a default that does something
    assert_eq!(calls("[LightningModule]Line.training_step"), steps);
    assert_eq!(calls("[LightningModule]Line.on_train_batch_end"), steps);
    assert_eq!(calls("[LightningModule]Line.backward"), steps);
    assert_eq!(calls("[LightningModule]Line.optimizer_step"), steps);
    // 2 batches in the sanity check and in each of two validations
    assert_eq!(calls("[LightningModule]Line.validation_step"), 6);
    assert_eq!(calls("[LightningDataModule]Rows.setup"), 1);
    assert_eq!(calls("[LightningDataModule]Rows.train_dataloader"), 1);
    assert_eq!(calls("[Callback]Watch.on_train_batch_end"), steps);
    assert_eq!(calls("[Callback]ModelCheckpoint.on_train_epoch_end"), 2);
    // the parts of the loops
    assert_eq!(calls("run_training_batch"), steps);
    assert_eq!(calls("train_dataloader_next (first of an epoch)"), 2);
    assert_eq!(calls("train_dataloader_next"), steps - 2);
    assert_eq!(calls("batch_to_device"), steps + 6);
    assert_eq!(calls("run_sanity_check"), 1);
    assert_eq!(calls("run_validation"), 2);
    assert!(calls("write_logs") >= steps / 2);
    assert!(calls("save_checkpoint") >= 2);
    // the user's region
    assert_eq!(calls("loss"), steps);

    let at_least = |name: &str, milliseconds: u64| {
        let total = find(&times, name).total;
        assert!(total >= Duration::from_millis(milliseconds), "{name} took {total:?}");
    };
    at_least("loss", 3 * steps);
    // 2 rows of 2 ms in each batch
    at_least("train_dataloader_next", 4 * (steps - 2));
    let [step, training, inner] =
        ["[LightningModule]Line.optimizer_step", "[LightningModule]Line.training_step", "loss"]
            .map(|name| find(&times, name));
    assert!(step.total > training.total && training.total > inner.total, "{step:?}, {training:?}, {inner:?}");
    assert!(training.own <= training.total - inner.total);
    // no time belongs to two actions, and that of an action which contains others belongs to one of them
    let own: Duration = times.iter().map(|time| time.own).sum();
    let disjoint = [
        "run_training_batch",
        "train_dataloader_next",
        "train_dataloader_next (first of an epoch)",
        "run_sanity_check",
        "run_validation",
    ];
    let disjoint: Duration = disjoint.iter().map(|name| find(&times, name).total).sum();
    assert!(disjoint <= own && own <= fit, "{disjoint:?}, {own:?}, {fit:?}");
    assert!(times.is_sorted_by(|one, other| one.total >= other.total));
}

#[test]
fn profiler_that_is_off_measures_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(fit(config(&folder), 0, 0).0, []);
}

#[test]
fn profiler_covers_a_run_that_fails() {
    struct Fails;

    #[lightning_callback]
    impl Fails {
        fn on_train_batch_end(&mut self, batch_idx: usize) -> Result<()> {
            if batch_idx == 2 { bail!("enough") } else { Ok(()) }
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(config(&folder).profiler(Profiler::Simple)).callback(Fails);
    let mut model = Line::new(Hparams::default());
    assert!(trainer.fit(&mut model, training_only(Duration::ZERO)).is_err());
    let times = trainer.context().action_times();
    assert_eq!(find(&times, "[Callback]Fails.on_train_batch_end").calls, 3);
    assert_eq!(find(&times, "run_training_batch").calls, 3);
}

/// What the program writes to stdout and to stderr.
fn program(folder: &tempfile::TempDir, arguments: &str) -> [String; 2] {
    let mut program = Command::new(env!("CARGO_BIN_EXE_profiled"));
    program.args(arguments.split_whitespace()).current_dir(folder).env("OMP_NUM_THREADS", "1").env_remove("RUST_LOG");
    let output = program.output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{}", said[1]);
    said
}

#[test]
fn simple_profiler_ends_in_a_table_and_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    // a batch takes 2 × 10 ms to read, and 5 ms and a little to train on
    let [stdout, stderr] =
        program(&folder, "fit --max-epochs 1 --profiler simple --read 10 --step 5 --enable-progress-bar false");
    assert_eq!(stdout, "");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    let row = |name: &str| {
        let row = stderr.lines().map(cells).find(|row| row.first().is_some_and(|first| first == name));
        row.unwrap_or_else(|| panic!("no row of `{name}`: {stderr}"))
    };
    assert_eq!(row("Action"), ["Action", "Mean", "Calls", "Total", "%", "Own", "Own %"]);
    assert_eq!(row("Total")[4], "100.0");
    assert_eq!(row("[LightningModule]Line.training_step")[2], BATCHES.to_string());
    let sentence =
        stderr.lines().find(|line| line.contains("% of a step waits for data: ")).unwrap_or_else(|| panic!("{stderr}"));
    // the share of the mean times in the table, and the workers by which reading is as fast as training
    let mean = |name: &str| {
        let mean = &row(name)[1];
        mean.strip_suffix(" ms").unwrap_or_else(|| panic!("{mean}")).parse::<f64>().unwrap()
    };
    let (waiting, training) = (mean("train_dataloader_next"), mean("run_training_batch"));
    let number = |word: usize| sentence.split(' ').nth(word).unwrap().parse::<f64>().unwrap();
    assert!((number(0) - 100.0 * waiting / (waiting + training)).abs() <= 1.0, "{sentence}");
    assert!((number(8) - (waiting / training).ceil()).abs() <= 1.0, "{sentence}");
}

#[test]
fn simple_profiler_says_nothing_of_fast_data() {
    let folder = tempfile::tempdir().unwrap();
    let [_, stderr] = program(&folder, "fit --max-epochs 1 --profiler simple --step 5 --enable-progress-bar false");
    assert!(!stderr.contains("waits for data"), "{stderr}");
}

#[test]
fn profiler_is_read_from_a_file_and_printed() {
    let folder = tempfile::tempdir().unwrap();
    let text = "trainer:\n  profiler: trace:active=2\n  trace_hooks: hooks.tsv\n";
    std::fs::write(folder.path().join("run.yaml"), text).unwrap();
    let [stdout, _] = program(&folder, "fit --config run.yaml --print-config");
    assert!(
        stdout.contains("profiler: trace:active=2\n") || stdout.contains("profiler: \"trace:active=2\"\n"),
        "{stdout}"
    );
    assert!(stdout.contains("trace_hooks: hooks.tsv\n"), "{stdout}");
}
