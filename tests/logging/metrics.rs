//! Logged metrics: read when the epoch ends, and then reset, whatever they were logged for and under how many names.

use crate::script::{Recorder, Row, Script, config, fit, over_two_loaders};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use tch_lightning::metrics::{Auroc, Mean, Metric as _, Sum};
use tch_lightning::prelude::*;
use tch_lightning::{
    callbacks::{LambdaCallback, StochasticWeightAveraging},
    checkpoint::SaveRequest,
};

fn epochs(epochs: i64) -> TrainerConfig {
    TrainerConfig { max_epochs: Some(epochs), ..config() }
}

fn add(sum: &Sum, value: usize) {
    sum.update(&Tensor::from(value as f64)).unwrap();
}

/// What a metric has when `on_train_epoch_end` is called.
fn at_epoch_ends(sum: &Sum, script: Script) -> (Rc<RefCell<Vec<f64>>>, Script) {
    let values = Rc::new(RefCell::new(Vec::new()));
    let (kept, sum) = (Rc::clone(&values), sum.clone());
    let script = script.at_epoch_end(move |_| {
        kept.borrow_mut().push(sum.compute()?.double_value(&[]));
        Ok(())
    });
    (values, script)
}

#[test]
fn metric_that_is_logged_for_its_steps_is_reset_in_each_epoch() {
    let sum = Sum::new();
    let logged = sum.clone();
    let script = Script::new(4, move |ctx, batch_idx| {
        add(&logged, batch_idx);
        ctx.log("sum", &logged);
        Ok(())
    });
    let (at_ends, script) = at_epoch_ends(&sum, script);
    let recorder = fit(epochs(3), script).unwrap();
    // 0 + 1 + 2 + 3 in each epoch
    assert_eq!(*at_ends.borrow(), [6.0, 6.0, 6.0]);
    assert_eq!(recorder.column("sum"), [0.0, 1.0, 2.0, 3.0].repeat(3));
    assert!(sum.compute().is_err(), "no batch is left");
}

#[test]
fn scores_of_an_epoch_are_freed_at_its_end() {
    let auroc = Auroc::binary();
    let (logged, read) = (auroc.clone(), auroc.clone());
    let rows = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&rows);
    let script = Script::new(4, move |ctx, _| {
        logged.update(&Tensor::from_slice(&[0.1f32, 0.9]), &Tensor::from_slice(&[0i64, 1]))?;
        ctx.log("auroc", &logged);
        Ok(())
    });
    let script = script.at_epoch_end(move |_| {
        kept.borrow_mut().push(read.state()?[0].1.size()[0]);
        Ok(())
    });
    fit(epochs(3), script).unwrap();
    assert_eq!(*rows.borrow(), [8, 8, 8]);
}

#[test]
fn metric_is_reset_whichever_hook_has_logged_it() {
    let sum = Sum::new();
    let (updated, at_batch_end, at_start) = (sum.clone(), sum.clone(), sum.clone());
    let update = move |_: &mut Context, batch_idx| {
        add(&updated, batch_idx);
        Ok(())
    };
    let script = Script::new(4, update.clone()).at_batch_end(move |ctx, _| {
        ctx.log("sum", &at_batch_end);
        Ok(())
    });
    let (at_ends, script) = at_epoch_ends(&sum, script);
    fit(epochs(2), script).unwrap();
    assert_eq!(*at_ends.borrow(), [6.0, 6.0]);

    let script = Script::new(4, update.clone()).at_epoch_start(move |ctx| {
        ctx.log("sum", &at_start);
        Ok(())
    });
    let (at_ends, script) = at_epoch_ends(&sum, script);
    let recorder = fit(epochs(2), script).unwrap();
    assert_eq!((at_ends.borrow().as_slice(), recorder.column("sum")), (&[6.0, 6.0][..], vec![6.0, 6.0]));

    let at_end = sum.clone();
    let script = Script::new(4, update).at_epoch_end(move |ctx| {
        ctx.log("sum", &at_end);
        Ok(())
    });
    assert_eq!(fit(epochs(2), script).unwrap().column("sum"), [6.0, 6.0]);
}

