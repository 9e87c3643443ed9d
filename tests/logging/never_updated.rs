//! A metric that is logged and never updated: a warning names it, once.

use crate::script::{Script, config, fit};
use tch_lightning::metrics::{Accuracy, Sum};
use tch_lightning::prelude::*;
use tests::warnings::warnings;

/// The warnings of three epochs of training, with a validation and its sanity check, that start with `the metric`.
fn warnings_of_metrics(script: Script) -> Vec<String> {
    let config =
        TrainerConfig { max_epochs: Some(3), limit_val_batches: 1.into(), num_sanity_val_steps: 1, ..config() };
    let mut warnings = warnings(|| drop(fit(config, script).unwrap()));
    warnings.retain(|warning| warning.starts_with("the metric "));
    warnings
}

#[test]
fn metric_that_is_never_updated_is_warned_of_once() {
    let (accuracy, sum, updated) = (Accuracy::binary(), Sum::new(), Sum::new());
    let script = Script::new(2, move |ctx, batch_idx| {
        updated.update(&Tensor::from(batch_idx as f64))?;
        ctx.log("updated", &updated).on_step(false).on_epoch(true);
        ctx.log("sum", &sum).on_step(false).on_epoch(true);
        Ok(())
    });
    let script = script.in_validation(move |ctx, _| {
        ctx.log("val_acc", &accuracy);
        Ok(())
    });
    let warning = |name: &str| {
        format!(
            "the metric `{name}` has no value, as it was logged and never updated: call its `update` in the step, before `ctx.log`"
        )
    };
    // the validation of an epoch ends before the epoch
    assert_eq!(warnings_of_metrics(script), [warning("val_acc"), warning("sum")]);
}
