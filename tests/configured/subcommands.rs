//! Commands of a program's own.

use super::Program;

#[test]
fn subcommand_is_one_of_the_programs_commands() {
    let program = Program::new();
    let (help, _) = program.run_line("--help");
    let listed: Vec<&str> = help.lines().filter(|line| line.contains("  names")).collect();
    assert_eq!(listed.len(), 1, "{help}");
    assert!(listed[0].contains("List the weights of a checkpoint"), "{help}");
    assert!(program.run_line("completions bash").0.contains("names"));
    program.run_line("fit --max-epochs 1");
    let checkpoint = program.checkpoint("lightning_logs/version_0");
    let names = "first.bias\nfirst.weight\nsecond.bias\nsecond.weight\n";
    for (line, lr) in [("names", "no number"), ("write --lr none", "none")] {
        let (exported, said) = program.run_line(&format!("{line} {}", checkpoint.display()));
        assert_eq!((exported, said.as_str()), (format!("lr {lr}\n{names}"), ""));
    }
}

#[test]
fn subcommand_reports_errors_as_a_run_does() {
    let program = Program::new();
    let output = program.output(&["names", "missing.ckpt"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "error: cannot read the checkpoint missing.ckpt: No such file or directory (os error 2)\n");
    assert_eq!(program.output(&["names"]).status.code(), Some(2));
}

#[test]
fn subcommand_cannot_have_the_name_of_another() {
    let program = Program::new();
    for name in ["fit", "runs", "names", "write", "help"] {
        let output = program.command(&["doctor"]).env("TAKEN", name).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            said,
            format!("error: cannot add the command `{name}` to the program: it already has one of this name\n")
        );
    }
}
