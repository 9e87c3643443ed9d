//! Which callbacks a run has, and in which order.

use crate::model::{Line, every, file, files, fit, quiet};
use serde_json::{Value, json};
use tch_lightning::prelude::*;
use tch_lightning::{
    Every,
    callbacks::{EarlyStopping, LambdaCallback, ModelCheckpoint, MonitorMode, SaveLast},
};

#[test]
fn module_checkpoint_callbacks_replace_the_trainers() {
    let root = tempfile::tempdir().unwrap();
    let own = root.path().join("own");
    let folder = own.clone();
    let mut line = Line::new().configured(move || vec![Box::new(every(&folder, Every::Epochs(1)))]);
    let config = TrainerConfig {
        default_root_dir: root.path().to_owned(),
        enable_checkpointing: true,
        logger: true.into(),
        ..quiet()
    };
    let mut trainer = Trainer::new(config);
    fit(&mut trainer, &mut line);
    assert_eq!(files(&own), ["epoch=0-step=4.ckpt", "epoch=1-step=8.ckpt"]);
    assert!(!root.path().join("lightning_logs/version_0/checkpoints").exists());
    let best = trainer.find_callback::<ModelCheckpoint>().unwrap().best_model_path();
    assert_eq!(best, Some(file(&own, 1, 8).as_path()));
    // the trainer's own is there again for a module that configures none
    let mut line = Line::new();
    fit(&mut trainer, &mut line);
    assert_eq!(files(&root.path().join("lightning_logs/version_1/checkpoints")), ["epoch=1-step=8.ckpt"]);
}

#[test]
fn callback_after_a_modules_checkpoints_is_saved_as_it_is() {
    // the first loss is the best: with a patience of 3, training ends after 4 epochs, whenever it is resumed
    for by_module in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let new = |folder: std::path::PathBuf| {
            let line = Line { val_losses: vec![1.0, 2.0], ..Line::new() };
            let callbacks = move || -> Vec<Box<dyn Callback<Line>>> {
                let stopping = EarlyStopping::new("val_loss").patience(3);
                vec![Box::new(every(&folder, Every::Epochs(1))), Box::new(stopping)]
            };
            let trainer = Trainer::new(TrainerConfig { max_epochs: Some(9), ..quiet() });
            if by_module { (trainer, line.configured(callbacks)) } else { (trainer.callbacks(callbacks()), line) }
        };
        let (mut trainer, mut line) = new(folder.path().join("whole"));
        fit(&mut trainer, &mut line);
        assert_eq!(trainer.context().current_epoch(), 4);
        for epoch in 0..3 {
            let (trainer, mut line) = new(folder.path().join(format!("resumed-{epoch}")));
            line.validations = epoch + 1;
            let mut trainer = trainer.ckpt_path(file(&folder.path().join("whole"), epoch, 4 * (epoch + 1)));
            fit(&mut trainer, &mut line);
            assert_eq!(trainer.context().current_epoch(), 4, "by the module: {by_module}, after epoch {epoch}");
        }
    }
}

#[test]
fn checkpoint_callbacks_of_one_metric_keep_a_state_each() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    let best =
        |dirpath: &std::path::Path| ModelCheckpoint::new().dirpath(dirpath).monitor("val_loss").filename("{epoch}");
    let trainer = |max_epochs| {
        Trainer::new(TrainerConfig { max_epochs: Some(max_epochs), ..quiet() })
            .callback(best(&one))
            .callback(best(&two).save_top_k(2))
    };
    let losses = vec![2.0, 1.0, 3.0];
    let mut line = Line { val_losses: losses.clone(), ..Line::new() };
    fit(&mut trainer(2), &mut line);
    assert_eq!((files(&one).len(), files(&two).len()), (1, 2));
    let mut line = Line { val_losses: losses, validations: 2, ..Line::new() };
    let mut trainer = trainer(3).ckpt_path(two.join("epoch=1.ckpt"));
    fit(&mut trainer, &mut line);
    // the third epoch is the worst, so that neither folder changes
    assert_eq!(files(&one), ["epoch=1.ckpt"]);
    assert_eq!(files(&two), ["epoch=0.ckpt", "epoch=1.ckpt"]);
    assert_eq!(trainer.find_callback::<ModelCheckpoint>().unwrap().best_model_score(), Some(1.0));
}

/// A callback of one type and key with others that keeps a number.
struct Counter(u64);

#[lightning_callback]
impl Counter {
    fn state_dict(&self) -> Value {
        json!(self.0)
    }

    fn load_state_dict(&mut self, state_dict: &Value) {
        self.0 = state_dict.as_u64().unwrap();
    }
}

#[test]
fn states_that_cannot_be_told_apart_are_refused_at_the_start() {
    let mut line = Line::new();
    let mut trainer = Trainer::new(quiet()).callback(Counter(1)).callback(Counter(2));
    let said = trainer.fit(&mut line, ()).unwrap_err().to_string();
    assert!(said.starts_with("two callbacks have the same state key `"), "{said}");
    assert!(said.ends_with("remove one of them, or override `state_key` or `instance_key`"), "{said}");
    assert_eq!(line.events.all().len(), 0, "nothing was trained");
    // the same twice, by mistake
    let stopping = || EarlyStopping::new("val_loss").mode(MonitorMode::Max);
    let said = Trainer::new(quiet()).callback(stopping()).callback(stopping()).fit(&mut line, ()).unwrap_err();
    assert!(said.to_string().contains("the same state key `EarlyStopping(val_loss, max)`"), "{said}");
}

#[test]
fn failed_evaluation_writes_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let save = || ModelCheckpoint::new().dirpath(folder.path()).save_on_exception(true).save_last(SaveLast::Copy);
    let mut line = Line::new();
    let fails = || {
        LambdaCallback::new()
            .on_validation_start(|_, _: &mut Line| bail!("no more"))
            .on_test_start(|_, _: &mut Line| bail!("no more"))
    };
    let mut trainer = crate::model::trainer(quiet(), &line).callback(save()).callback(fails());
    assert!(trainer.validate(&mut line, ()).is_err() && trainer.test(&mut line, ()).is_err());
    assert!(files(folder.path()).is_empty());
}
