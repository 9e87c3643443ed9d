//! The `completions` command.

use super::Program;
use std::process::Command;

#[test]
fn completions_of_bash_complete_the_flags_of_the_program() {
    let program = Program::new();
    let (script, _) = program.run(&["completions", "bash"]);
    program.write("completions.bash", &script);
    let complete = |words: &str, at: usize| {
        let call = format!(
            "source completions.bash; COMP_WORDS=({words}); COMP_CWORD={at}; _configured configured \"${{COMP_WORDS[{at}]}}\" \
             \"${{COMP_WORDS[{at}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &call]).current_dir(program.path("")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("configured fi", 1), "fit");
    assert_eq!(complete("configured fit --max-e", 2), "--max-epochs");
    assert_eq!(complete("configured fit --drop", 2), "--dropout");
    assert_eq!(complete("configured fit --precision bf16-m", 3), "bf16-mixed");
}

#[test]
fn completions_are_printed_for_each_shell() {
    let program = Program::new();
    for (shell, start) in [("zsh", "#compdef configured"), ("fish", "# Print an optspec"), ("bash", "_configured()")] {
        let (script, _) = program.run(&["completions", shell]);
        assert!(script.starts_with(start) && script.contains("max-epochs"), "{shell}: {}", &script[..200]);
    }
    assert!(program.fail(&["completions", "csh"]).contains("[possible values: bash, elvish, fish, powershell, zsh]"));
}
