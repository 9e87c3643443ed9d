//! Which log calls belong together, and which are refused.

use crate::script::{Recorder, Script, config, fit, over_two_loaders};
use tch_lightning::metrics::{Mean, Sum};
use tch_lightning::prelude::*;
use tch_lightning::{callbacks::LambdaCallback, checkpoint::SaveRequest};

/// What the run says when the step logs so.
fn refused(step: impl FnMut(&mut Context, usize) -> Result<()> + 'static) -> String {
    fit(config(), Script::new(2, step)).err().expect("the run fails").to_string()
}

const PLACE: &str = "`training_step` failed in `fit` at epoch 0, batch 0: ";

#[test]
fn calls_of_one_name_in_one_hook_must_agree() {
    type Second = fn(&mut Context);
    let calls: [(Second, &str); 6] = [
        (|ctx| drop(ctx.log("x", 1.0).reduce(Reduction::Sum)), "`reduce` is Mean, then Sum"),
        (|ctx| drop(ctx.log("x", 1.0).on_epoch(true)), "`on_epoch` is false, then true"),
        (
            |ctx| drop(ctx.log("x", 1.0).on_step(false).on_epoch(true)),
            "`on_step` is true, then false; `on_epoch` is false, then true",
        ),
        (|ctx| drop(ctx.log("x", 1.0).prog_bar()), "`prog_bar` is false, then true"),
        (|ctx| drop(ctx.log("x", 1.0).logger(false)), "`logger` is true, then false"),
        (
            |ctx| {
                let mean = Mean::new();
                mean.update(&Tensor::from(1.0)).unwrap();
                ctx.log("x", &mean);
            },
            "the value is a number, then the metric Mean",
        ),
    ];
    for (second, differences) in calls {
        let said = refused(move |ctx, _| {
            ctx.log("x", 1.0);
            second(ctx);
            Ok(())
        });
        let expected = format!(
            "{PLACE}`x` was logged twice in `training_step` with different arguments ({differences}): use one name for each"
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn metrics_of_one_name_must_be_the_same_metric() {
    let (one, other) = (Sum::new(), Sum::new());
    let said = refused(move |ctx, _| {
        for sum in [&one, &other] {
            sum.update(&Tensor::from(1.0))?;
            ctx.log("x", sum).on_epoch(true);
        }
        Ok(())
    });
    assert!(said.contains("(the value is the metric Sum, then another Sum)"), "{said}");
    let metric = Sum::new();
    let said = refused(move |ctx, _| {
        metric.update(&Tensor::from(1.0))?;
        ctx.log("x", &metric);
        ctx.log("x", 1.0);
        Ok(())
    });
    assert!(said.contains("(the value is the metric Sum, then a number)"), "{said}");
}

#[test]
fn calls_of_later_batches_and_epochs_must_agree_too() {
    let said = refused(|ctx, batch_idx| {
        ctx.log("x", 1.0).on_epoch(batch_idx == 0);
        Ok(())
    });
    assert!(said.contains("batch 1: `x` was logged twice in `training_step`"), "{said}");
    let script = Script::new(2, |ctx, _| {
        let epoch = ctx.current_epoch();
        ctx.log("x", 1.0).on_epoch(epoch == 0);
        Ok(())
    });
    let said = fit(TrainerConfig { max_epochs: Some(2), ..config() }, script).err().unwrap().to_string();
    assert!(said.contains("epoch 1, batch 0: `x` was logged twice in `training_step`"), "{said}");
}

#[test]
fn callback_and_the_module_log_into_one_hook() {
    let script = Script::new(2, |_, _| Ok(())).at_batch_end(|ctx, _| {
        ctx.log("x", 1.0);
        Ok(())
    });
    let mut script = script;
    let callback = LambdaCallback::new().on_train_batch_end(|ctx, _: &mut Script, _, _, _| {
        ctx.log("x", 3.0).on_epoch(true);
        Ok(())
    });
    let said = Trainer::new(config()).callback(callback).fit(&mut script, ()).unwrap_err().to_string();
    assert!(said.contains("`x` was logged twice in `on_train_batch_end` with different arguments"), "{said}");
}

#[test]
fn batch_sizes_may_differ_and_so_may_hooks() {
    let script = Script::new(2, |ctx, _| {
        ctx.log("x", 1.0).on_step(false).on_epoch(true).batch_size(3);
        ctx.log("x", 5.0).on_step(false).on_epoch(true).batch_size(1);
        ctx.log("y", 1.0);
        Ok(())
    })
    .at_batch_end(|ctx, _| {
        ctx.log("y", 2.0).prog_bar();
        Ok(())
    });
    let recorder = fit(config(), script).unwrap();
    // (3·1 + 1·5) / 4
    assert_eq!(recorder.column("x"), [2.0]);
    // a row has one column of a name: the value that came last, as in Lightning
    assert_eq!(recorder.column("y"), [2.0, 2.0]);
}

#[test]
fn value_for_neither_step_nor_epoch_is_refused() {
    let said = refused(|ctx, _| {
        ctx.log("x", 1.0).on_step(false);
        Ok(())
    });
    let expected = "`x` was logged with neither `on_step` nor `on_epoch`, so it would be lost: set one of them to true";
    assert_eq!(said, format!("{PLACE}{expected}"));
}

#[test]
fn log_adds_the_loaders_number_to_names() {
    let said = refused(|ctx, _| {
        ctx.log("x/dataloader_idx_0", 1.0);
        Ok(())
    });
    assert!(said.contains("`x/dataloader_idx_0` was logged, but the suffix `/dataloader_idx_` is reserved"), "{said}");
}

/// Two batches of an epoch, then the rest with another program.
fn resumed(
    first: impl FnMut(&mut Context, usize) -> Result<()> + 'static,
    then: impl FnMut(&mut Context, usize) -> Result<()> + 'static,
) -> Result<Recorder, tch_lightning::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.ckpt");
    let to = path.clone();
    let save = LambdaCallback::new().on_train_batch_end(move |ctx, _: &mut Script, _, _, _| {
        if ctx.total_batches() == 2 {
            ctx.save_checkpoint(SaveRequest::new(to.clone()));
        }
        Ok(())
    });
    Trainer::new(config()).callback(save).fit(&mut Script::new(4, first), ()).unwrap();
    let recorder = Recorder::default();
    Trainer::new(config()).logger(recorder.clone()).ckpt_path(path).fit(&mut Script::new(4, then), ())?;
    Ok(recorder)
}

#[test]
fn changed_program_may_display_a_value_differently_within_an_epoch() {
    let log = |ctx: &mut Context, batch_idx| {
        ctx.log("x", batch_idx).on_step(false).on_epoch(true);
        Ok(())
    };
    let recorder = resumed(log, |ctx, batch_idx| {
        ctx.log("x", batch_idx).on_epoch(true).prog_bar();
        Ok(())
    });
    assert_eq!(recorder.unwrap().column("x_epoch"), [1.5]);
    let said = resumed(log, |ctx, batch_idx| {
        ctx.log("x", batch_idx).on_step(false).on_epoch(true).reduce(Reduction::Sum);
        Ok(())
    });
    let said = said.err().unwrap().to_string();
    let expected = "batch 2: `x` was logged in `training_step` with different arguments before the checkpoint (`reduce` is Mean, \
                    then Sum): log it as before, use another name, or resume from a checkpoint between two epochs";
    assert!(said.ends_with(expected), "{said}");
}

#[test]
fn column_is_that_of_one_name() {
    let column = |name: &str, other: &str, column: &str| {
        format!(
            "`{name}` and `{other}` were logged, but both would be written as `{column}`, as `on_step` and `on_epoch` together \
             add the suffixes `_step` and `_epoch` to a name: rename one of them"
        )
    };
    type Step = fn(&mut Context, usize) -> Result<()>;
    let steps: [(Step, String); 4] = [
        (
            |ctx, _| {
                ctx.log("x", 1.0).on_epoch(true);
                ctx.log("x_step", 5.0);
                Ok(())
            },
            column("x_step", "x", "x_step"),
        ),
        (
            |ctx, _| {
                ctx.log("x_epoch", 7.0).on_step(false).on_epoch(true);
                ctx.log("x", 1.0).on_epoch(true);
                Ok(())
            },
            column("x", "x_epoch", "x_epoch"),
        ),
        (
            // callbacks and the progress bar have the bare name
            |ctx, _| {
                ctx.log("x", 1.0).on_epoch(true);
                ctx.log("x_step", 5.0).on_epoch(true);
                Ok(())
            },
            column("x_step", "x", "x_step"),
        ),
        (
            // in a later batch, too
            |ctx, batch_idx| {
                match batch_idx {
                    0 => drop(ctx.log("x", 1.0).on_epoch(true)),
                    _ => drop(ctx.log("x_step", 5.0)),
                }
                Ok(())
            },
            column("x_step", "x", "x_step"),
        ),
    ];
    for (step, expected) in steps {
        let said = refused(step);
        assert!(said.ends_with(&format!(": {expected}")), "{said}, not {expected}");
    }

    // training and validation have the columns of one log
    let script = Script::new(2, |ctx, _| {
        ctx.log("x", 1.0).on_epoch(true);
        Ok(())
    });
    let script = script.in_validation(|ctx, _| {
        ctx.log("x_epoch", 1.0);
        Ok(())
    });
    let config = TrainerConfig { limit_val_batches: 1.0.into(), num_sanity_val_steps: 0, ..config() };
    let said = fit(config, script).err().unwrap().to_string();
    assert!(said.ends_with(&column("x_epoch", "x", "x_epoch")), "{said}");

    // and so has the run that is resumed
    let log = |ctx: &mut Context, _| {
        ctx.log("x", 1.0).on_epoch(true);
        Ok(())
    };
    let said = resumed(log, |ctx, _| {
        ctx.log("x_step", 5.0);
        Ok(())
    });
    let said = said.err().unwrap().to_string();
    assert!(said.ends_with(&column("x_step", "x", "x_step")), "{said}");
}

#[test]
fn names_that_only_look_alike_have_columns_of_their_own() {
    let script = Script::new(2, |ctx, batch_idx| {
        ctx.log("x", batch_idx);
        ctx.log("x_step", 5.0);
        ctx.log("x_epoch", 7.0).on_step(false).on_epoch(true);
        Ok(())
    });
    // one name in two hooks is one name
    let script = script.at_batch_end(|ctx, batch_idx| {
        ctx.log("x", batch_idx);
        Ok(())
    });
    let recorder = fit(config(), script).unwrap();
    assert_eq!(recorder.column("x"), [0.0, 1.0]);
    assert_eq!((recorder.column("x_step"), recorder.column("x_epoch")), (vec![5.0, 5.0], vec![7.0]));
}

#[test]
fn changed_program_may_rename_its_values_from_the_next_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("epoch.ckpt");
    let to = path.clone();
    let save = LambdaCallback::new().on_train_epoch_end(move |ctx, _: &mut Script| {
        ctx.save_checkpoint(SaveRequest::new(to.clone()));
        Ok(())
    });
    let first = |ctx: &mut Context, _| {
        ctx.log("x", 1.0).on_epoch(true);
        Ok(())
    };
    Trainer::new(config()).callback(save).fit(&mut Script::new(4, first), ()).unwrap();
    let recorder = Recorder::default();
    let then = |ctx: &mut Context, _| {
        ctx.log("x_step", 5.0);
        ctx.log("x_epoch", 7.0).on_step(false).on_epoch(true);
        Ok(())
    };
    let two = TrainerConfig { max_epochs: Some(2), ..config() };
    Trainer::new(two).logger(recorder.clone()).ckpt_path(path).fit(&mut Script::new(4, then), ()).unwrap();
    assert_eq!((recorder.column("x_step"), recorder.column("x_epoch")), (vec![5.0; 4], vec![7.0]));
}

#[test]
fn add_dataloader_idx_of_false_omits_the_number_of_the_loader() {
    let recorder = over_two_loaders(|ctx, loader| {
        ctx.log(["clean", "noisy"][loader], loader as f64).add_dataloader_idx(false);
        ctx.log("both", loader as f64);
        Ok(())
    });
    let recorder = recorder.unwrap();
    assert_eq!(recorder.column("clean"), [0.0]);
    assert_eq!(recorder.column("noisy"), [1.0]);
    assert_eq!(recorder.column("both/dataloader_idx_1"), [1.0]);
    assert!(recorder.column("both").is_empty() && recorder.column("noisy/dataloader_idx_1").is_empty());
}

#[test]
fn add_dataloader_idx_of_false_needs_a_name_for_each_loader() {
    let said = over_two_loaders(|ctx, _| {
        ctx.log("x", 1.0).add_dataloader_idx(false);
        Ok(())
    });
    let said = said.err().expect("the run fails").to_string();
    let expected = "`x` was logged with `add_dataloader_idx(false)` in the batches of the loaders 0 and 1: use a different name for each \
                    loader, or remove `add_dataloader_idx(false)`";
    assert!(said.ends_with(expected), "{said}");
}
