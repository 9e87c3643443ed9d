//! Functions that log for hooks of several kinds, and loops that log while they go through parameters.

use crate::script::{Recorder, Script, config};
use tch_lightning::callbacks::LambdaCallback;
use tch_lightning::prelude::*;

/// One function for all hooks.
fn note(ctx: &mut Context, name: &str, value: f64) {
    ctx.log(name, value);
}

/// One function for all hooks that may log, which the compiler checks.
fn note_checked(ctx: &mut Context<impl Logs>, name: &str, value: f64) {
    ctx.log(name, value);
}

#[test]
fn helper_function_logs_for_hooks_of_every_kind() {
    let script = Script::new(2, |ctx, batch_idx| {
        note(ctx, "step", 10.0 + batch_idx as f64);
        note(ctx, "in_step", batch_idx as f64);
        Ok(())
    })
    .in_validation(|ctx, batch_idx| {
        note(ctx, "in_validation", 3.0 * batch_idx as f64);
        Ok(())
    })
    .at_epoch_end(|ctx| {
        note(ctx, "at_epoch_end", 7.0);
        Ok(())
    });
    let callback = LambdaCallback::new()
        .on_train_batch_end(|ctx, _: &mut Script, _, _, _| {
            note_checked(ctx, "of_callback", 5.0);
            Ok(())
        })
        .on_train_epoch_end(|ctx, _: &mut Script| {
            note_checked(ctx, "of_callbacks_epoch", 6.0);
            Ok(())
        });
    let recorder = Recorder::default();
    let config = TrainerConfig { limit_val_batches: 1.0.into(), ..config() };
    Trainer::new(config).logger(recorder.clone()).callback(callback).fit(&mut { script }, ()).unwrap();
    assert_eq!(recorder.column("in_step"), [0.0, 1.0]);
    assert_eq!(recorder.column("of_callback"), [5.0, 5.0]);
    // the mean of 0 and 3
    assert_eq!(recorder.column("in_validation"), [1.5]);
    assert_eq!(recorder.column("at_epoch_end"), [7.0]);
    assert_eq!(recorder.column("of_callbacks_epoch"), [6.0]);
    assert_eq!(recorder.rows()[0].0, 10);
}

/// Twice a sum: the gradient of each weight is 2.
struct Sum {
    vs: nn::VarStore,
    weights: [Tensor; 2],
}

#[lightning_module]
impl Sum {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        let _ = batch;
        (self.weights[0].sum(Kind::Float) + self.weights[1].sum(Kind::Float)) * 2.0
    }

    fn on_before_optimizer_step(&self, ctx: &mut Context, optimizer: OptimizerIndex) {
        for (name, parameter) in ctx.optimizer(optimizer).parameters() {
            ctx.log_histogram(format!("{name}.grad"), &parameter.grad());
            ctx.log(name, parameter.grad().norm());
        }
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::zeros([1, 1], (Kind::Float, Device::Cpu)))?))
    }
}

#[test]
fn hook_logs_each_gradient_of_an_optimizer() {
    let vs = nn::VarStore::new(Device::Cpu);
    let weights = [vs.root().zeros("a", &[4]), vs.root().zeros("b", &[1])];
    let recorder = Recorder::default();
    Trainer::new(config()).logger(recorder.clone()).fit(&mut Sum { vs, weights }, ()).unwrap();
    // the root of 4 · 2²
    assert_eq!(recorder.column("a"), [4.0]);
    assert_eq!(recorder.column("b"), [2.0]);
}

/// Through a function, the compiler does not know the hook: what cannot be logged there fails when it is logged.
#[test]
fn helper_function_cannot_log_outside_of_epochs() {
    let callback = LambdaCallback::new().on_fit_start(|ctx, _: &mut Script| {
        note(ctx, "early", 1.0);
        Ok(())
    });
    let failed = Trainer::new(config()).callback(callback).fit(&mut Script::new(1, |_, _| Ok(())), ());
    let said = failed.expect_err("nothing can be logged there").to_string();
    assert!(said.contains("`early` was logged in `on_fit_start`, which belongs to no step and no epoch"), "{said}");
}

#[test]
fn helper_function_cannot_log_by_step_in_the_hook_of_an_epoch() {
    let script = Script::new(1, |_, _| Ok(())).at_epoch_end(|ctx| {
        let ctx: &mut Context = ctx;
        ctx.log("late", 1.0).on_step(true);
        Ok(())
    });
    let failed = Trainer::new(config()).fit(&mut { script }, ());
    let said = failed.expect_err("no step is running").to_string();
    assert!(
        said.contains("`late` was logged with `on_step` in `on_train_epoch_end`, where no step is running"),
        "{said}"
    );
}
