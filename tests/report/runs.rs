//! The table of `runs`.

use crate::child::{Program, column};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tch_lightning::report::{RunState, runs_in, runs_table};

/// The cells of a table's rows, the header first.
fn cells(table: &str) -> Vec<Vec<String>> {
    let rows = table.lines().filter(|line| !line.starts_with(['+', '-', '=']));
    rows.map(|line| {
        line.trim_matches('|').split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned)
    })
    .map(Iterator::collect)
    .collect()
}

#[test]
fn runs_are_listed_with_the_settings_in_which_they_differ() {
    let program = Program::new();
    program.succeed("fit");
    program.succeed("fit --lr 0.01 --max-epochs 2");
    let failed = program.refuse("fit --fault failure");
    assert!(failed.contains("the <b>fault</b> of epoch 1"), "{failed}");
    let table = program.succeed("runs");
    let rows = cells(&table);
    let settings: Vec<&str> = rows[0][7..].iter().map(String::as_str).collect();
    assert_eq!(rows[0][..7], ["Run", "Verb", "State", "Epochs", "Steps", "Time", "val_loss (min)"]);
    // and of a saved configuration, whatever else differs
    assert!(settings.contains(&"model.lr") && settings.contains(&"model.fault"), "{table}");
    assert!(!settings.contains(&"model.width"), "{table}");
    let is_of_environment = |name: &&&str| name.starts_with("environment") || **name == "ckpt_path";
    assert_eq!(settings.iter().find(is_of_environment), None, "{table}");
    let best = |version: &str| {
        let losses = column(&program.path("lightning_logs").join(version), "val_loss");
        format!("{:.4}", losses.into_iter().fold(f64::INFINITY, f64::min))
    };
    let without_time = |row: &[String]| [&row[..5], &row[6..7]].concat();
    assert_eq!(without_time(&rows[1]), ["version_0", "fit", "finished", "3", "15", &best("version_0")]);
    assert_eq!(without_time(&rows[2]), ["version_1", "fit", "finished", "2", "10", &best("version_1")]);
    assert_eq!(without_time(&rows[3]), ["version_2", "fit", "failed", "1", "7", &best("version_2")]);
    let lr = settings.iter().position(|name| *name == "model.lr").unwrap();
    assert_eq!([&rows[1][7 + lr], &rows[2][7 + lr], &rows[3][7 + lr]], ["0.1", "0.01", "0.1"]);
    // the same from code, of the folder above
    let runs = runs_in(program.folder()).unwrap();
    assert_eq!(runs_table(&runs).trim_end(), table.trim_end());
    assert_eq!(runs[2].state(), RunState::Failed);
    assert!(runs[2].end_reason().unwrap().contains("the <b>fault</b> of epoch 1"), "{:?}", runs[2].end_reason());
    assert!(runs.iter().all(|run| run.problems().is_empty()));
}