#[test]
fn validation_counts_only_its_own_batches() {
    let (sum, of_steps) = (Sum::new(), Sum::new());
    let (logged, logged_for_steps, read) = (sum.clone(), of_steps.clone(), of_steps.clone());
    let at_ends = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&at_ends);
    let script = Script::new(4, |_, _| Ok(()))
        .in_validation(move |ctx, batch_idx| {
            add(&logged, batch_idx + 1);
            add(&logged_for_steps, batch_idx + 1);
            ctx.log("val_sum", &logged);
            ctx.log("val_step", &logged_for_steps).on_step(true).on_epoch(false);
            Ok(())
        })
        .at_validation_end(move |_| {
            kept.borrow_mut().push(read.compute()?.double_value(&[]));
            Ok(())
        });
    // the sanity check has two batches
    let recorder = fit(TrainerConfig { limit_val_batches: 1.0.into(), ..epochs(2) }, script).unwrap();
    assert_eq!(recorder.column("val_sum"), [10.0, 10.0]);
    assert_eq!(*at_ends.borrow(), [3.0, 10.0, 10.0]);
    assert!(sum.compute().is_err() && of_steps.compute().is_err());
}

#[test]
fn names_of_a_metric_have_its_value_each() {
    let sum = Sum::new();
    let (in_step, at_batch_end, at_end) = (sum.clone(), sum.clone(), sum);
    let script = Script::new(4, move |ctx, batch_idx| {
        add(&in_step, batch_idx);
        ctx.log("first", &in_step).on_epoch(true);
        ctx.log("second", &in_step).on_epoch(true);
        ctx.log("of_steps", &in_step);
        Ok(())
    })
    .at_batch_end(move |ctx, _| {
        ctx.log("third", &at_batch_end).on_step(false).on_epoch(true);
        Ok(())
    })
    .at_epoch_end(move |ctx| {
        ctx.log("fourth", &at_end);
        Ok(())
    });
    let recorder = fit(epochs(2), script).unwrap();
    for name in ["first_epoch", "second_epoch", "third", "fourth"] {
        assert_eq!(recorder.column(name), [6.0, 6.0], "{name}");
    }
    for name in ["first_step", "second_step", "of_steps"] {
        assert_eq!(recorder.column(name), [0.0, 1.0, 2.0, 3.0].repeat(2), "{name}");
    }
}

#[test]
fn metric_that_is_made_for_each_epoch_is_that_of_its_epoch() {
    let mut mean = Mean::new();
    let script = Script::new(2, move |ctx, batch_idx| {
        if batch_idx == 0 {
            mean = Mean::new();
        }
        mean.update(&Tensor::from((10 * ctx.current_epoch() + batch_idx) as f64))?;
        ctx.log("mean", &mean).on_epoch(true);
        ctx.log("again", &mean).on_epoch(true);
        Ok(())
    });
    let recorder = fit(epochs(3), script).unwrap();
    assert_eq!(recorder.column("mean_epoch"), [0.5, 10.5, 20.5]);
    assert_eq!(recorder.column("again_epoch"), [0.5, 10.5, 20.5]);
}

#[test]
fn metric_that_is_made_for_each_step_has_the_value_of_its_step() {
    let script = Script::new(3, |ctx, batch_idx| {
        let mean = Mean::new();
        mean.update(&Tensor::from(batch_idx as f64))?;
        ctx.log("mean", &mean);
        Ok(())
    });
    assert_eq!(fit(config(), script).unwrap().column("mean"), [0.0, 1.0, 2.0]);
}

/// A metric under several names, in several hooks, for steps and epochs, besides numbers of every reduction.
fn everything() -> Script {
    let (sum, of_steps) = (Sum::new(), Sum::new());
    let at_batch_end = sum.clone();
    Script::new(4, move |ctx, batch_idx| {
        let value = (1.0 + ctx.total_batches() as f64).sqrt();
        for sum in [&sum, &of_steps] {
            sum.update(&Tensor::from(value))?;
        }
        ctx.log("sum", &sum).on_epoch(true);
        ctx.log("sum_again", &sum).on_epoch(true);
        ctx.log("of_steps", &of_steps);
        // what was accumulated is seen by the module as well
        ctx.log("so_far", of_steps.compute()?);
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::Min, Reduction::Max] {
            ctx.log(format!("{reduction:?}"), Tensor::from(value as f32)).on_epoch(true).reduce(reduction);
        }
        if batch_idx == 1 {
            ctx.log("now_and_then", value);
        }
        Ok(())
    })
    .at_batch_end(move |ctx, _| {
        ctx.log("sum_at_batch_end", &at_batch_end).on_epoch(true);
        Ok(())
    })
}

