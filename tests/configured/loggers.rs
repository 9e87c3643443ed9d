//! `logger`, by flag and by configuration file.

use super::{Program, files};

const RUN: &str = "lightning_logs/version_0";

/// Returns the names of the files in a folder, with the times and hosts of event files removed.
fn names(program: &Program, folder: &str) -> Vec<String> {
    let name = |path: std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let name = |path| name(path).split(".tfevents").next().unwrap().to_owned();
    files(&program.path(folder)).into_iter().map(name).filter(|name| name != "checkpoints").collect()
}

#[test]
fn logger_flag_takes_several_loggers_in_either_form() {
    for flags in [&["--logger", "csv", "--logger", "tensorboard"][..], &["--logger", "csv,tensorboard"]] {
        let program = Program::new();
        program.run(&[&["fit", "--max-steps", "2"], flags].concat());
        assert_eq!(names(&program, RUN), ["config.yaml", "events.out", "hparams.json", "metrics.csv", "run.json"]);
        let config = program.read(&format!("{RUN}/config.yaml"));
        assert!(config.contains("  logger:\n  - csv\n  - tensorboard\n"), "{config}");
        // the saved configuration has the same loggers
        program.run(&["fit", "--config", &format!("{RUN}/config.yaml")]);
        assert_eq!(names(&program, "lightning_logs/version_1"), names(&program, RUN));
    }
}

#[test]
fn logger_of_a_file_has_options_and_the_flag_replaces_it() {
    let program = Program::new();
    program.write(
        "run.yaml",
        "trainer: {max_steps: 2, logger: [jsonl, {tensorboard: {folder: board}}, {csv: {folder: rows}}]}\n",
    );
    program.run(&["fit", "--config", "run.yaml"]);
    assert_eq!(names(&program, RUN), ["config.yaml", "metrics.jsonl", "run.json"]);
    assert_eq!(names(&program, "board"), ["events.out"]);
    assert_eq!(names(&program, "rows"), ["hparams.json", "metrics.csv"]);
    let (printed, _) = program.run(&["fit", "--config", "run.yaml", "--print-config"]);
    let logger = "  logger:\n  - jsonl\n  - tensorboard:\n      folder: board\n  - csv:\n      folder: rows\n";
    assert!(printed.contains(logger), "{printed}");
    for (flag, logger) in [("false", "false"), ("true", "true"), ("csv", "csv")] {
        let (printed, _) = program.run(&["fit", "--config", "run.yaml", "--logger", flag, "--print-config"]);
        assert!(printed.contains(&format!("  logger: {logger}\n")), "{printed}");
    }
    // the form of a file, as a flag
    let (printed, _) = program.run(&["fit", "--logger", "{tensorboard: {folder: board}}", "--print-config"]);
    assert!(printed.contains("  logger:\n    tensorboard:\n      folder: board\n"), "{printed}");
}

#[test]
fn wandb_logger_of_a_file_writes_a_run_to_upload() {
    let program = Program::new();
    program.write(
        "run.yaml",
        "trainer: {max_steps: 2, logger: {wandb: {folder: wandb, project: digits, run_name: wide}}}\n",
    );
    let (_, said) = program.run(&["fit", "--config", "run.yaml"]);
    let [run] = files(&program.path("wandb")).try_into().unwrap();
    let name = run.file_name().unwrap().to_str().unwrap();
    assert!(said.contains(&format!("upload the run to W&B: wandb sync wandb/{name}\n")), "{said}");
    let id = name.rsplit('-').next().unwrap();
    let file = std::fs::read(run.join(format!("run-{id}.wandb"))).unwrap();
    assert_eq!(&file[..4], b":W&B");
    for text in ["digits", "wide"] {
        assert!(file.windows(text.len()).any(|bytes| bytes == text.as_bytes()), "{text} is not in the run");
    }
    let (printed, _) = program.run(&["fit", "--config", "run.yaml", "--print-config"]);
    let logger = "  logger:\n    wandb:\n      folder: wandb\n      project: digits\n      run_name: wide\n";
    assert!(printed.contains(logger), "{printed}");
}

#[test]
fn logger_that_is_invalid_is_refused_with_the_alternatives() {
    let program = Program::new();
    for (value, mistake) in [
        (
            "maybe",
            "`maybe` is not a logger: write true, false, csv, tensorboard, jsonl, wandb or mlflow, or a list of them",
        ),
        ("[csv, {tensorboard: {fodler: a}}]", "`tensorboard.fodler` is unknown: write `folder`"),
        ("{csv: {}, jsonl: {}}", "a logger is one name with its options, such as `tensorboard: {folder: logs}`"),
        ("[csv, csv]", "`logger` has csv twice with the same folder"),
        ("[{csv: {folder: a}}, {csv: {folder: a}}]", "`logger` has csv twice with the same folder"),
        ("mlflow", "`logger` has mlflow without `tracking_uri`, and MLFLOW_TRACKING_URI is not set"),
    ] {
        program.write("run.yaml", &format!("trainer: {{logger: {value}}}\n"));
        let said = program.fail(&["fit", "--config", "run.yaml"]);
        assert!(said.contains(mistake), "{value}: {said}");
    }
    let said = program.fail(&["fit", "--logger", "neptune"]);
    assert!(said.contains("`neptune` is not a logger: write true, false, csv"), "{said}");
    let said = program.fail(&["fit", "--logger", "csv", "--logger", "false"]);
    assert!(said.contains("`false` excludes other loggers"), "{said}");
}

#[test]
fn mlflow_of_a_file_keeps_what_a_missing_server_did_not_get() {
    let program = Program::new();
    // nothing listens on the port
    let options = "{tracking_uri: 'http://127.0.0.1:9', experiment_name: digits, run_name: wide}";
    program.write("run.yaml", &format!("trainer: {{max_steps: 1, logger: [csv, {{mlflow: {options}}}]}}\n"));
    program.run(&["fit", "--config", "run.yaml"]);
    assert_eq!(names(&program, RUN), ["config.yaml", "hparams.json", "metrics.csv", "mlflow_unsent.jsonl", "run.json"]);
    let unsent = program.read(&format!("{RUN}/mlflow_unsent.jsonl"));
    assert!(unsent.contains("\"digits\"") && unsent.contains("\"wide\""), "{unsent}");
}
