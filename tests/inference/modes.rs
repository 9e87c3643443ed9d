//! The mode of the layers: training or evaluation.

use crate::model::{Hparams, Model, inputs, quiet, trained};
use tch_lightning::RunningStage;
use tch_lightning::prelude::*;

#[test]
fn is_training_is_true_only_in_training_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (model, _) = trained(folder.path());
    let stages: Vec<RunningStage> = model.seen.iter().map(|(stage, ..)| *stage).collect();
    let (check, train, validate) = (RunningStage::SanityChecking, RunningStage::Training, RunningStage::Validating);
    assert_eq!(stages, [check, check, train, validate, validate, train, validate, validate]);
    assert!(model.seen.iter().all(|(stage, is_training, _)| *is_training == (*stage == train)));
    assert!(!is_training());
    // the same weights give the same outputs in validation
    for pair in [[0, 1], [3, 4], [6, 7]] {
        assert_eq!(model.seen[pair[0]].2, model.seen[pair[1]].2);
    }
}

#[test]
fn dropout_is_active_only_in_training() {
    let mut model = Model::new(Hparams { width: 16, dropout: 0.5 }).unwrap();
    let config = TrainerConfig { limit_val_batches: 0.0.into(), ..quiet() };
    // with a learning rate of 0, what differs is the dropout
    model.lr = 0.0;
    Trainer::new(config).fit(&mut model, ()).unwrap();
    assert_eq!(model.seen.len(), 2);
    assert_ne!(model.seen[0].2, model.seen[1].2);
}

/// A module that records the mode in its hooks. `set` is what each hook sets it to.
struct Modes {
    vs: nn::VarStore,
    layer: nn::Linear,
    set: fn(&str) -> Option<bool>,
    seen: Vec<(&'static str, bool)>,
}

impl Modes {
    /// Returns the modes of a `fit` over two epochs, after its sanity check.
    fn of_fit(set: fn(&str) -> Option<bool>) -> Vec<(&'static str, bool)> {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 3, 1, nn::LinearConfig::default());
        let mut modes = Self { vs, layer, set, seen: Vec::new() };
        Trainer::new(TrainerConfig { num_sanity_val_steps: 0, ..quiet() }).fit(&mut modes, ()).unwrap();
        modes.seen
    }

    fn see(&mut self, hook: &'static str, ctx: &mut tch_lightning::RunContext) {
        self.seen.push((hook, ctx.is_training()));
        if let Some(is_training) = (self.set)(hook) {
            ctx.set_training(is_training);
        }
    }
}

#[lightning_module]
impl Modes {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_start(&mut self, ctx: &mut Context) {
        self.see("train start", ctx);
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        self.see("train", ctx);
        self.layer.forward(batch).square().mean(Kind::Float)
    }

    fn on_validation_model_eval(&mut self, ctx: &mut Context) {
        self.see("eval", ctx);
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        assert_eq!(batch.size()[1], 3);
        self.see("validate", ctx);
    }

    fn on_validation_model_train(&mut self, ctx: &mut Context) {
        self.see("train again", ctx);
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(inputs())?).batch_size(8))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }
}

// Lightning captures the mode before a validation and restores it after it, unless `on_validation_model_train` is overridden.
#[test]
fn set_training_holds_until_the_next_validation_and_after_it() {
    let modes = |[start, train, validate, again, second]: [bool; 5]| {
        let epoch = |train, validate, again| {
            [("train", train), ("eval", false), ("validate", validate), ("train again", again)]
        };
        [vec![("train start", start)], epoch(train, validate, again).to_vec(), epoch(second, validate, again).to_vec()]
            .concat()
    };
    assert_eq!(Modes::of_fit(|_| None), modes([true, true, false, true, true]));
    assert_eq!(Modes::of_fit(|hook| (hook == "eval").then_some(true)), modes([true, true, true, true, true]));
    assert_eq!(
        Modes::of_fit(|hook| (hook == "train start").then_some(false)),
        modes([true, false, false, false, false])
    );
    let frozen = Modes::of_fit(|hook| (hook == "train again").then_some(false));
    // the second validation begins, and ends, in the mode that the first one left
    let mut expected = modes([true, true, false, true, false]);
    expected.last_mut().unwrap().1 = false;
    assert_eq!(frozen, expected);
    assert!(!is_training());
}
