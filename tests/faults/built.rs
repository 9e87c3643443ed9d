//! A generated program with loggers, callbacks and defaults that `main` gives it.

use crate::child::Program;

fn program() -> Program {
    Program::new().with("BUILT", "1")
}

#[test]
fn loggers_and_callbacks_of_the_program_are_those_of_every_run() {
    let program = program();
    let said = program.succeed("fit --width 1 --max-epochs 1");
    assert_eq!(said.matches("epoch 0 of Some(1)").count(), 2, "{said}");
    for folder in ["one", "other"] {
        assert!(program.path(folder).join("metrics.csv").exists(), "{folder}");
    }
    assert!(!program.path("lightning_logs/version_0/metrics.csv").exists(), "no logger beside them");
    assert!(program.path("lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt").exists());
    program.succeed("test");
}

#[test]
fn defaults_of_the_program_are_overridden_by_files_and_flags() {
    let program = program();
    let max_epochs = |arguments: &str| {
        let printed = program.succeed(&format!("fit --width 1 --print-config {arguments}"));
        let line = printed.lines().find_map(|line| line.strip_prefix("  max_epochs: ").map(str::to_owned));
        line.unwrap_or_else(|| panic!("{printed}"))
    };
    std::fs::write(program.path("run.yaml"), "trainer: {max_epochs: 5}\n").unwrap();
    assert_eq!(max_epochs(""), "3");
    assert_eq!(max_epochs("--config run.yaml"), "5");
    assert_eq!(max_epochs("--config run.yaml --max-epochs 7"), "7");
    assert!(program.succeed("fit --help").contains("[default: 3]"));
}

#[test]
fn flag_turns_off_the_loggers_of_the_program_too() {
    let program = program();
    program.succeed("fit --width 1 --max-epochs 1 --logger false");
    assert!(!program.path("one").exists() && !program.path("other").exists());
    program.succeed("fit --width 1 --max-epochs 1 --logger csv");
    assert!(program.path("one").exists() && program.path("lightning_logs/version_1/metrics.csv").exists());
}
