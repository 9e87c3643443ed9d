//! Runs that are resumed, and train on the same samples to the same weights as a run that was not interrupted.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tch_lightning::data::Sampler;
use tch_lightning::prelude::*;
use tch_lightning::{
    Error,
    callbacks::{ExponentialMovingAverage, LambdaCallback, OnExceptionCheckpoint},
    checkpoint::SaveRequest,
    seed_everything,
};

/// One weight, whose gradient is the sample: 1, 2, 3, …
struct Slope {
    vs: nn::VarStore,
    weight: Tensor,
    seen: Vec<i64>,
    /// The samples of an epoch.
    samples: i64,
    shuffles: bool,
    sampler: Option<Counting>,
    /// Whether training and validation draw random numbers.
    draws: bool,
    /// The validation batch that fails in epoch 0.
    fails_at: Option<usize>,
    /// The epoch from whose start on the weight is frozen.
    frozen_from: Option<usize>,
}

impl Slope {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().zeros("weight", &[]);
        Self {
            vs,
            weight,
            seen: Vec::new(),
            samples: 4,
            shuffles: false,
            sampler: None,
            draws: false,
            fails_at: None,
            frozen_from: None,
        }
    }

    fn value(&self) -> f64 {
        self.weight.double_value(&[])
    }

    fn loader(&self) -> Result<DataLoader<Tensor>> {
        let loader =
            DataLoader::new(TensorDataset::new(Tensor::arange_start(1, self.samples + 1, (Kind::Int64, Device::Cpu)))?);
        Ok(match &self.sampler {
            Some(sampler) => loader.sampler(sampler.clone()),
            None => loader.shuffle(self.shuffles),
        })
    }
}

#[lightning_module]
impl Slope {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(1.0)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn on_train_epoch_start(&self, ctx: &mut Context) {
        if self.frozen_from == Some(ctx.current_epoch()) {
            let _ = self.weight.set_requires_grad(false);
        }
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Option<Tensor> {
        ctx.log("sample", batch.to_kind(Kind::Float).mean(None)).on_step(false).on_epoch(true);
        self.seen.push(batch.int64_value(&[0]));
        let noise = if self.draws { Tensor::rand([1], (Kind::Float, Device::Cpu)) } else { Tensor::from(1f32) };
        let loss = (&self.weight * batch * noise).sum(Kind::Float);
        loss.requires_grad().then_some(loss)
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<()> {
        let _ = (batch, self.draws.then(|| Tensor::rand([1], (Kind::Float, Device::Cpu))));
        if ctx.current_epoch() == 0 && self.fails_at == Some(batch_idx) {
            bail!("no more")
        }
        Ok(())
    }
}

/// The indices from an order of its own on, which is another one each time that it is asked.
#[derive(Clone)]
struct Counting(Rc<Cell<usize>>);

impl Sampler for Counting {
    fn len(&self) -> usize {
        4
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        let first = self.0.replace(self.0.get() + 1);
        (0..4).map(|index| (index + first) % 4).collect()
    }
}

fn config(epochs: i64) -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(epochs),
        limit_val_batches: 0.into(),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 0,
        ..TrainerConfig::default()
    }
}

/// Random numbers and their seed are the process's: one test has them at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A callback that saves after each batch.
fn saves<M: tch_lightning::LightningModule>(folder: &Path) -> LambdaCallback<M> {
    let folder = folder.to_owned();
    LambdaCallback::new().on_train_batch_end(move |ctx, _: &mut M, _, _, _| {
        let path = after(&folder, ctx.total_batches());
        ctx.save_checkpoint(SaveRequest::new(path));
        Ok(())
    })
}

fn after(folder: &Path, batches: usize) -> PathBuf {
    folder.join(format!("{batches}.ckpt"))
}

