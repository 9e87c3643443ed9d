//! Hyperparameters that are one of several choices.

use super::Program;

const FIRST: &str = "lightning_logs/version_0";

/// Returns the section of the model in the configuration that a command line describes.
fn model(program: &Program, arguments: &str) -> String {
    let (config, _) = program.run_line(&format!("fit {arguments} --print-config"));
    let (_, model) = config.split_once("\nmodel:\n").unwrap();
    let lines = model.lines().take_while(|line| line.starts_with(' '));
    lines.map(str::trim).filter(|line| *line != "nested:").collect::<Vec<_>>().join("|")
}

#[test]
fn choice_of_a_user_is_set_by_flags_and_files() {
    let program = Program::with_model("without");
    for (file, arguments, expected) in [
        ("", "", "activation:|name: identity|second: null"),
        ("", "--activation leaky_relu", "activation:|name: leaky_relu|negative_slope: 0.01|second: null"),
        (
            "",
            "--model.activation LeakyReLU --activation.negative-slope 1",
            "activation:|name: leaky_relu|negative_slope: 1.0|second: null",
        ),
        ("", "--activation=clamp --model.activation.max 2", "activation:|max: 2.0|min: 0.0|name: clamp|second: null"),
        ("model: {activation: leaky-relu}", "", "activation:|name: leaky_relu|negative_slope: 0.01|second: null"),
        (
            "model: {activation: {name: leaky_relu, negative_slope: 0.5}}",
            "--activation leaky_relu",
            "activation:|name: leaky_relu|negative_slope: 0.5|second: null",
        ),
        (
            "model: {activation: {name: clamp, min: -1}}",
            "--activation.max 3",
            "activation:|max: 3.0|min: -1.0|name: clamp|second: null",
        ),
        (
            "model: {activation: {name: clamp, min: -1}}",
            "--activation leaky_relu",
            "activation:|name: leaky_relu|negative_slope: 0.01|second: null",
        ),
        (
            "model: {activation: {class_path: torch.nn.LeakyReLU, init_args: {negative_slope: 0.2, inplace: false}}}",
            "",
            "activation:|name: leaky_relu|negative_slope: 0.2|second: null",
        ),
        ("", "--second clamp --second.max inf", "activation:|name: identity|second:|max: .inf|min: 0.0|name: clamp"),
        (
            "model: {nested: {second: {name: clamp, max: 1}}}",
            "--second.min -1",
            "activation:|name: identity|second:|max: 1.0|min: -1.0|name: clamp",
        ),
    ] {
        program.write("run.yaml", if file.is_empty() { "trainer: {}" } else { file });
        assert_eq!(model(&program, &format!("--config run.yaml {arguments}")), expected, "{file} {arguments}");
    }
    // a later file completes an earlier one
    program.write("run.yaml", "model: {activation: {name: clamp}}");
    program.write("max.yaml", "model: {activation: {max: 4}}");
    let both = "--config run.yaml --config max.yaml";
    assert_eq!(model(&program, both), "activation:|max: 4.0|min: 0.0|name: clamp|second: null");
}

#[test]
fn choice_of_a_checkpoint_is_kept() {
    let program = Program::with_model("without");
    program.run_line("fit --max-epochs 1 --optimizer sgd --activation clamp --activation.max 5");
    let checkpoint = program.checkpoint(FIRST).display().to_string();
    let resumed = format!("--ckpt-path {checkpoint}");
    assert_eq!(model(&program, &resumed), "activation:|max: 5.0|min: 0.0|name: clamp|second: null");
    assert_eq!(
        model(&program, &format!("{resumed} --activation.min 1")),
        "activation:|max: 5.0|min: 1.0|name: clamp|second: null"
    );
    program.run(&["fit", "--config", &format!("{FIRST}/config.yaml")]);
    super::saved::assert_same_run(&program, FIRST, "lightning_logs/version_1");
}

#[test]
fn choices_that_are_invalid_are_refused() {
    let program = Program::with_model("without");
    for (arguments, sentence) in [
        ("--activation clamp", "`--activation.max` is required for clamp"),
        ("--second clamp", "`--second.max` is required for clamp"),
        (
            "--activation clamp --activation.max 1 --activation.negative_slope 1",
            "`--activation.negative-slope` is a field of leaky_relu, not of clamp",
        ),
        ("--activation.max 1", "`--activation.max` is a field of clamp, not of identity"),
        ("--second.max 1", "`--second.max` requires `--second`: identity, leaky_relu or clamp"),
    ] {
        assert_eq!(program.error_of(&format!("fit --optimizer sgd {arguments}")), sentence, "{arguments}");
    }
    let said = program.fail(&["fit", "--activation", "clam"]);
    assert!(said.contains("invalid value 'clam' for '--activation <NAME>'") && said.contains("'clamp'"), "{said}");
    for (file, sentence) in [
        ("model: {activation: relu}", "`model.activation`: `relu` is unknown: write identity, leaky_relu or clamp"),
        ("model: {activation: {name: clamp, maxi: 1}}", "`model.activation.maxi` is unknown: write `max`"),
        (
            "model: {activation: {name: clamp, max: high}}",
            "`model.activation.max`: invalid type: string \"high\", expected a number",
        ),
        (
            "model: {activation: {slope: 1}}",
            "`model.activation.slope` is unknown: the keys are max, min, name, negative_slope",
        ),
        (
            "model: {activation: 3}",
            "`model.activation` must be a name, or a table with the key `name`, but it is a number",
        ),
        (
            "model: {activation: {name: identity, max: 1}}",
            "`model.activation.max` is a field of clamp, not of identity",
        ),
    ] {
        program.write("run.yaml", file);
        let error = program.error_of("fit --optimizer sgd --config run.yaml");
        assert_eq!(error, format!("invalid configuration run.yaml: {sentence}"), "{file}");
    }
    let error = Program::with_model("manual").fail(&["fit"]);
    assert!(error.contains("required arguments were not provided:\n  --generator <NAME>"), "{error}");
}

