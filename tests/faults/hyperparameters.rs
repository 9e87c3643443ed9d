//! Every kind of argument that clap has, as a hyperparameter: it works, or is refused in a sentence.

use crate::child::{Program, text};

/// What `flags` prints of the model's hyperparameters.
fn model(printed: &str) -> serde_json::Value {
    let line = printed.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{printed}"));
    serde_json::from_str(line).unwrap()
}

fn defaults() -> serde_json::Value {
    serde_json::json!({
        "bias": false, "no_norm": true, "depth": 0, "widths": [], "betas": [0.9, 0.999], "kind": "relu", "rate": null,
        "seeded": null, "shift": -1.5, "tags": [], "nested": { "fast": false, "level": 3 }, "files": [],
    })
}

fn with(changes: serde_json::Value) -> serde_json::Value {
    let mut all = defaults();
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    all
}

#[test]
fn arguments_of_every_kind_are_read() {
    let program = Program::of_flags("");
    let read = |arguments: &str| model(&program.succeed(&format!("fit {arguments}")));
    assert_eq!(read(""), defaults());
    assert_eq!(
        read(
            "--bias --no-norm -vv --widths 1 --widths -2 --betas -0.5 0.25 --kind tanh --rate -0.5 --seeded=7 --shift -2 \
             --tags a,b --fast --level -4 one two"
        ),
        serde_json::json!({
            "bias": true, "no_norm": false, "depth": 2, "widths": [1, -2], "betas": [-0.5, 0.25], "kind": "tanh", "rate": -0.5,
            "seeded": 7, "shift": -2.0, "tags": ["a", "b"], "nested": { "fast": true, "level": -4 }, "files": ["one", "two"],
        })
    );
    for verb in ["validate", "test", "predict", "hooks", "doctor"] {
        let output = program.run(verb);
        let log = text(output.stderr);
        assert!(output.status.success() || log.contains("there is no checkpoint"), "`{verb}`: {log}");
    }
}

/// A flag that takes no value has one all the same when it is not given: it is not to count more than a file, or a checkpoint.
#[test]
fn flags_that_are_not_given_do_not_override_files_and_checkpoints() {
    let program = Program::of_flags("");
    std::fs::write(
        program.path("flags.yaml"),
        "model:\n  bias: true\n  no_norm: false\n  depth: 3\n  widths: [4]\n  kind: tanh\n  seeded: 5\n  files: [x]\n",
    )
    .unwrap();
    let of_file = with(serde_json::json!({
        "bias": true, "no_norm": false, "depth": 3, "widths": [4], "kind": "tanh", "seeded": 5, "files": ["x"],
    }));
    let read = |arguments: &str| model(&program.succeed(arguments));
    assert_eq!(read("fit --config flags.yaml --max-epochs 1"), of_file);
    assert_eq!(read("test"), of_file, "as in the checkpoint");
    assert_eq!(read("test -v")["depth"], 1);
    let printed = program.succeed("fit --bias --print-config");
    assert!(printed.contains("  bias: true\n") && printed.contains("  no_norm: true\n"), "{printed}");
}

#[test]
fn names_of_the_program_need_the_section_of_the_model() {
    for (kind, flag, key, value) in [
        ("own-id", "--setting", "config", "x"),
        ("own-long", "--model.config", "setting", "x"),
        ("own-alias", "--model.seed-everything", "seed", "7"),
        ("own-alias", "--seed", "seed", "7"),
        ("short-help", "--height", "height", "7"),
        ("trainer-long", "--model.max-epochs", "epochs", "7"),
        ("trainer-long", "--model.max_epochs", "epochs", "7"),
    ] {
        let printed = Program::of_flags(kind).succeed(&format!("fit --print-config {flag} {value}"));
        assert!(printed.contains(&format!("model:\n  {key}: {value}\n")), "{kind}: {printed}");
    }
    let printed = Program::of_flags("help").succeed("fit --print-config --model.help");
    assert!(printed.contains("model:\n  help: true\n"), "{printed}");
    let help = Program::of_flags("short-help").succeed("fit -h");
    assert!(help.contains("--height <HEIGHT>"), "{help}");
}

