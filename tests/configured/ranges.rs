//! Values with which nothing can be trained are refused at the start, under the name of the flag or key that has them.

use super::Program;

#[test]
fn number_that_is_out_of_range_is_refused_by_its_flag() {
    let program = Program::with_model("without");
    for (flags, sentence) in [
        ("--optimizer sgd --optimizer.lr inf", "`--optimizer.lr` must be a finite number of 0 or more, but it is inf"),
        (
            "--optimizer sgd --optimizer.momentum nan",
            "`--optimizer.momentum` must be a finite number of 0 or more, but it is NaN",
        ),
        ("--optimizer sgd --optimizer.dampening inf", "`--optimizer.dampening` must be a finite number, but it is inf"),
        (
            "--optimizer rmsprop --optimizer.alpha 2",
            "`--optimizer.alpha` must be at least 0 and at most 1, but it is 2",
        ),
        (
            "--optimizer adam --optimizer.betas 0.9,1",
            "`--optimizer.betas`: `betas.1` must be at least 0 and below 1, but it is 1",
        ),
        (
            "--optimizer adamw --optimizer.weight-decay inf",
            "`--optimizer.weight-decay` must be a finite number of 0 or more, but it is inf",
        ),
        ("--optimizer lbfgs --optimizer.max-iter 0", "`--optimizer.max-iter` must be 1 or more, but it is 0"),
        (
            "--optimizer lbfgs --optimizer.tolerance-grad nan",
            "`--optimizer.tolerance-grad` must be a finite number, but it is NaN",
        ),
        (
            "--optimizer sgd --lr-scheduler exponential --lr-scheduler.gamma inf",
            "`--lr-scheduler.gamma` must be a finite number, but it is inf",
        ),
        (
            "--optimizer sgd --lr-scheduler step --lr-scheduler.step-size 0",
            "`--lr-scheduler.step-size` must be at least 1, but it is 0",
        ),
        (
            "--optimizer sgd --lr-scheduler polynomial --lr-scheduler.frequency 0",
            "`--lr-scheduler.frequency` must be 1 or more, but it is 0",
        ),
        (
            "--optimizer sgd --lr-scheduler reduce_lr_on_plateau --lr-scheduler.monitor loss --lr-scheduler.factor=-inf",
            "`--lr-scheduler.factor` must be a finite number below 1, but it is -inf",
        ),
        (
            "--optimizer sgd --lr-scheduler one_cycle --lr-scheduler.max-lr 1 --lr-scheduler.total-steps 3 --lr-scheduler.div-factor inf",
            "`--lr-scheduler.div-factor` must be a finite number above 0, but it is inf",
        ),
        (
            "--optimizer sgd --lr-scheduler multi_step --lr-scheduler.milestones 3,-1",
            "`--lr-scheduler.milestones`: `milestones.1`: invalid value: integer `-1`, expected a whole number of 0 or more",
        ),
        (
            "--optimizer sgd --lr-scheduler reduce_lr_on_plateau --lr-scheduler.mode foo",
            "`--lr-scheduler.mode`: `foo` is unknown: write min or max",
        ),
        (
            "--optimizer sgd --lr-scheduler cyclic --lr-scheduler.mode foo",
            "`--lr-scheduler.mode`: `foo` is unknown: write triangular, triangular2 or exp_range",
        ),
        (
            "--optimizer sgd --lr-scheduler reduce_lr_on_plateau",
            "`--lr-scheduler.monitor` is required for reduce_lr_on_plateau: the name of a logged metric",
        ),
        (
            "--optimizer sgd --lr-scheduler reduce_lr_on_plateau --lr-scheduler.monitor=",
            "`--lr-scheduler.monitor` must be the name of a logged metric, but it is empty",
        ),
        (
            "--optimizer sgd --early-stopping.monitor loss --early-stopping.patience -1",
            "`--early-stopping.patience`: invalid value: integer `-1`, expected a whole number of 0 or more",
        ),
        (
            "--optimizer sgd --early-stopping.monitor loss --early-stopping.min-delta nan",
            "`--early-stopping.min-delta` must be a finite number, but it is NaN",
        ),
        (
            "--optimizer sgd --early-stopping.monitor=",
            "`--early-stopping.monitor` must be the name of a logged metric, but it is empty",
        ),
        ("--optimizer sgd --checkpoint.save-top-k=-3", "`--checkpoint.save-top-k` must be at least -1, but it is -3"),
        ("--optimizer sgd --checkpoint.save-last maybe", "`--checkpoint.save-last`: write true, false or link"),
        (
            "--optimizer sgd --gradient-clip-val inf",
            "`gradient_clip_val` is inf: it must be a finite number of 0 or more",
        ),
    ] {
        assert_eq!(program.error_of(&format!("fit {flags}")), sentence, "{flags}");
    }
}