#[test]
fn max_steps_within_an_epoch_leaves_its_other_batches_for_the_next_run() {
    let _alone = alone();
    let steps = |steps| TrainerConfig { max_steps: Some(steps), ..config(9) };
    let mut whole = Slope { shuffles: true, ..Slope::new() };
    seed_everything(1);
    Trainer::new(steps(10)).fit(&mut whole, ()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt");
    let mut first = Slope { shuffles: true, ..Slope::new() };
    seed_everything(1);
    let mut trainer = Trainer::new(steps(5));
    trainer.fit(&mut first, ()).unwrap();
    trainer.save_checkpoint(&mut first, (), &path).unwrap();
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (2, 5));
    let mut second = Slope { shuffles: true, ..Slope::new() };
    let mut trainer = Trainer::new(steps(10)).ckpt_path(&path);
    trainer.fit(&mut second, ()).unwrap();
    assert_eq!([first.seen, second.seen].concat(), whole.seen);
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (3, 10));
    // a run with the same `max_steps` trains nothing
    let mut third = Slope::new();
    let mut trainer = Trainer::new(steps(5)).ckpt_path(&path);
    trainer.fit(&mut third, ()).unwrap();
    assert!(third.seen.is_empty());
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (2, 5));
}

#[test]
fn epoch_that_was_interrupted_is_ended_if_the_data_has_changed() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt");
    let steps = |steps| TrainerConfig { max_steps: Some(steps), ..config(9) };
    let mut first = Slope::new();
    let mut trainer = Trainer::new(steps(6));
    trainer.fit(&mut first, ()).unwrap();
    trainer.save_checkpoint(&mut first, (), &path).unwrap();
    let mut grown = Slope { samples: 5, ..Slope::new() };
    let mut trainer = Trainer::new(steps(12)).ckpt_path(&path);
    trainer.fit(&mut grown, ()).unwrap();
    assert_eq!((grown.seen, trainer.context().current_epoch()), (vec![1, 2, 3, 4, 5, 1], 4));
}

#[test]
fn averages_and_logged_values_are_those_of_the_complete_epoch_that_was_interrupted() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt");
    let run = |steps: i64, after: Option<&Path>| {
        let average = ExponentialMovingAverage::new(0.5).update_every_n_steps(1000).update_starting_at_epoch(0);
        let save = path.clone();
        let saves = LambdaCallback::new().on_train_epoch_end(move |ctx, _: &mut Slope| {
            ctx.save_checkpoint(SaveRequest::new(save.clone()));
            Ok(())
        });
        let mut slope = Slope::new();
        let mut trainer = Trainer::new(TrainerConfig { max_steps: Some(steps), ..config(9) }).callback(average);
        trainer = match after {
            Some(path) => trainer.ckpt_path(path),
            None => trainer.callback(saves),
        };
        trainer.fit(&mut slope, ()).unwrap();
        (slope.value(), trainer.context().callback_metrics()["sample"])
    };
    // the average begins with the weight after the first step, -1, and moves half the way at each end of an epoch: to -10 and to -20
    assert_eq!(run(8, None), (-12.75, 2.5));
    // cut short after 1 + 2 of the second epoch, it moves half the way to -13 as well
    assert_eq!(run(6, None), (-9.25, 1.5));
    assert_eq!(run(8, Some(&path)), (-14.625, 2.5));
}

#[test]
fn sampler_with_changing_orders_is_called_once_for_an_epoch() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let counting = || Slope { sampler: Some(Counting(Rc::default())), ..Slope::new() };
    let mut whole = counting();
    Trainer::new(config(2)).callback(saves(folder.path())).fit(&mut whole, ()).unwrap();
    assert_eq!(whole.seen, [1, 2, 3, 4, 2, 3, 4, 1]);
    let mut resumed = counting();
    Trainer::new(config(2)).ckpt_path(after(folder.path(), 1)).fit(&mut resumed, ()).unwrap();
    assert_eq!(resumed.seen, whole.seen[1..]);
    // the sampler of this process does not know that it has dealt an epoch
    let error = Trainer::new(config(2)).ckpt_path(after(folder.path(), 6)).fit(&mut counting(), ()).unwrap_err();
    assert!(error.to_string().contains("it now deals these in another order"), "{error}");
}

