use crate::model::{Line, Rows, assert_values, config};
use crate::table::table;
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::callbacks::GradientAccumulationScheduler;
use tch_lightning::prelude::*;

/// The steps so far, after each epoch.
#[derive(Clone, Default)]
struct Steps(Rc<RefCell<Vec<usize>>>);

#[lightning_callback]
impl Steps {
    fn on_train_epoch_end(&self, ctx: &mut Context) {
        self.0.borrow_mut().push(ctx.global_step());
    }
}

fn refused(config: TrainerConfig, accumulation: GradientAccumulationScheduler) -> String {
    let mut trainer = Trainer::new(config).callback(accumulation);
    trainer.fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap_err().to_string()
}

#[test]
fn optimizer_steps_where_lightnings_does() {
    for case in table().gradient_accumulation_scheduler {
        let (steps, mut line) = (Steps::default(), Line::new(Sgd::new(0.1)));
        let accumulation = GradientAccumulationScheduler::new(case.scheduling.clone());
        let mut trainer = Trainer::new(config()).callback(accumulation).callback(steps.clone());
        trainer.fit(&mut line, ()).unwrap();
        assert_eq!(*steps.0.borrow(), case.steps, "{case:?}");
        assert_values(&mut line, &case.model);
        assert_eq!(trainer.context().config().accumulate_grad_batches, 1);
        // so that the trainer can be used again
        trainer.fit(&mut line, ()).unwrap();
        assert_eq!(steps.0.borrow()[3..], case.steps);
    }
}

#[test]
fn run_that_is_resumed_within_an_epoch_keeps_its_accumulation() {
    struct SaveAt(std::path::PathBuf);

    #[lightning_callback]
    impl SaveAt {
        fn on_train_batch_end(&self, ctx: &mut Context, batch_idx: usize) {
            if ctx.current_epoch() == 1 && batch_idx == 1 {
                ctx.save_checkpoint(tch_lightning::checkpoint::SaveRequest::new(&self.0));
            }
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mid.ckpt");
    let accumulation = || GradientAccumulationScheduler::new([(1, 2), (2, 4)]);
    let mut whole = Line::new(Sgd::new(0.1));
    let mut trainer = Trainer::new(config()).callback(accumulation()).callback(SaveAt(path.clone()));
    trainer.fit(&mut whole, ()).unwrap();
    let mut resumed = Line::new(Sgd::new(0.1));
    let mut trainer = Trainer::new(config()).callback(accumulation()).ckpt_path(&path);
    trainer.fit(&mut resumed, ()).unwrap();
    assert_eq!(trainer.context().global_step(), 4 + 2 + 1);
    assert_eq!(resumed.layer.ws, whole.layer.ws);
}

#[test]
fn invalid_settings_are_refused() {
    let accumulating = TrainerConfig { accumulate_grad_batches: 2, ..config() };
    let told = [
        refused(config(), GradientAccumulationScheduler::new([])),
        refused(config(), GradientAccumulationScheduler::new([(0, 0)])),
        refused(accumulating, GradientAccumulationScheduler::new([(0, 4)])),
    ];
    let expected = [
        "GradientAccumulationScheduler: `scheduling` must contain at least one epoch",
        "GradientAccumulationScheduler: the number of batches must be at least 1, but it is 0",
        "GradientAccumulationScheduler: the trainer's `accumulate_grad_batches` must be 1: remove it, or this callback",
    ];
    assert_eq!(told, expected);
}

#[test]
fn module_that_optimizes_manually_accumulates_by_itself() {
    struct Manual(nn::VarStore);

    #[lightning_module(automatic_optimization = false)]
    impl Manual {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.0
        }

        fn training_step(&self, _batch: &Rows) {}

        fn configure_optimizers(&self) -> Sgd {
            Sgd::new(0.1)
        }
    }

    let rows = TensorDataset::new((Tensor::zeros([2, 4], (Kind::Float, Device::Cpu)), Tensor::from_slice(&[0i64, 0])));
    let loader = DataLoader::new(rows.unwrap());
    let mut trainer = Trainer::new(config()).callback(GradientAccumulationScheduler::new([(0, 2)]));
    let vs = nn::VarStore::new(Device::Cpu);
    let error = trainer.fit(&mut Manual(vs), tch_lightning::Loaders::train(loader)).unwrap_err();
    let said =
        "GradientAccumulationScheduler: this module uses manual optimization: accumulate gradients in `training_step`";
    assert_eq!(error.to_string(), said);
}
