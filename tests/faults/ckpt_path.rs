//! `--ckpt-path best|last` of the generated program, and which checkpoint it takes without.

use crate::child::{Program, text};
use std::fs;
use tch_lightning::checkpoint::Checkpoint;

const BEST: &str = "lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt";
const LAST: &str = "lightning_logs/version_0/checkpoints/newest-epoch=2.ckpt";

/// A program after a `fit` of three epochs, the first of which was the best.
fn trained() -> Program {
    let program = Program::new().with("BUILT", "best");
    program.succeed("fit --width 1");
    program
}

/// The path of the checkpoint that the program says it takes, and what it says of it.
fn taken(said: &str) -> (&str, &str) {
    let line = said.lines().find(|line| line.contains("checkpoint"));
    let (what, path) = line.and_then(|line| line.rsplit_once(": ")).unwrap_or_else(|| panic!("{said}"));
    (path.trim_start_matches("./"), what)
}

#[test]
fn best_and_last_are_found_by_another_process() {
    let program = trained();
    for verb in ["validate", "test", "predict"] {
        let said = program.log(verb);
        let (path, what) = taken(&said);
        assert_eq!(path, BEST, "`{verb}`");
        assert!(what.starts_with("best checkpoint (val_loss: "), "`{verb}`: {said}");
    }
    let best = program.log("test --ckpt-path best");
    assert_eq!(taken(&best).0, BEST);
    assert_eq!(taken(&program.log("test --ckpt-path last")), (LAST, "last checkpoint"));
    assert_eq!(taken(&program.log(&format!("test --ckpt-path {LAST}"))), (LAST, "checkpoint"));
    fs::write(program.path("run.yaml"), "ckpt_path: last\n").unwrap();
    assert_eq!(taken(&program.log("test --config run.yaml")).0, LAST);
    assert_eq!(taken(&program.log("test --config run.yaml --ckpt-path best")).0, BEST, "the flag wins");
    let printed = program.succeed("test --ckpt-path best --print-config");
    assert!(printed.ends_with("ckpt_path: best\n"), "{printed}");
    // the score is the one that the run logged
    let score = taken(&best).1.rsplit(' ').next().unwrap().trim_end_matches(')');
    let metrics = fs::read_to_string(program.path("lightning_logs/version_0/metrics.csv")).unwrap();
    let column = metrics.lines().next().unwrap().split(',').position(|name| name == "val_loss").unwrap();
    let first = metrics.lines().skip(1).find_map(|row| row.split(',').nth(column).filter(|value| !value.is_empty()));
    assert_eq!(format!("{:.4}", first.unwrap().parse::<f64>().unwrap()), score);
}

#[test]
fn best_of_a_run_that_saves_weights_alone_is_found_by_another_process() {
    let program = Program::new().with("BUILT", "best weights");
    program.succeed("fit --width 1");
    for arguments in ["test", "test --ckpt-path best"] {
        let log = program.log(arguments);
        assert_eq!(taken(&log).0, BEST, "{log}");
    }
}

#[test]
fn stdout_has_results_alone() {
    let program = Program::new().with("BUILT", "best");
    assert_eq!(program.succeed("fit --width 1"), "");
    assert_eq!(program.succeed("predict"), "");
    let results = program.succeed("validate");
    assert!(results.lines().all(|line| line.starts_with(['|', '+'])) && results.contains("val_loss"), "{results}");
    assert!(program.log("predict").contains("predicted "));
}

#[test]
fn fit_resumes_from_best_or_last() {
    let program = trained();
    program.succeed("fit --ckpt-path last --max-epochs 4");
    let resumed = |version: usize, name: &str| {
        Checkpoint::read(&program.path(&format!("lightning_logs/version_{version}/checkpoints/{name}")))
            .unwrap()
            .metadata
    };
    assert_eq!(resumed(1, "newest-epoch=3.ckpt").global_step, 20);
    fs::remove_dir_all(program.path("lightning_logs/version_1")).unwrap();
    let said = program.log("fit --ckpt-path best --max-epochs 2");
    assert_eq!(taken(&said).0, BEST);
    assert_eq!(resumed(1, "newest-epoch=1.ckpt").global_step, 10);
}

#[test]
fn moved_and_copied_runs_have_their_own_best() {
    let program = trained();
    fs::rename(program.path("lightning_logs"), program.path("moved")).unwrap();
    fs::create_dir(program.path("other")).unwrap();
    fs::rename(program.path("moved"), program.path("other/lightning_logs")).unwrap();
    let said = program.log("test --default-root-dir other");
    assert!(taken(&said).0.ends_with(&format!("other/{BEST}")), "{said}");
    // a copy next to the original
    fs::create_dir_all(program.path("copy/lightning_logs/version_0/checkpoints")).unwrap();
    for name in ["epoch=0-step=5.ckpt", "newest-epoch=2.ckpt"] {
        let name = format!("lightning_logs/version_0/checkpoints/{name}");
        fs::copy(program.path("other").join(&name), program.path("copy").join(&name)).unwrap();
    }
    let said = program.log("test --default-root-dir copy");
    assert!(taken(&said).0.ends_with(&format!("copy/{BEST}")), "{said}");
}

#[test]
fn missing_checkpoints_are_explained() {
    let program = Program::new().with("BUILT", "best");
    let none = "there is no checkpoint in ./lightning_logs: run `fit` first, or name a checkpoint with `--ckpt-path` or `ckpt_path`";
    for arguments in ["test", "test --ckpt-path best", "test --ckpt-path last", "fit --width 1 --ckpt-path best"] {
        assert_eq!(program.refuse(arguments), none, "{arguments}");
    }
    for part in ["weights", "optimizer"] {
        assert_eq!(
            program.refuse(&format!("fit --width 1 --resume {part}")),
            format!("`--resume {part}` needs a checkpoint to begin with: add `--ckpt-path best`, `last` or a file")
        );
    }
    let output = program.run("fit --width 1 --ckpt-path last");
    let log = text(output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.contains("warning: there is no checkpoint in ./lightning_logs: `fit` starts from scratch"), "{log}");
    fs::remove_file(program.path(BEST)).unwrap();
    let said = program.refuse("test");
    assert!(said.ends_with("epoch=0-step=5.ckpt, no longer exists: name another one, or use `last`"), "{said}");
    program.succeed("test --ckpt-path last");
}

#[test]
fn run_without_a_monitored_metric_has_a_last_checkpoint_alone() {
    let program = Program::new();
    program.succeed("fit --width 1 --max-epochs 2");
    let newest = "lightning_logs/version_0/checkpoints/epoch=1-step=10.ckpt";
    assert_eq!(taken(&program.log("test")), (newest, "last checkpoint"));
    assert_eq!(taken(&program.log("test --ckpt-path best")).0, newest);
}

#[test]
fn changed_learning_rate_of_a_resumed_fit_is_a_warning() {
    let program = Program::new();
    program.succeed("fit --width 1 --max-epochs 1");
    let log = text(program.run("fit --ckpt-path last --max-epochs 2 --lr 0.5 --limit 3").stderr);
    let warning = "warning: `lr` is 0.5, but 0.01 in the checkpoint: optimizers and schedulers resume with the checkpoint's settings";
    assert!(log.contains(warning), "{log}");
    assert!(!log.contains("warning: `limit`"), "{log}");
    let log = text(program.run("fit --ckpt-path last --max-epochs 3").stderr);
    assert!(!log.contains("warning: `lr`"), "{log}");
}