#[test]
fn choices_are_listed_in_the_help() {
    let program = Program::with_model("without");
    let (help, _) = program.run_line("fit --help");
    let activation = help.split("--activation <NAME>").nth(1).unwrap();
    let lines: Vec<&str> = activation.lines().map(str::trim).filter(|line| !line.is_empty()).take(9).collect();
    assert_eq!(
        lines,
        [
            "The function",
            "- identity: No function",
            "- leaky_relu: A line below zero",
            "--activation.negative-slope  The slope below zero [0.01]",
            "- clamp: A line that is cut off",
            "--activation.max  The largest value (required)",
            "--activation.min  The smallest value [0]",
            "[default: identity]",
            "--second <NAME>",
        ]
    );
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "- sgd: Stochastic gradient descent. lr [0.001], momentum [0], dampening [0], weight_decay [0], nesterov [false], maximize [false]",
        "- step: Multiplied by a factor at regular intervals. step_size (required), gamma [0.1] - multi_step: ",
        "- all of them: every, frequency [1], interval [epoch], log_name, monitor, strict [true]",
        "- early_stopping: Stop when a metric does not improve any more. monitor (required), min_delta [0], patience [3], ",
    ] {
        assert!(help.contains(line), "{line}\n{help}");
    }
    let (summary, _) = program.run_line("fit -h");
    let summary = summary.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = "--activation <NAME> The function [possible values: identity, leaky_relu, clamp] [default: identity]";
    assert!(summary.contains(line), "{summary}");
}

#[test]
fn optimizer_may_be_a_hyperparameter() {
    let program = Program::with_model("of_its_own");
    assert!(model(&program, "--lr 1").contains("name: adam|weight_decay: 0.0"));
    assert!(model(&program, "--lr 1").contains("|lr: 0.5|"));
    let line = "--lr 1 --optimizer sgd --optimizer.lr 0.1 --lr-scheduler step --model.lr_scheduler.step_size 2";
    let config = model(&program, line);
    assert!(
        config.contains("optimizer:|dampening: 0.0|lr: 0.1|") && config.contains("|name: step|step_size: 2|"),
        "{config}"
    );
    program.run_line(&format!("fit --max-epochs 1 {line}"));
    let checkpoint = tch_lightning::checkpoint::Checkpoint::read(&program.checkpoint(FIRST)).unwrap();
    assert_eq!(checkpoint.tensors["module.weight"].double_value(&[0]), f64::from(0.6_f32));
    assert_eq!(checkpoint.metadata.hyper_parameters.unwrap()["model"]["optimizer"]["name"], "sgd");
    program.write("run.yaml", "optimizer: {name: sgd, lr: 0.1}\n");
    assert_eq!(
        program.error_of("fit --lr 1 --config run.yaml"),
        "`optimizer` is a hyperparameter of the model: write it in the section `model`"
    );
    // the learning rate of the optimizer is not the hyperparameter
    let said = program.fail(&["fit", "--optimizer", "sgd", "--optimizer.lr", "0.1"]);
    assert!(said.contains("required arguments were not provided:\n  --lr <LR>"), "{said}");
}

#[test]
fn several_hyperparameters_may_have_the_same_choices() {
    let program = Program::with_model("manual");
    let config = model(&program, "--generator adam --generator.lr 2e-4 --discriminator.lr 0.5");
    assert!(
        config.starts_with("discriminator:|dampening: 0.0|lr: 0.5|") && config.contains("|lr: 0.0002|"),
        "{config}"
    );
}

#[test]
fn choices_are_completed() {
    let program = Program::with_model("without");
    let (script, _) = program.run_line("completions bash");
    for word in
        ["--optimizer ", "--optimizer.lr ", "--optimizer.nesterov ", "--lr-scheduler.t-max ", "--activation.max "]
    {
        assert!(script.contains(word), "{word}: {script}");
    }
    for names in ["sgd adam adamw", "identity leaky_relu clamp", "exp_range max min triangular triangular2"] {
        assert!(script.contains(&format!("\"{names}")), "{names}: {script}");
    }
}