#[test]
fn number_that_is_out_of_range_is_refused_by_its_key() {
    let program = Program::with_model("without");
    for (file, sentence) in [
        ("optimizer: {name: sgd, lr: .inf}", "`optimizer.lr` must be a finite number of 0 or more, but it is inf"),
        ("optimizer: {name: adam, betas: [0.9, 1]}", "`optimizer.betas.1` must be at least 0 and below 1, but it is 1"),
        (
            "optimizer: {name: adam, betas: [0.9, high]}",
            "`optimizer.betas.1`: invalid type: string \"high\", expected a number",
        ),
        (
            "lr_scheduler: {name: multi_step, milestones: [3, -1]}",
            "`lr_scheduler.milestones.1`: invalid value: integer `-1`, expected a whole number of 0 or more",
        ),
        (
            "lr_scheduler: {name: chained, schedulers: [{name: step, step_size: 1, gamma: .nan}]}",
            "`lr_scheduler.schedulers.0.gamma` must be a finite number, but it is NaN",
        ),
        (
            "callbacks: [{name: early_stopping, monitor: loss, min_delta: .nan}]",
            "`callbacks.0.min_delta` must be a finite number, but it is NaN",
        ),
        (
            "callbacks: [{name: exponential_moving_average, decay: 2}]",
            "`callbacks.0.decay` must be from 0 to 1, but it is 2",
        ),
        (
            "callbacks: [{name: stochastic_weight_averaging, swa_lrs: .inf}]",
            "`callbacks.0.swa_lrs` must be finite and above 0",
        ),
        (
            "callbacks: [{name: on_exception_checkpoint, dirpath: a, filename: ''}]",
            "`callbacks.0.filename` must not be empty",
        ),
        (
            "early_stopping: {monitor: loss, stopping_threshold: .nan}",
            "`early_stopping.stopping_threshold` must be a number, but it is NaN",
        ),
    ] {
        program.write("run.yaml", file);
        let error = program.error_of("fit --config run.yaml");
        assert_eq!(error, format!("invalid configuration run.yaml: {sentence}"), "{file}");
    }
    for (file, sentence) in [
        (
            "callbacks: [{name: exponential_moving_average, update_every_n_steps: 0}]",
            "invalid `callbacks.0`: `update_every_n_steps` is 0, so that the average is never updated: set it to 1 or more, or set \
             `update_starting_at_epoch`",
        ),
        (
            "lr_scheduler: reduce_lr_on_plateau",
            "`lr_scheduler.monitor` is required for reduce_lr_on_plateau: the name of a logged metric",
        ),
        ("early_stopping: {patience: 2}", "`early_stopping.monitor` is required for early_stopping"),
    ] {
        program.write("run.yaml", file);
        assert_eq!(program.error_of("fit --optimizer sgd --config run.yaml"), sentence, "{file}");
    }
    let program = Program::with_model("of_its_own");
    program.write("run.yaml", "model: {optimizer: {name: sgd, lr: .inf}}\n");
    assert_eq!(
        program.error_of("fit --lr 1 --config run.yaml"),
        "invalid configuration run.yaml: `model.optimizer.lr` must be a finite number of 0 or more, but it is inf"
    );
}

#[test]
fn callback_flag_says_where_a_required_field_is_written() {
    let program = Program::with_model("without");
    for (flags, sentence) in [
        ("--callback early_stopping", "`--callback early_stopping` requires `monitor`: add `--early-stopping.monitor`"),
        (
            "--callback stochastic_weight_averaging",
            "`--callback stochastic_weight_averaging` requires `swa_lrs`: write `callbacks: [{name: stochastic_weight_averaging, swa_lrs: \
             …}]` in a configuration file",
        ),
        (
            "--callback on_exception_checkpoint",
            "`--callback on_exception_checkpoint` requires `dirpath`: write `callbacks: [{name: on_exception_checkpoint, dirpath: …}]` in a \
             configuration file",
        ),
        ("--callback timer,timer", "timer is twice in the callbacks, with the same fields: remove one of them"),
        ("--logger false --logger csv", "`--logger`: `false` excludes other loggers"),
    ] {
        assert_eq!(program.error_of(&format!("fit --optimizer sgd {flags}")), sentence, "{flags}");
    }
    let (plan, _) =
        program.run_line("hooks --plan fit --optimizer sgd --callback early_stopping --early-stopping.monitor loss");
    assert!(plan.contains("EarlyStopping"), "{plan}");
}

#[test]
fn l_bfgs_of_a_flag_is_refused_with_settings_that_it_does_not_support() {
    let program = Program::with_model("without");
    for (flags, sentence) in [
        (
            "--precision 16-mixed",
            "`precision` is 16-mixed, which scales gradients, but L-BFGS evaluates the loss several times per step: set it to bf16-mixed \
             or 32-true, or choose another optimizer",
        ),
        (
            "--accumulate-grad-batches 2",
            "`accumulate_grad_batches` is above 1, but L-BFGS evaluates the loss of one batch several times per step: set it to 1, and make \
             the batches larger",
        ),
    ] {
        assert_eq!(program.error_of(&format!("fit --optimizer lbfgs {flags}")), sentence, "{flags}");
    }
}

#[test]
fn checkpoint_path_that_is_empty_is_refused() {
    let said = Program::with_model("with").fail(&["fit", "--ckpt-path="]);
    assert!(said.contains("a value is required for '--ckpt-path <FILE>' but none was supplied"), "{said}");
}