/// A row with the bits of its values.
fn bits((step, row): &Row) -> (usize, Vec<(String, u64)>) {
    (*step, row.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect())
}

#[test]
fn run_that_is_resumed_after_any_batch_logs_what_an_uninterrupted_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = |batches: usize| folder.path().join(format!("{batches}.ckpt"));
    let run = |ckpt_path: Option<&Path>, folder: &Path| {
        let (recorder, folder) = (Recorder::default(), folder.to_owned());
        let save = LambdaCallback::new().on_train_batch_end(move |ctx, _: &mut Script, _, _, _| {
            let path = folder.join(format!("{}.ckpt", ctx.total_batches()));
            ctx.save_checkpoint(SaveRequest::new(path));
            Ok(())
        });
        let mut trainer = Trainer::new(epochs(3)).logger(recorder.clone()).callback(save);
        if let Some(path) = ckpt_path {
            trainer = trainer.ckpt_path(path);
        }
        trainer.fit(&mut everything(), ()).unwrap();
        recorder.rows()
    };
    let whole = run(None, folder.path());
    assert_eq!(whole.len(), 3 * 5);
    for batches in 1..12 {
        // and a checkpoint that the resumed run writes is as good
        let again = tempfile::tempdir().unwrap();
        for (path, after) in
            [(path(batches), batches), (again.path().join(format!("{}.ckpt", batches + 1)), batches + 1)]
        {
            let resumed = run(Some(&path), again.path());
            let tail = &whole[whole.len() - resumed.len()..];
            for (row, expected) in resumed.iter().zip(tail) {
                assert_eq!(bits(row), bits(expected), "after {after} batches: {row:?}, {expected:?}");
            }
            assert_eq!(resumed.len(), 3 * 5 - after - (after - 1) / 4, "after {after} batches");
        }
    }
}

#[test]
fn checkpoint_before_a_metric_is_logged_again_keeps_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let script = || {
        let sum = Sum::new();
        Script::new(4, move |ctx, batch_idx| {
            add(&sum, batch_idx);
            if batch_idx != 2 {
                ctx.log("sum", &sum).on_step(false).on_epoch(true);
            }
            Ok(())
        })
    };
    // what is updated without being logged is not known to the log before the next log call
    let mut whole = Vec::new();
    for after in [None, Some(2), Some(3)] {
        let recorder = Recorder::default();
        let saved = folder.path().to_owned();
        let save = LambdaCallback::new().on_train_batch_end(move |ctx, _: &mut Script, _, _, _| {
            let path = saved.join(format!("{}.ckpt", ctx.total_batches()));
            ctx.save_checkpoint(SaveRequest::new(path));
            Ok(())
        });
        let mut trainer = Trainer::new(config()).logger(recorder.clone()).callback(save);
        if let Some(batches) = after {
            trainer = trainer.ckpt_path(folder.path().join(format!("{batches}.ckpt")));
        }
        trainer.fit(&mut script(), ()).unwrap();
        whole.push(recorder.column("sum"));
    }
    assert_eq!(whole[0], [6.0]);
    assert_eq!(whole[1], [6.0]);
}

#[test]
fn metric_is_that_of_one_loader() {
    let mean = Mean::new();
    let said = over_two_loaders(move |ctx, loader| {
        mean.update(&Tensor::from(loader as f64))?;
        ctx.log("mean", &mean);
        Ok(())
    });
    let said = said.err().unwrap().to_string();
    let expected = "batch 0: the metric `mean` was logged in the batches of the loaders 0 and 1, so its value would mix both: use a \
                    separate metric for each loader";
    assert!(said.ends_with(expected), "{said}");

    let means = [Mean::new(), Mean::new()];
    let recorder = over_two_loaders(move |ctx, loader| {
        means[loader].update(&Tensor::from(loader as f64))?;
        ctx.log("mean", &means[loader]);
        Ok(())
    });
    let recorder = recorder.unwrap();
    assert_eq!(recorder.column("mean/dataloader_idx_0"), [0.0]);
    assert_eq!(recorder.column("mean/dataloader_idx_1"), [1.0]);

    // the value of a batch is that of the batch
    let mean = Mean::new();
    let recorder = over_two_loaders(move |ctx, loader| {
        mean.update(&Tensor::from(loader as f64))?;
        ctx.log("mean", &mean).on_step(true).on_epoch(false);
        Ok(())
    });
    let recorder = recorder.unwrap();
    assert_eq!(recorder.column("mean/dataloader_idx_0"), [0.0, 0.0]);
    assert_eq!(recorder.column("mean/dataloader_idx_1"), [1.0, 1.0]);
}

