//! Several runs of one trainer: nothing of a run is left in the next one, unless it resumes.

use crate::model::{Line, files, fit, quiet, trainer};
use tch_lightning::prelude::*;
use tch_lightning::{
    callbacks::{EarlyStopping, LambdaCallback, ModelCheckpoint, OnExceptionCheckpoint},
    loggers::{LoggedAt, Logger, Record, RunStatus},
    trainer::Metrics,
};

#[test]
fn folds_write_their_own_checkpoints_and_log() {
    let folder = tempfile::tempdir().unwrap();
    let config = TrainerConfig {
        default_root_dir: folder.path().to_owned(),
        enable_checkpointing: true,
        logger: true.into(),
        log_every_n_steps: 1,
        ..quiet()
    };
    let mut trainer = Trainer::new(config);
    for fold in 0..3 {
        fit(&mut trainer, &mut Line::new());
        let run = folder.path().join(format!("lightning_logs/version_{fold}"));
        assert_eq!(trainer.context().made_log_dir(), Some(run.as_path()));
        assert_eq!(files(&run.join("checkpoints")), ["epoch=1-step=8.ckpt"]);
        let best = trainer.find_callback::<ModelCheckpoint>().unwrap().best_model_path();
        assert_eq!(best, Some(run.join("checkpoints/epoch=1-step=8.ckpt").as_path()));
        // the header, the rows of 8 steps, and those of 2 validations
        let rows = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
        assert_eq!(rows.lines().count(), 1 + 8 + 2, "{rows}");
    }
}

#[test]
fn early_stopping_starts_again_in_the_next_fit() {
    let mut trainer = Trainer::new(TrainerConfig { max_epochs: Some(9), ..quiet() })
        .callback(EarlyStopping::new("val_loss").patience(2));
    for _ in 0..2 {
        let mut line = Line { val_losses: vec![0.5, 2.0], ..Line::new() };
        fit(&mut trainer, &mut line);
        assert_eq!(trainer.context().current_epoch(), 3);
    }
}

#[test]
fn settings_of_a_hook_are_limited_to_the_run() {
    let accumulates = LambdaCallback::new().on_train_epoch_start(|ctx, line: &mut Line| {
        if line.batches == 4 { Ok(ctx.set_accumulate_grad_batches(2)?) } else { Ok(()) }
    });
    let mut trainer = Trainer::new(quiet()).callback(accumulates);
    fit(&mut trainer, &mut Line::new());
    assert_eq!(trainer.context().global_step(), 4);
    fit(&mut trainer, &mut Line { batches: 3, ..Line::new() });
    assert_eq!(trainer.context().global_step(), 6);
}

/// Two validation loaders, of which the second fails at first.
struct TwoLoaders {
    vs: nn::VarStore,
    fails: bool,
}

#[lightning_module]
impl TwoLoaders {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn val_dataloader(&self) -> Result<Vec<DataLoader<Tensor>>> {
        let ones = Tensor::ones([1, 1], (Kind::Float, Device::Cpu));
        let loader = || -> Result<_> { Ok(DataLoader::new(TensorDataset::new(ones.shallow_clone())?)) };
        if self.fails { Ok(vec![loader()?, loader()?]) } else { Ok(vec![loader()?]) }
    }

    fn validation_step(&self, ctx: &mut Context, _batch: &Tensor, dataloader_idx: usize) -> Result<()> {
        if self.fails && dataloader_idx == 1 {
            bail!("no more");
        }
        ctx.log("val_loss", 1.0);
        Ok(())
    }
}

#[test]
fn failed_validation_leaves_no_loader_in_the_names_of_the_next() {
    let mut module = TwoLoaders { vs: nn::VarStore::new(Device::Cpu), fails: true };
    let mut trainer = Trainer::new(quiet());
    trainer.validate(&mut module, ()).unwrap_err();
    module.fails = false;
    assert_eq!(trainer.validate(&mut module, ()).unwrap(), Metrics::from([("val_loss", 1.0)]));
}

/// Two layers with an optimizer each, of which a failure finds one toggled off.
struct Toggling {
    vs: nn::VarStore,
    layers: [nn::Linear; 2],
    fails: bool,
}

#[lightning_module(automatic_optimization = false)]
impl Toggling {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> Optimizers {
        (Sgd::new(0.1).over("one.**"), Sgd::new(0.1).over("two.**")).into()
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([1, 1], (Kind::Float, Device::Cpu)))?))
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        for optimizer in 0..2 {
            ctx.toggle_optimizer(optimizer);
            if self.fails {
                bail!("no more");
            }
            let loss = self.layers.iter().map(|layer| layer.forward(batch)).sum::<Tensor>().sum(Kind::Float);
            ctx.manual_backward(self, &loss)?;
            ctx.manual_step(self, optimizer)?;
            ctx.untoggle_optimizer();
        }
        Ok(())
    }
}