#[test]
fn validation_that_draws_and_fails_is_repeated_with_the_same_numbers() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let config = || TrainerConfig { limit_val_batches: tch_lightning::trainer::BatchLimit::ALL, ..config(2) };
    let slope = |fails_at| Slope { draws: true, fails_at, ..Slope::new() };
    seed_everything(3);
    let mut whole = slope(None);
    Trainer::new(config()).fit(&mut whole, ()).unwrap();
    seed_everything(3);
    let save = OnExceptionCheckpoint::new(folder.path());
    Trainer::new(config()).callback(save.clone()).fit(&mut slope(Some(2)), ()).unwrap_err();
    seed_everything(4);
    let mut resumed = slope(None);
    Trainer::new(config()).ckpt_path(save.ckpt_path()).fit(&mut resumed, ()).unwrap();
    assert_eq!(resumed.value(), whole.value());
}

#[test]
fn epoch_hooks_that_draw_and_fail_are_repeated_with_the_same_numbers() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = |fails: bool, at_end: bool, ckpt_path: Option<PathBuf>| {
        let edge = move |epoch: usize| {
            let _ = Tensor::rand([1], (Kind::Float, Device::Cpu));
            if fails && epoch == 1 { bail!("no more") } else { Ok(()) }
        };
        let callback = LambdaCallback::new();
        let callback = if at_end {
            callback.on_train_epoch_end(move |ctx, _: &mut Slope| edge(ctx.current_epoch()))
        } else {
            callback.on_train_epoch_start(move |ctx, _: &mut Slope| edge(ctx.current_epoch()))
        };
        let mut slope = Slope { draws: true, ..Slope::new() };
        let mut trainer =
            Trainer::new(config(3)).callback(callback).callback(OnExceptionCheckpoint::new(folder.path()));
        if let Some(path) = ckpt_path {
            trainer = trainer.ckpt_path(path);
        }
        let outcome: Result<(), Error> = trainer.fit(&mut slope, ());
        (outcome.is_ok(), slope.value())
    };
    for at_end in [false, true] {
        seed_everything(3);
        let whole = run(false, at_end, None);
        seed_everything(3);
        assert!(!run(true, at_end, None).0);
        let path = folder.path().join("kept.ckpt");
        std::fs::rename(OnExceptionCheckpoint::new(folder.path()).ckpt_path(), &path).unwrap();
        seed_everything(4);
        assert_eq!(run(false, at_end, Some(path)), whole, "at the epoch's end: {at_end}");
    }
}

#[test]
fn checkpoint_after_a_validation_has_the_seed_of_the_fit() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let slope = || Slope { shuffles: true, samples: 20, ..Slope::new() };
    seed_everything(1);
    let mut whole = slope();
    Trainer::new(config(2)).fit(&mut whole, ()).unwrap();
    seed_everything(1);
    let mut first = slope();
    let mut trainer = Trainer::new(config(1));
    trainer.fit(&mut first, ()).unwrap();
    seed_everything(2);
    trainer.validate(&mut first, ()).unwrap();
    let path = folder.path().join("validated.ckpt");
    trainer.save_checkpoint(&mut first, (), &path).unwrap();
    let mut second = slope();
    Trainer::new(config(2)).ckpt_path(&path).fit(&mut second, ()).unwrap();
    assert_eq!([first.seen, second.seen].concat(), whole.seen);
}

#[test]
fn parameters_frozen_by_a_hook_stay_frozen_between_epochs() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let slope = || Slope { frozen_from: Some(1), ..Slope::new() };
    let mut whole = slope();
    Trainer::new(config(3)).callback(saves(folder.path())).fit(&mut whole, ()).unwrap();
    // -(1 + 2 + 3 + 4)
    assert_eq!(whole.value(), -10.0);
    for batches in [3, 4, 5, 8, 9] {
        let mut resumed = slope();
        Trainer::new(config(3)).ckpt_path(after(folder.path(), batches)).fit(&mut resumed, ()).unwrap();
        assert_eq!(resumed.value(), -10.0, "after {batches} batches");
    }
}