#[test]
fn metric_is_that_of_training_or_of_validation() {
    let validate = || TrainerConfig { limit_val_batches: 1.0.into(), num_sanity_val_steps: 1, ..config() };
    let script = |on_epoch: bool| {
        let mean = Mean::new();
        let validated = mean.clone();
        let script = Script::new(2, move |ctx, batch_idx| {
            mean.update(&Tensor::from(batch_idx as f64))?;
            ctx.log("mean", &mean);
            Ok(())
        });
        script.in_validation(move |ctx, batch_idx| {
            validated.update(&Tensor::from(10.0 * (batch_idx + 1) as f64))?;
            ctx.log("val_mean", &validated).on_step(!on_epoch).on_epoch(on_epoch);
            Ok(())
        })
    };
    let said = fit(validate(), script(true)).err().unwrap().to_string();
    let expected = "batch 0: the metric `val_mean` was logged in training and in validation, so its value would mix the batches of \
                    both: use a separate metric for each";
    assert!(said.ends_with(expected), "{said}");
    // the value of a batch is that of the batch
    let recorder = fit(validate(), script(false)).unwrap();
    assert_eq!((recorder.column("mean"), recorder.column("val_mean")), (vec![0.0, 1.0], vec![10.0, 20.0]));
}

#[test]
fn batch_that_goes_through_the_module_twice_for_its_norms_counts_once() {
    let sum = Sum::new();
    let (started, logged) = (sum.clone(), sum.clone());
    let script = Script::new(4, move |ctx, batch_idx| {
        add(&logged, batch_idx + 1);
        ctx.log("sum", &logged).on_epoch(true);
        Ok(())
    });
    let script = script.normed().at_epoch_start(move |_| {
        add(&started, 100);
        Ok(())
    });
    let recorder = Recorder::default();
    let swa = StochasticWeightAveraging::new(0.01).swa_epoch_start(1);
    Trainer::new(epochs(2)).logger(recorder.clone()).callback(swa).fit(&mut { script }, ()).unwrap();
    // 100 + 1 + 2 + 3 + 4, and the third epoch is that of the norms
    assert_eq!(recorder.column("sum_epoch"), [110.0, 110.0, 110.0]);
}

#[test]
fn logged_values_of_a_failed_run_are_in_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("failed.ckpt");
    for (at, validates) in (0..4).flat_map(|at| [false, true].map(|validates| (at, validates))) {
        let sum = Sum::new();
        let script = |fails_at: Option<usize>| {
            let logged = sum.clone();
            Script::new(4, move |ctx, batch_idx| {
                if fails_at == Some(batch_idx) {
                    bail!("no more");
                }
                add(&logged, batch_idx + 1);
                ctx.log("batch_idx", batch_idx).on_step(false).on_epoch(true);
                ctx.log("sum", &logged).on_step(false).on_epoch(true);
                Ok(())
            })
        };
        let mut failed = script(Some(at));
        let mut trainer = Trainer::new(config());
        trainer.fit(&mut failed, ()).unwrap_err();
        assert!(sum.compute().is_err(), "the next run has the metric for itself");
        if validates {
            trainer.validate(&mut failed, ()).unwrap();
        }
        trainer.save_checkpoint(&mut failed, (), &path).unwrap();
        // another run in between, of this trainer or another one
        Trainer::new(config()).fit(&mut script(None), ()).unwrap();
        let recorder = Recorder::default();
        Trainer::new(config()).logger(recorder.clone()).ckpt_path(&path).fit(&mut script(None), ()).unwrap();
        assert_eq!(recorder.column("batch_idx"), [1.5], "failed at {at}, validates: {validates}");
        assert_eq!(recorder.column("sum"), [10.0], "failed at {at}, validates: {validates}");
    }
}
