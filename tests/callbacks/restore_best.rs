//! Keras' `restore_best_weights`. The expected weights are those of a run that ends with the epoch of the best check.

use crate::model::{Line, config};
use tch_lightning::callbacks::{EarlyStopping, LambdaCallback, OnExceptionCheckpoint, StoppingReason};
use tch_lightning::prelude::*;

/// The best check is that of epoch 1.
const SCORES: [f64; 6] = [3.0, 1.0, 2.0, 2.5, 2.0, 0.5];

struct Scores;

#[lightning_callback]
impl Scores {
    fn on_validation_epoch_end(&self, ctx: &mut Context) {
        ctx.log("score", SCORES[ctx.current_epoch()]);
    }
}

fn line() -> Line {
    Line::normed(Sgd::new(0.1).momentum(0.9))
}

fn trainer(epochs: i64, stopping: EarlyStopping) -> Trainer<Line> {
    Trainer::new(TrainerConfig { max_epochs: Some(epochs), ..config() }).callback(Scores).callback(stopping)
}

fn stopping() -> EarlyStopping {
    EarlyStopping::new("score").patience(2).restore_best(true)
}

#[track_caller]
fn assert_same(one: &Line, other: &Line) {
    let expected = other.vs.variables();
    for (name, tensor) in one.vs.variables() {
        assert_eq!(tensor, expected[&name], "{name}");
    }
}

/// Returns the model after a number of epochs.
fn after(epochs: i64) -> Line {
    let mut line = line();
    trainer(epochs, EarlyStopping::new("score").patience(9)).fit(&mut line, ()).unwrap();
    line
}

#[test]
fn module_ends_with_the_weights_of_the_best_check() {
    let mut line = line();
    let mut run = trainer(6, stopping());
    run.fit(&mut line, ()).unwrap();
    let callback = run.find_callback::<EarlyStopping>().unwrap();
    assert_eq!(callback.stopping_reason(), Some(StoppingReason::PatienceExhausted));
    assert_eq!((callback.stopped_epoch(), callback.best_score()), (Some(3), Some(1.0)));
    assert_same(&line, &after(2));
    // without it, those of the last epoch
    assert_ne!(after(4).layer.ws, line.layer.ws);
}

#[test]
fn weights_are_restored_whatever_ends_training() {
    let mut line = self::line();
    trainer(3, stopping()).fit(&mut line, ()).unwrap();
    assert_same(&line, &after(2));

    // the check that ends training is the best one
    let mut line = self::line();
    trainer(6, stopping().patience(9).stopping_threshold(0.6)).fit(&mut line, ()).unwrap();
    assert_same(&line, &after(6));
}

#[test]
fn what_a_later_hook_does_with_the_restored_weights_stays() {
    let mut line = self::line();
    let zeroed = LambdaCallback::new().on_train_end(|_, line: &mut Line| {
        let _ = tch::no_grad(|| line.layer.ws.zero_());
        Ok(())
    });
    trainer(6, stopping()).callback(zeroed).fit(&mut line, ()).unwrap();
    assert_eq!(line.layer.ws, Tensor::zeros([1, 4], (Kind::Float, Device::Cpu)));
    assert_eq!(line.layer.bs, after(2).layer.bs);
}

/// The best check is before the failure, and its weights are in the checkpoint alone.
#[test]
fn resumed_run_restores_the_same_weights() {
    for epoch in 2..4 {
        let folder = tempfile::tempdir().unwrap();
        let save = OnExceptionCheckpoint::new(folder.path());
        let fails = LambdaCallback::new().on_train_batch_start(move |ctx, _: &mut Line, _, batch_idx| {
            if (ctx.current_epoch(), batch_idx) == (epoch, 2) { bail!("no more") } else { Ok(()) }
        });
        let mut failed = line();
        trainer(6, stopping()).callback(fails).callback(save.clone()).fit(&mut failed, ()).unwrap_err();

        let mut resumed = line();
        let mut run = trainer(6, stopping()).ckpt_path(save.ckpt_path());
        run.fit(&mut resumed, ()).unwrap();
        assert_eq!(run.find_callback::<EarlyStopping>().unwrap().stopped_epoch(), Some(3));
        assert_same(&resumed, &after(2));
    }
}