#[test]
fn flags_of_one_name_need_their_section() {
    let program = Program::of_flags("shared");
    let printed = |arguments: &str| program.succeed(&format!("fit --print-config {arguments}"));
    let both =
        printed("--model.batch_size 3 --data.batch-size 4 --trainer.max_epochs 5 --model.max-epochs 6 --model.lr 0.25");
    assert!(both.contains("model:\n  batch_size: 3\n  lr: 0.25\n  max_epochs: 6\n"), "{both}");
    assert!(both.contains("data:\n  batch_size: 4\n  num_workers: 1\n"), "{both}");
    assert!(both.contains("trainer:\n") && both.contains("\n  max_epochs: 5\n"), "{both}");
    // what only one of them has is short, in either spelling
    let short = printed("--lr 0.125 --num_workers 7 --max-steps=3 --max_time 1h");
    assert!(short.contains("  lr: 0.125\n") && short.contains("  num_workers: 7\n"), "{short}");
    assert!(short.contains("  max_steps: 3\n"), "{short}");
    std::fs::write(program.path("run.yaml"), "model: {batch_size: 30}\ndata: {batch_size: 40}\n").unwrap();
    let of_file = printed("--config run.yaml --data.batch_size 41");
    assert!(of_file.contains("model:\n  batch_size: 30\n"), "{of_file}");
    assert!(of_file.contains("data:\n  batch_size: 41\n"), "{of_file}");
}

#[test]
fn ambiguous_flag_is_refused_with_its_long_forms() {
    let program = Program::of_flags("shared");
    for (arguments, sentence) in [
        ("--batch-size 3", "`--batch-size` is ambiguous: write `--model.batch-size` or `--data.batch-size`"),
        ("--batch_size=3", "`--batch-size` is ambiguous: write `--model.batch-size` or `--data.batch-size`"),
        ("-b 3", "`-b` is ambiguous: write `--model.batch-size` or `--data.batch-size`"),
        ("--max-epochs -1", "`--max-epochs` is ambiguous: write `--trainer.max-epochs` or `--model.max-epochs`"),
    ] {
        let output = program.run(&format!("fit {arguments}"));
        let said = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(said.lines().next(), Some(format!("error: {sentence}").as_str()), "{arguments}");
    }
    let help = program.succeed("fit --help");
    for shown in ["--model.batch-size <BATCH_SIZE>", "--data.batch-size <BATCH_SIZE>", "--trainer.max-epochs <EPOCHS>"]
    {
        assert!(help.contains(shown), "{shown}: {help}");
    }
    for short in [" --lr <LR>", " --num-workers <NUM_WORKERS>", " --max-steps <STEPS>"] {
        assert!(help.contains(short), "{short}: {help}");
    }
    assert!(!help.contains("ambiguous"), "{help}");
    assert!(
        !Program::of_flags("").succeed("fit --help").contains("--trainer.max-epochs"),
        "only where they are needed"
    );
}

#[test]
fn flag_of_a_hyperparameter_without_one_is_explained() {
    for flag in ["--width 3", "--width=3"] {
        let output = Program::of_flags("positional").run(&format!("fit {flag}"));
        let said = text(output.stderr);
        let expected = "error: the hyperparameter `width` of the model has no flag `--width`: write `#[arg(long)]` above the field";
        assert_eq!((output.status.code(), said.lines().next()), (Some(2), Some(expected)), "{said}");
    }
}

#[test]
fn hyperparameter_with_the_name_of_a_flag_of_the_trainer_causes_a_warning() {
    let warning = "`--max-epochs` is a flag of the trainer and the name of a hyperparameter: write `--trainer.max-epochs` or \
                   `--model.max-epochs`, or rename the hyperparameter";
    let said = text(Program::of_flags("shared").run("fit").stderr);
    assert!(said.contains(warning), "{said}");
    let said = text(Program::of_flags("positional").run("fit 3").stderr);
    assert!(!said.contains("is a flag of the trainer and"), "{said}");
}