#[test]
fn failure_leaves_no_parameter_toggled_off() {
    let vs = nn::VarStore::new(Device::Cpu);
    let layers = ["one", "two"].map(|name| nn::linear(vs.root() / name, 1, 1, nn::LinearConfig::default()));
    let mut module = Toggling { vs, layers, fails: true };
    let mut trainer = Trainer::new(TrainerConfig { max_epochs: Some(1), ..quiet() });
    trainer.fit(&mut module, ()).unwrap_err();
    assert!(module.vs.trainable_variables().iter().all(Tensor::requires_grad));
    module.fails = false;
    let before = module.layers[1].ws.double_value(&[0, 0]);
    trainer.fit(&mut module, ()).unwrap();
    // the gradient of a sum of outputs at an input of 1 is 1
    assert!((before - 0.1 - module.layers[1].ws.double_value(&[0, 0])).abs() < 1e-6);
}

/// A logger that is broken when it is needed most.
struct Broken;

impl Logger for Broken {
    fn log(&mut self, _: &Record<'_>, _: &LoggedAt) -> anyhow::Result<()> {
        Ok(())
    }

    fn finalize(&mut self, _: RunStatus) -> anyhow::Result<()> {
        panic!("the logger is broken")
    }
}

#[test]
fn logger_that_panics_does_not_hide_the_runs_error() {
    let mut line = Line { fails_at: Some((0, 1)), ..Line::new() };
    let said = trainer(quiet(), &line).logger(Broken).fit(&mut line, ()).unwrap_err().to_string();
    assert_eq!(said, "`training_step` failed in `fit` at epoch 0, batch 1: no more");
    // where the run ends well, the panic is its error
    let mut line = Line::new();
    let said = trainer(quiet(), &line).logger(Broken).fit(&mut line, ()).unwrap_err().to_string();
    assert!(said.contains("the logger is broken"), "{said}");
}

#[test]
fn test_after_a_fit_has_its_epoch_and_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut line = Line { optimizer: Adam::new(0.1).into_optimizer(), ..Line::new() };
    let mut trainer = trainer(quiet(), &line);
    fit(&mut trainer, &mut line);
    trainer.test(&mut line, ()).unwrap();
    assert_eq!(line.events.of("test"), ["2 at 8"; 2]);
    // what the fit has trained can still be saved, and resumed
    let path = folder.path().join("after.ckpt");
    trainer.save_checkpoint(&mut line, (), &path).unwrap();
    let mut resumed = Trainer::new(TrainerConfig { max_epochs: Some(3), ..quiet() }).ckpt_path(&path);
    fit(&mut resumed, &mut Line { optimizer: Adam::new(0.1).into_optimizer(), ..Line::new() });
    assert_eq!(resumed.context().global_step(), 12);
}

#[test]
fn resume_that_fails_early_leaves_the_checkpoint_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let saves = OnExceptionCheckpoint::new(folder.path());
    let mut line = Line { fails_at: Some((1, 2)), ..Line::new() };
    trainer(quiet(), &line).callback(saves.clone()).fit(&mut line, ()).unwrap_err();
    let before = std::fs::read(saves.ckpt_path()).unwrap();
    let failing: [LambdaCallback<Line>; 3] = [
        LambdaCallback::new().setup(|_, _, _| -> Result<()> { bail!("no setup") }),
        LambdaCallback::new().on_fit_start(|_, _| -> Result<()> { bail!("no start") }),
        LambdaCallback::new().on_train_start(|_, _| -> Result<()> { bail!("no training") }),
    ];
    for callback in failing {
        let mut line = Line::new();
        let resumed = trainer(quiet(), &line).callback(callback).callback(saves.clone());
        resumed.ckpt_path(saves.ckpt_path()).fit(&mut line, ()).unwrap_err();
        assert!(std::fs::read(saves.ckpt_path()).unwrap() == before);
    }
    // neither do the other verbs touch it
    trainer(quiet(), &line).callback(saves.clone()).validate(&mut line, ()).unwrap();
    assert!(std::fs::read(saves.ckpt_path()).unwrap() == before);
    let mut line = Line::new();
    let mut resumed = trainer(quiet(), &line).ckpt_path(saves.ckpt_path());
    fit(&mut resumed, &mut line);
    assert_eq!(line.events.of("batch"), ["1 2 at 6", "1 3 at 7"]);
}
