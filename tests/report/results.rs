//! Results on stdout.

use crate::child::Program;
use std::process::Command;

#[test]
fn result_that_cannot_be_written_is_an_error() {
    let program = Program::new();
    program.succeed("fit --max-epochs 1");
    let reported = env!("CARGO_BIN_EXE_reported");
    let shell =
        |script: String| Command::new("bash").args(["-c", &script]).current_dir(program.folder()).output().unwrap();
    let commands = [
        "--help",
        "help fit",
        "fit --help",
        "hooks",
        "hooks --plan",
        "runs",
        "doctor",
        "fit --print-config",
        "completions bash",
    ];
    for command in commands {
        let output = shell(format!("{reported} {command} > /dev/full"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert_eq!(said, "error: cannot write to stdout: No space left on device (os error 28)\n", "{command}");
        // a reader that has enough is not an error
        let output = shell(format!("set -o pipefail; {reported} {command} | true"));
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
    }
}