#[test]
fn flag_turns_off_what_a_file_turns_on() {
    let program = Program::of_flags("");
    std::fs::write(program.path("run.yaml"), "model: {bias: true}\ntrainer: {logger: true}\n").unwrap();
    let printed = |arguments: &str| program.succeed(&format!("fit --print-config --config run.yaml {arguments}"));
    for (arguments, bias, logger) in [
        ("", true, true),
        ("--bias=false --logger false", false, false),
        ("--bias", true, true),
        ("--bias=true", true, true),
    ] {
        let printed = printed(arguments);
        assert!(printed.contains(&format!("  bias: {bias}\n")), "{arguments}: {printed}");
        assert!(printed.contains(&format!("  logger: {logger}\n")), "{arguments}: {printed}");
    }
    let help = program.succeed("fit --help");
    assert!(help.contains("--bias[=<BOOL>]"), "{help}");
    assert!(help.contains("A flag that takes a BOOL is turned off by false"), "{help}");
}

#[test]
fn flag_overrides_a_conflicting_value_of_a_file() {
    let program = Program::of_flags("one-of-group");
    std::fs::write(program.path("run.yaml"), "model: {one: 0.5}\n").unwrap();
    let output = program.run("fit --config run.yaml --two 0.25");
    let log = text(output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.contains("warning: ignoring `one` from a file or a checkpoint: it conflicts with a flag"), "{log}");
    assert_eq!(model(&text(output.stdout)), serde_json::json!({ "one": null, "two": 0.25 }));
    // and over the values of a checkpoint
    let said = program.succeed("test --one 0.125");
    assert_eq!(model(&said), serde_json::json!({ "one": 0.125, "two": null }));
}

#[test]
fn arguments_that_cannot_be_flags_are_refused() {
    for (kind, sentence) in [
        ("same-short", "two hyperparameters of the model have the flag `-x`: rename one of them"),
        ("subcommand", "the hyperparameters of the model have subcommands: use only flags"),
    ] {
        for verb in ["fit", "hooks"] {
            let said = Program::of_flags(kind).refuse(verb);
            assert_eq!(said, format!("cannot make flags of the hyperparameters: {sentence}"), "{kind}");
        }
    }
    // what clap itself asserts, in debug builds
    for kind in ["global-and-required", "two-lists", "unknown-conflict"] {
        let said = Program::of_flags(kind).refuse("fit");
        assert!(said.starts_with("cannot make flags of the hyperparameters: "), "{kind}: {said}");
    }
}

#[test]
fn closed_pipe_ends_the_program_without_an_error() {
    let program = Program::of_flags("");
    program.succeed("fit --max-epochs 1");
    for verb in ["hooks", "doctor", "fit --print-config", "test", "validate", "predict", "fit --max-epochs 1"] {
        let (status, log) = program.run_into_a_closed_pipe(verb);
        assert!(status.success(), "`{verb}`: {log}");
        assert!(!log.contains("error") && !log.contains("panicked"), "`{verb}`: {log}");
    }
}

/// Every way in which a value can be required, with flags that give it.
const REQUIRED: [(&str, &[&str]); 14] = [
    ("in-struct", &["--rate", "0.5"]),
    ("in-optional-struct", &["--rate", "0.25", "--level", "4"]),
    ("with-short-alone", &["-w", "3"]),
    ("positional", &["3"]),
    ("one-of-group", &["--one", "0.5"]),
    ("one-of-group", &["--two", "0.5"]),
    ("unless-other", &["--one", "0.5"]),
    ("unless-other", &["--other", "0.5"]),
    ("if-mode", &["--mode", "b", "--other", "3"]),
    ("of-other-name", &["--lr", "0.5"]),
    ("of-other-values", &["--kind", "leaky-relu", "--timeout", "5s"]),
    ("skipping", &["--lr", "0.5"]),
    ("texts", &["--folder", "runs"]),
    ("whole", &["--width", "3"]),
];