#[test]
fn run_of_a_process_runs_until_it_ends_or_is_killed() {
    let program = Program::new();
    let state = |version: usize| runs_in(program.folder()).unwrap()[version].state();
    let mut child = program.start("fit --fault wait");
    assert_eq!(state(0), RunState::Running);
    // the first step has ended
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(program.path("lightning_logs/version_0/run.json")).unwrap()).unwrap();
    assert_eq!((&file["outcome"], &file["training_step"]["samples"]), (&"running".into(), &4.into()));
    assert!(program.succeed("runs").contains("running"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(state(0), RunState::Killed);
    let killed = &runs_in(program.folder()).unwrap()[0];
    // the rows of epoch 0 and of two steps
    assert_eq!((killed.epochs(), killed.steps()), (Some(1), Some(7)));
    let mut child = program.start("fit --fault wait");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    fs::write(program.path("continue"), "").unwrap();
    child.wait().unwrap();
    assert_eq!(state(1), RunState::Interrupted);
}

#[test]
fn run_file_describes_the_run() {
    let program = Program::new();
    program.succeed("fit --max-epochs 1");
    let text = fs::read_to_string(program.path("lightning_logs/version_0/run.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&file["outcome"], &file["stage"]), (&"finished".into(), &"fit".into()));
    assert_eq!((&file["epochs"], &file["steps"]), (&1.into(), &5.into()));
    assert_eq!(file["command"].as_array().unwrap()[1..], ["fit", "--max-epochs", "1"]);
    assert_eq!(file["monitor"], serde_json::json!({ "metric": "val_loss", "mode": "min" }));
    assert_eq!(file["environment"]["device"], "Cpu");
    assert!(file["environment"]["libtorch"].as_str().unwrap().starts_with("2."), "{text}");
    let hooks = file["hooks"].as_array().unwrap();
    let step = hooks.iter().find(|hook| hook["name"] == "training_step").unwrap();
    assert!(step["at"].as_str().unwrap().contains("report/program.rs:"), "{step}");
    assert!(!hooks.iter().any(|hook| hook["name"] == "test_step"));
    let layers = file["layers"].as_array().unwrap();
    let hidden = layers.iter().find(|layer| layer["name"] == "hidden").unwrap()["tensors"].as_array().unwrap();
    let weight = hidden.iter().find(|tensor| tensor["name"] == "weight").unwrap();
    assert_eq!((&weight["shape"], &weight["bytes"]), (&serde_json::json!([8, 2]), &64.into()));
    assert!(file["ended"].as_f64().unwrap() >= file["started"].as_f64().unwrap());
}

#[test]
fn runs_of_any_files_are_listed() {
    let root = tempfile::tempdir().unwrap();
    let file = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    // of Lightning's own CSVLogger, torn; empty; with a file that is not one; with broken ones
    file("version_10/metrics.csv", "epoch,step,val_loss\n0,9,0.5\n1,19,0.25\n2,29,nan\n3,39,0.1");
    fs::create_dir_all(root.path().join("version_2")).unwrap();
    fs::create_dir_all(root.path().join("version_11/metrics.csv")).unwrap();
    file("version_12/run.json", "{");
    file("not a run/notes.txt", "");
    let runs = runs_in(root.path()).unwrap();
    let names: Vec<String> = runs.iter().map(|run| run.name()).collect();
    assert_eq!(names, ["version_2", "version_10", "version_11", "version_12"]);
    assert_eq!(runs[1].best().map(|best| (best.value, best.step)), Some((0.25, 19.0)));
    assert_eq!((runs[1].state(), runs[1].epochs(), runs[1].steps()), (RunState::Unknown, Some(2), Some(30)));
    assert_eq!((runs[0].epochs(), runs[0].best()), (None, None));
    let path = |name: &str| root.path().join(name).display().to_string();
    assert_eq!(
        runs[2].problems(),
        [format!("cannot read {}: Is a directory (os error 21)", path("version_11/metrics.csv"))]
    );
    let problem = &runs[3].problems()[0];
    assert!(problem.starts_with(&format!("{} is not valid: EOF", path("version_12/run.json"))), "{problem}");
    assert_eq!(cells(&runs_table(&runs)).len(), 5);
}

#[test]
fn folder_without_runs_is_an_error() {
    let program = Program::new();
    let said = program.refuse("runs");
    assert_eq!(said, "error: cannot read the runs in lightning_logs: No such file or directory (os error 2)");
    let said = program.refuse("runs .");
    assert!(said.contains("error: . does not contain runs"), "{said}");
}

#[test]
fn report_replaces_neither_a_link_nor_a_device() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let program = Program::new();
    program.succeed("fit");
    fs::write(program.path("page.html"), "old").unwrap();
    symlink("page.html", program.path("link.html")).unwrap();
    program.succeed("report lightning_logs/version_0 -o link.html");
    assert!(fs::symlink_metadata(program.path("link.html")).unwrap().is_symlink());
    assert!(fs::read_to_string(program.path("page.html")).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(Command::new("mkfifo").arg(program.path("pipe")).status().unwrap().success());
    let pipe = program.path("pipe");
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    program.succeed("report lightning_logs/version_0 -o pipe");
    assert!(reader.join().unwrap().starts_with("<!DOCTYPE html>"));
    assert!(fs::metadata(pipe).unwrap().file_type().is_fifo());
}

#[test]
fn pipe_in_the_folder_of_a_run_is_skipped() {
    let program = Program::new();
    program.succeed_with_json_lines("fit");
    let run = program.path("lightning_logs/version_0");
    let media = ["images/ramp", "texts/note", "tables/mistakes"].map(|folder| {
        let entries = fs::read_dir(run.join(folder)).unwrap();
        let name = entries.map(|entry| entry.unwrap().file_name()).min().unwrap();
        format!("{folder}/{}", name.to_str().unwrap())
    });
    let names = ["metrics.csv", "metrics.jsonl", "hparams.json", "config.yaml", "run.json", "histograms.jsonl"];
    for name in names.iter().copied().chain(media.iter().map(String::as_str)) {
        fs::remove_file(run.join(name)).unwrap();
        assert!(Command::new("mkfifo").arg(run.join(name)).status().unwrap().success());
    }
    let warnings = |arguments: &str| {
        let output = program.run(arguments);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        said.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let warning = |name: &&str| {
        format!("warning: cannot read lightning_logs/version_0/{name}: it is a pipe, a socket or a device, not a file")
    };
    for command in ["runs", "report lightning_logs"] {
        let (mut said, mut expected) = (warnings(command), names[..5].iter().map(warning).collect::<Vec<_>>());
        said.sort();
        expected.sort();
        assert_eq!(said, expected, "{command}");
    }
    // the file of another run
    program.succeed("fit --max-epochs 1");
    let checkpoints = program.path("lightning_logs/version_1/checkpoints");
    assert!(Command::new("mkfifo").arg(checkpoints.join("newer.ckpt")).status().unwrap().success());
    program.succeed("fit --max-epochs 2 --ckpt-path last");
    // a file that the user names may be a pipe
    let script =
        format!("{} fit --config <(echo 'trainer: {{max_epochs: 1}}') --print-config", env!("CARGO_BIN_EXE_reported"));
    let output = Command::new("bash").args(["-c", &script]).current_dir(program.folder()).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("max_epochs: 1\n"));
}

#[test]
fn run_that_cannot_be_read_does_not_hide_the_others() {
    let program = Program::new();
    let file = |path: &str, text: &str| {
        let path = program.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    file("logs/version_0/metrics.csv", "epoch,step,val_loss\n0,9,0.5\n");
    file("logs/version_1/metrics.csv", "epoch,step,val_loss\n0,9,0.25\n");
    file("logs/version_1/hparams.json", &format!(r#"{{"name": "\u001b[31mred{}"}}"#, "x".repeat(500)));
    file("named/one/metrics.csv", "epoch,step,val_loss\n0,9,0.75\n");
    fs::set_permissions(program.path("logs/version_0"), fs::Permissions::from_mode(0o000)).unwrap();
    let is_root = fs::read_dir(program.path("logs/version_0")).is_ok();
    for command in ["runs logs", "report logs"] {
        let output = if is_root { program.run_without_rights(command) } else { program.run(command) };
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "warning: cannot read logs/version_0: Permission denied (os error 13)\n");
    }
    fs::set_permissions(program.path("logs/version_0"), fs::Permissions::from_mode(0o755)).unwrap();
    // a text of a setting is short, and does not change the terminal
    let table = program.succeed("runs logs");
    assert!(table.contains("\\u{1b}[31mred") && table.contains('…') && !table.contains('\u{1b}'), "{table}");
    assert!(table.lines().all(|line| line.chars().count() < 200), "{table}");
    // one run is a list of one
    let table = program.succeed("runs logs/version_1");
    assert!(table.contains("version_1") && table.contains("0.2500") && !table.contains("version_0"), "{table}");
    assert!(program.succeed("watch named").contains("0.7500"));
    // a page about nothing is not written
    fs::create_dir(program.path("empty")).unwrap();
    for command in ["runs empty", "report empty", "watch empty"] {
        assert!(program.refuse(command).starts_with("error: empty does not contain runs: "), "{command}");
    }
}
