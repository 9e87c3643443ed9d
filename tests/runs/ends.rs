//! When a run ends, and what is said of it.

use crate::model::{Line, fit, quiet, trainer};
use tch_lightning::prelude::*;
use tch_lightning::schedule::{Interval, LrSchedulerConfig};
use tch_lightning::{
    Loaders,
    callbacks::{EarlyStopping, LambdaCallback, StoppingReason},
    trainer::{BatchLimit, EndReason},
};

#[test]
fn stream_that_ends_before_the_limit_has_a_last_batch() {
    // 5 batches where 8 may be taken: windows of 2, 2 and 1 batches, and an epoch's end like any other
    let by_epoch = LrSchedulerConfig::from(StepLr::new(1).gamma(0.5)).interval(Interval::Epoch);
    let mut line = Line { batches: 5, is_stream: true, optimizer: Sgd::new(0.1).lr_scheduler(by_epoch), ..Line::new() };
    let config = TrainerConfig {
        limit_train_batches: BatchLimit::Batches(8),
        accumulate_grad_batches: 2,
        max_epochs: Some(1),
        ..quiet()
    };
    let mut trainer = trainer(config, &line);
    fit(&mut trainer, &mut line);
    assert_eq!(line.events.of("validation"), ["0 at 3"]);
    assert_eq!(trainer.context().global_step(), 3);
    assert!(trainer.context().is_last_batch());
    assert_eq!(trainer.context().optimizers()[0].lr(), 0.05);
}

#[test]
fn stream_is_not_read_beyond_the_limit() {
    let mut line = Line { batches: 5, is_stream: true, ..Line::new() };
    let config = TrainerConfig { limit_train_batches: BatchLimit::Batches(3), max_epochs: Some(1), ..quiet() };
    let mut trainer = trainer(config, &line);
    fit(&mut trainer, &mut line);
    assert_eq!(line.events.of("batch"), ["0 0 at 0", "0 1 at 1", "0 2 at 2"]);
    assert_eq!(line.events.of("validation"), ["0 at 3"]);
}

#[test]
fn run_without_a_batch_is_an_error() {
    let said = |line: Line, config: TrainerConfig| {
        let mut line = line;
        trainer(config, &line).fit(&mut line, ()).unwrap_err().to_string()
    };
    let check = "check that there is data, and with `drop_last`, that it fills one batch";
    let endless = || TrainerConfig { max_steps: Some(3), max_epochs: None, ..quiet() };
    assert_eq!(
        said(Line { batches: 0, is_stream: true, ..Line::new() }, endless()),
        format!("the loader of `train_dataloader` does not have a batch at epoch 0: {check}")
    );
    for config in [endless(), quiet()] {
        assert_eq!(
            said(Line { batches: 0, ..Line::new() }, config),
            format!("the loader of `train_dataloader` does not have a batch: {check}")
        );
    }
}

/// Never steps its optimizer.
struct Idle(nn::VarStore);

#[lightning_module(automatic_optimization = false)]
impl Idle {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0
    }

    fn training_step(&self, _batch: &Tensor) {}

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([4, 1], (Kind::Float, Device::Cpu)))?))
    }
}

#[test]
fn manual_optimization_that_never_steps_is_an_error() {
    let vs = nn::VarStore::new(Device::Cpu);
    let _weight = vs.root().zeros("weight", &[1]);
    let mut trainer = Trainer::new(TrainerConfig { max_steps: Some(3), max_epochs: None, ..quiet() });
    let said = trainer.fit(&mut Idle(vs), ()).unwrap_err().to_string();
    assert_eq!(
        said,
        "`max_steps` is 3, but no optimizer step was taken in 1000 batches, so the run would never end: step an optimizer, as \
         with `ctx.manual_step(self, 0)?` in manual optimization, or set `max_epochs`"
    );
}

#[test]
fn run_says_why_it_ended() {
    let ended = |config: TrainerConfig, callback: LambdaCallback<Line>| {
        let mut line = Line::new();
        let mut trainer = trainer(config, &line).callback(callback);
        fit(&mut trainer, &mut line)
    };
    assert_eq!(ended(quiet(), LambdaCallback::new()), EndReason::MaxEpochs(2));
    assert_eq!(ended(TrainerConfig { max_steps: Some(5), ..quiet() }, LambdaCallback::new()), EndReason::MaxSteps(5));
    let none = TrainerConfig { limit_train_batches: BatchLimit::Batches(0), ..quiet() };
    assert_eq!(ended(none, LambdaCallback::new()), EndReason::NoTrainingBatches);
    let stops = LambdaCallback::new().on_train_batch_end(|ctx, _: &mut Line, _, _, _| ctx.stop());
    assert_eq!(ended(quiet(), stops), EndReason::Stopped(None));
    let stops = LambdaCallback::new().on_train_batch_end(|ctx, _: &mut Line, _, _, batch_idx| {
        ctx.stop_because(format!("batch {batch_idx}"));
        ctx.stop_because("a later reason");
    });
    assert_eq!(ended(quiet(), stops), EndReason::Stopped(Some("batch 0".to_owned())));
}

#[test]
fn early_stopping_is_a_reason() {
    let mut line = Line { val_losses: vec![1.0, 2.0], ..Line::new() };
    let config = TrainerConfig { max_epochs: Some(9), ..quiet() };
    let mut trainer = trainer(config, &line).callback(EarlyStopping::new("val_loss").patience(2));
    let reason = fit(&mut trainer, &mut line);
    let said = "EarlyStopping: `val_loss` did not improve in 2 checks; its best was 1.0000";
    assert_eq!(reason, EndReason::Stopped(Some(said.to_owned())));
    let stopping = trainer.find_callback::<EarlyStopping>().unwrap();
    assert_eq!(stopping.stopping_reason(), Some(StoppingReason::PatienceExhausted));
}

/// Skips every epoch at its first batch.
struct Skipping(nn::VarStore);

#[lightning_module]
impl Skipping {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0
    }

    fn on_train_batch_start(&self) -> Flow {
        Flow::SkipEpoch
    }

    fn training_step(&self, _batch: &Tensor) -> Option<Tensor> {
        None
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([4, 1], (Kind::Float, Device::Cpu)))?))
    }
}

#[test]
fn epochs_that_are_skipped_end_the_run() {
    let vs = nn::VarStore::new(Device::Cpu);
    let _weight = vs.root().zeros("weight", &[1]);
    let mut trainer = Trainer::new(TrainerConfig { max_steps: Some(3), max_epochs: None, ..quiet() });
    let said = trainer.fit(&mut Skipping(vs), ()).unwrap_err().to_string();
    assert!(said.starts_with("`max_steps` is 3, but no optimizer step was taken in 1000 batches"), "{said}");
}

#[test]
fn batches_of_no_sample_are_refused() {
    let loader = || DataLoader::new(TensorDataset::new(Tensor::ones([3, 1], (Kind::Float, Device::Cpu))).unwrap());
    let mut line = Line::new();
    let error = trainer(quiet(), &line).fit(&mut line, Loaders::train(loader().batch_size(0))).unwrap_err();
    assert!(error.to_string().ends_with("the batch_size of a DataLoader must be at least 1, but it is 0"), "{error}");
    let data = Loaders::evaluation(loader().batch_size(0));
    let error = trainer(quiet(), &line).validate(&mut line, data).unwrap_err();
    assert!(error.to_string().ends_with("the batch_size of a DataLoader must be at least 1, but it is 0"), "{error}");
}
