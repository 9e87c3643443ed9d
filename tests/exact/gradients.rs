//! Gradients: frozen parameters, accumulation, and gradients that the module keeps.

use crate::slope::{Slope, after, alone, config, saves};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use tch_lightning::callbacks::LambdaCallback;
use tch_lightning::prelude::*;

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
