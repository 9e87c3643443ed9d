//! `deterministic`, `benchmark` and `float32_matmul_precision`.

use super::Program;

#[test]
fn deterministic_run_refuses_an_operator_without_a_deterministic_algorithm() {
    let program = Program::new();
    let (_, log) = program.run(&["fit", "--max-steps", "1", "--put"]);
    assert!(!log.contains("deterministic"), "{log}");
    // the text is libtorch's
    let sentence = "put_ does not have a deterministic implementation";
    let said = program.fail(&["fit", "--max-steps", "1", "--put", "--deterministic"]);
    assert!(said.contains(sentence), "{said}");
    let (_, log) = program.run(&["fit", "--max-steps", "1", "--put", "--deterministic", "warn"]);
    assert!(log.contains(sentence), "{log}");
    program.write("run.yaml", "trainer: {deterministic: true, max_steps: 1}\n");
    program.run(&["fit", "--config", "run.yaml"]);
    let said = program.fail(&["fit", "--config", "run.yaml", "--put"]);
    assert!(said.contains(sentence), "{said}");
    program.run(&["fit", "--config", "run.yaml", "--put", "--deterministic", "false"]);
}

#[test]
fn backend_settings_are_read_from_flags_and_files() {
    let program = Program::new();
    let all = "  deterministic: warn\n  benchmark: false\n  float32_matmul_precision: high\n";
    let flags = ["--deterministic", "warn", "--benchmark", "false", "--float32-matmul-precision", "high"];
    let (printed, _) = program.run(&[&["fit", "--print-config"], &flags[..]].concat());
    assert!(printed.contains(all), "{printed}");
    program.write("run.yaml", &format!("trainer:\n  max_steps: 1\n{all}"));
    let (printed, _) = program.run(&["fit", "--config", "run.yaml", "--print-config"]);
    assert!(printed.contains(all), "{printed}");
    program.run(&["fit", "--config", "run.yaml"]);
    program.write("run.yaml", "trainer: {deterministic: maybe, float32_matmul_precision: low}\n");
    let said = program.fail(&["fit", "--config", "run.yaml"]);
    assert!(said.contains("`trainer.deterministic`: write true, false or warn"), "{said}");
    assert!(said.contains("`trainer.float32_matmul_precision`: unknown variant `low`"), "{said}");
    let (_, log) = program.run(&["fit", "--fast-dev-run", "--deterministic", "--benchmark", "true"]);
    assert!(log.contains("`benchmark` makes cuDNN ignore `deterministic`"), "{log}");
}