#[test]
fn required_flags_are_read_from_a_printed_file() {
    for (kind, flags) in REQUIRED {
        let program = Program::of_flags(kind);
        let printed = program.succeed(&format!("fit --print-config {}", flags.join(" ")));
        std::fs::write(program.path("printed.yaml"), &printed).unwrap();
        assert_eq!(program.succeed("fit --print-config --config printed.yaml"), printed, "{kind} with {flags:?}");
        let given = model(&program.succeed(&format!("fit {}", flags.join(" "))));
        assert_eq!(model(&program.succeed("fit --config printed.yaml")), given, "{kind} with {flags:?}");
        // and from a checkpoint
        assert_eq!(model(&program.succeed("test")), given, "{kind} with {flags:?}");
        let checkpoint = "lightning_logs/version_1/checkpoints/epoch=0-step=2.ckpt";
        assert_eq!(model(&program.succeed(&format!("fit --max-epochs 2 --ckpt-path {checkpoint}"))), given, "{kind}");
    }
}

#[test]
fn required_value_in_neither_a_file_nor_a_flag_is_missing() {
    for (kind, file, missing) in [
        ("in-struct", "{inner: {level: 9}}", "--rate <RATE>"),
        ("with-short-alone", "{}", "-w <WIDTH>"),
        ("positional", "{}", "<WIDTH>"),
        ("one-of-group", "{two: null}", "<--one <ONE>|--two <TWO>>"),
        ("unless-other", "{}", "--one <ONE>"),
        ("if-mode", "{mode: b}", "--other <OTHER>"),
        ("of-other-name", "{steps: 3}", "--lr <LR>"),
        ("of-other-values", "{kind: Relu}", "--timeout <TIMEOUT>"),
        ("skipping", "{}", "--lr <LR>"),
        ("with-list", "{lr: 0.2}", "--hidden <HIDDEN>..."),
    ] {
        let program = Program::of_flags(kind);
        std::fs::write(program.path("run.yaml"), format!("model: {file}\n")).unwrap();
        let output = program.run("fit --config run.yaml");
        let said = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{kind}: {said}");
        let listed: Vec<&str> =
            said.lines().skip(1).take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        assert_eq!(listed, [missing], "{kind}");
    }
}

#[test]
fn fields_of_a_nested_struct_are_set_separately() {
    let program = Program::of_flags("in-struct");
    let with = |file: &str| std::fs::write(program.path("run.yaml"), format!("model: {file}\n")).unwrap();
    with("{inner: {level: 9}}");
    let read = |arguments: &str| model(&program.succeed(arguments));
    assert_eq!(read("fit --config run.yaml --rate 0.5"), serde_json::json!({ "inner": { "rate": 0.5, "level": 9 } }));
    with("{inner: {rate: 2}}");
    assert_eq!(read("test --config run.yaml"), serde_json::json!({ "inner": { "rate": 2.0, "level": 9 } }));
    for (file, said) in [
        ("{inner: {levle: 9}}", "`model.inner.levle` is unknown: write `level`"),
        ("{inner: {level: high}}", "`model.inner.level`: invalid type: string \"high\", expected i32"),
        (
            "{inner: {level: high, rate: [1], other: 3}}",
            "`model.inner.level`: invalid type: string \"high\", expected i32; `model.inner.other` is unknown: the keys are level, rate; \
             `model.inner.rate`: invalid type: sequence, expected f64",
        ),
        ("{inner: 3}", "`model.inner`: invalid type: integer `3`, expected struct Inner"),
    ] {
        with(file);
        for rate in ["", "--rate 0.5"] {
            assert_eq!(
                program.refuse(&format!("fit --config run.yaml {rate}")),
                format!("invalid configuration run.yaml: {said}")
            );
        }
    }
}

#[test]
fn hyperparameter_that_was_added_to_a_struct_in_a_struct_has_its_default() {
    let program = Program::of_flags("in-older");
    program.succeed("fit --rate 0.25");
    let program = program.with("FLAGS", "in-newer");
    let read = |arguments: &str| model(&program.succeed(arguments));
    assert_eq!(read("test"), serde_json::json!({ "inner": { "rate": 0.25, "added": 7 } }));
    assert_eq!(read("test --added 3"), serde_json::json!({ "inner": { "rate": 0.25, "added": 3 } }));
}

#[test]
fn number_that_is_too_large_names_its_field() {
    let said = Program::of_flags("whole").refuse(&format!("fit --width 1 --large {}", i128::MAX));
    assert_eq!(said, "cannot serialize the model's hyperparameters: `large`: the number is too large for JSON");
}