#[test]
fn checkpoint_requested_before_the_resumed_one_is_restored_is_written_afterwards() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    Trainer::new(config(2)).callback(saves(folder.path())).fit(&mut Slope::new(), ()).unwrap();
    let path = folder.path().join("asked.ckpt");
    for config in [config(2), TrainerConfig { max_steps: Some(3), ..config(2) }] {
        let asked = path.clone();
        let asks = LambdaCallback::new().on_fit_start(move |ctx, _: &mut Slope| {
            ctx.save_checkpoint(SaveRequest::new(asked.clone()));
            Ok(())
        });
        let mut trainer = Trainer::new(config).callback(asks).ckpt_path(after(folder.path(), 3));
        trainer.fit(&mut Slope::new(), ()).unwrap();
        let mut resumed = Slope::new();
        Trainer::new(self::config(2)).ckpt_path(&path).fit(&mut resumed, ()).unwrap();
        assert_eq!((resumed.value(), resumed.seen), (-20.0, vec![4, 1, 2, 3, 4]));
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn accumulation_changed_within_an_epoch_steps_with_the_gradients_of_its_window() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = |after: Option<PathBuf>| {
        let mut slope = Slope { samples: 6, ..Slope::new() };
        let sets = LambdaCallback::new().on_train_batch_end(|ctx, _: &mut Slope, _, _, batch_idx| {
            if batch_idx == 1 { Ok(ctx.set_accumulate_grad_batches(3)?) } else { Ok(()) }
        });
        let mut trainer = Trainer::new(TrainerConfig { accumulate_grad_batches: 2, ..config(1) });
        trainer = trainer.callback(sets);
        trainer = match after {
            Some(path) => trainer.ckpt_path(path),
            None => trainer.callback(saves(folder.path())),
        };
        trainer.fit(&mut slope, ()).unwrap();
        slope.value()
    };
    // (1 + 2) / 2, then 3 / 3, as batches are counted from the epoch's beginning, then (4 + 5 + 6) / 3
    assert_eq!(run(None), -7.5);
    for batches in 1..6 {
        assert_eq!(run(Some(after(folder.path(), batches))), -7.5, "after {batches} batches");
    }
}

/// A [`Slope`] that zeroes its gradients every other batch.
struct Keeping(Slope, Rc<RefCell<Vec<f64>>>);

#[lightning_module]
impl Keeping {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(1.0)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.0.loader()
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        (&self.0.weight * batch).sum(Kind::Float)
    }

    fn optimizer_zero_grad(&mut self, ctx: &mut Context, batch_idx: usize, optimizer: OptimizerIndex) -> Result<()> {
        if batch_idx.is_multiple_of(2) { Ok(ctx.optimizer(optimizer).zero_grad()?) } else { Ok(()) }
    }

    fn on_train_batch_end(&self) {
        self.1.borrow_mut().push(self.0.value());
    }
}

#[test]
fn gradients_that_the_module_keeps_are_saved() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut whole = Keeping(Slope::new(), Rc::default());
    Trainer::new(config(1)).callback(saves(folder.path())).fit(&mut whole, ()).unwrap();
    // 1, then 1 + 2, then 3, then 3 + 4
    assert_eq!(*whole.1.borrow(), [-1.0, -4.0, -7.0, -14.0]);
    for batches in 1..4 {
        let mut resumed = Keeping(Slope::new(), Rc::default());
        Trainer::new(config(1)).ckpt_path(after(folder.path(), batches)).fit(&mut resumed, ()).unwrap();
        assert_eq!(resumed.0.value(), -14.0, "after {batches} batches");
    }
}
