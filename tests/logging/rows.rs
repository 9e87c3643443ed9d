//! The rows that loggers get.

use crate::script::{Row, Script, config, fit};
use tch_lightning::prelude::*;

fn row(step: usize, values: &[(&str, f64)]) -> Row {
    (step, values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect())
}

#[test]
fn logged_step_is_the_step_of_its_row() {
    let script = Script::new(2, |ctx, batch_idx| {
        ctx.log("loss", 0.5);
        ctx.log("step", 100 + batch_idx);
        Ok(())
    })
    .at_epoch_end(|ctx| {
        let epoch = ctx.current_epoch() as f64;
        ctx.log("step", epoch);
        ctx.log("metric", 7.0);
        Ok(())
    });
    let recorder = fit(TrainerConfig { max_epochs: Some(2), ..config() }, script).unwrap();
    // as in Lightning, the epoch is not added then
    let step = |step| row(step, &[("loss", 0.5)]);
    let epoch = |epoch| row(epoch, &[("metric", 7.0)]);
    assert_eq!(recorder.rows(), [step(100), step(101), epoch(0), step(100), step(101), epoch(1)]);
}

#[test]
fn logged_epoch_replaces_the_one_that_is_added() {
    let script = Script::new(1, |ctx, _| {
        ctx.log("epoch", 0.25);
        ctx.log("loss", 0.5);
        Ok(())
    });
    assert_eq!(fit(config(), script).unwrap().rows(), [row(0, &[("epoch", 0.25), ("loss", 0.5)])]);
}

#[test]
fn validation_chooses_its_steps_too() {
    let script = Script::new(2, |_, _| Ok(()))
        .in_validation(|ctx, batch_idx| {
            ctx.log("step", 10 * batch_idx).on_step(true).on_epoch(false);
            ctx.log("val", batch_idx).on_step(true).on_epoch(false);
            Ok(())
        })
        .at_validation_end(|ctx| {
            ctx.log("step", 30);
            ctx.log("val_loss", 1.5);
            Ok(())
        });
    let recorder = fit(TrainerConfig { limit_val_batches: 1.0.into(), ..config() }, script).unwrap();
    assert_eq!(recorder.rows(), [row(0, &[("val", 0.0)]), row(10, &[("val", 1.0)]), row(30, &[("val_loss", 1.5)])]);
}

#[test]
fn step_is_an_integer_of_at_least_0() {
    let fitted = |step: f64| {
        let script = Script::new(1, move |ctx, _| {
            ctx.log("step", Tensor::from(step));
            ctx.log("loss", 0.5);
            Ok(())
        });
        fit(config(), script).map(|recorder| recorder.rows()[0].0).map_err(|error| error.to_string())
    };
    // as Python's `int`
    assert_eq!(fitted(7.9), Ok(7));
    assert_eq!(fitted(-0.5), Ok(0));
    for (step, shown) in
        [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e300, &format!("1{}", "0".repeat(300)))]
    {
        let said = fitted(step).unwrap_err();
        let expected = "but it sets the step of the loggers' row: log a number of at least 0, or use another name";
        assert!(said.starts_with(&format!("`step` was logged as {shown}")) && said.ends_with(expected), "{said}");
    }
}

#[test]
fn row_has_one_column_of_each_name() {
    let script = Script::new(1, |ctx, _| {
        ctx.log("loss", 1.0).on_epoch(true);
        Ok(())
    })
    .at_batch_end(|ctx, _| {
        ctx.log("loss", 2.0).on_epoch(true);
        Ok(())
    });
    let recorder = fit(config(), script).unwrap();
    // of two hooks the last one counts
    let expected = [row(0, &[("loss_step", 2.0), ("epoch", 0.0)]), row(0, &[("loss_epoch", 2.0), ("epoch", 0.0)])];
    assert_eq!(recorder.rows(), expected);
}

#[test]
fn row_of_a_loaders_batch_has_the_values_of_that_loader() {
    let script = Script::new(1, |_, _| Ok(())).val_loaders(2).in_validation(|ctx, _| {
        ctx.log("val", 1.0).on_step(true).on_epoch(false);
        Ok(())
    });
    let recorder = fit(TrainerConfig { limit_val_batches: 1.0.into(), ..config() }, script).unwrap();
    let of = |loader: &str| row(0, &[(&format!("val/dataloader_idx_{loader}"), 1.0), ("epoch", 0.0)]);
    assert_eq!(recorder.rows(), [of("0"), of("1")]);
}
