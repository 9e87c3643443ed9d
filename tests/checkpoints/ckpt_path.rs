//! `trainer.ckpt_path("best")` and `"last"` in the process that trained.

use crate::model::{Counting, best, config, trained};
use std::path::Path;
use tch_lightning::prelude::*;
use tch_lightning::{callbacks::ModelCheckpoint, trainer::CkptPath};

#[test]
fn best_and_last_are_those_of_the_trainers_own_fit() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = || best(folder.path(), "val_loss").save_last(true);
    let begin = |path: &str| {
        let mut trainer = trained(checkpoint(), config(3), &[3.0, 1.0, 2.0], None).unwrap().ckpt_path(path);
        trainer.validate(&mut Counting::new(&[0.5]), ()).unwrap();
        trainer.context().ckpt_path().unwrap().to_owned()
    };
    assert_eq!(begin("best"), folder.path().join("epoch=1-step=4.ckpt"));
    let last = begin("last");
    assert!(last.file_name().unwrap().to_str().unwrap().starts_with("last"), "{}", last.display());
}

#[test]
fn resolve_finds_the_best_and_the_last_checkpoint_of_the_newest_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = TrainerConfig { logger: true.into(), default_root_dir: folder.path().into(), ..config(3) };
    let error = CkptPath::Best.resolve(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("there is no checkpoint in "), "{error}");
    for (version, weights_only) in [false, true].into_iter().enumerate() {
        let checkpoint = ModelCheckpoint::new().monitor("val_loss").save_top_k(-1).save_weights_only(weights_only);
        trained(checkpoint, config.clone(), &[3.0, 1.0, 2.0], None).unwrap();
        let checkpoints = folder.path().join(format!("lightning_logs/version_{version}/checkpoints"));
        assert_eq!(CkptPath::Best.resolve(folder.path()).unwrap(), checkpoints.join("epoch=1-step=4.ckpt"));
        assert_eq!(CkptPath::Last.resolve(folder.path()).unwrap(), checkpoints.join("epoch=2-step=6.ckpt"));
    }
}

#[test]
fn weights_without_a_path_are_those_of_the_module() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = trained(best(folder.path(), "val_loss"), config(2), &[1.0, 2.0], None).unwrap();
    trainer.validate(&mut Counting::new(&[0.5]), ()).unwrap();
    assert_eq!(trainer.context().ckpt_path(), None);
}

#[test]
fn best_of_a_fit_without_a_checkpoint_is_refused() {
    let config = TrainerConfig { enable_checkpointing: false, ..config(1) };
    let mut trainer = Trainer::new(config);
    trainer.fit(&mut Counting::new(&[1.0]), ()).unwrap();
    let error = trainer.ckpt_path("best").validate(&mut Counting::new(&[1.0]), ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the best checkpoint is unknown: the last `fit` did not have a `ModelCheckpoint`; add one that monitors a metric"
    );
}

#[test]
fn texts_and_paths_are_checkpoint_paths() {
    assert_eq!(CkptPath::from("last"), CkptPath::Last);
    assert_eq!(CkptPath::from(Path::new("last")), CkptPath::Path("last".into()));
    assert_eq!(CkptPath::from("./best"), CkptPath::Path("./best".into()));
    assert_eq!("a.ckpt".parse(), Ok(CkptPath::Path("a.ckpt".into())));
    let written = [CkptPath::Best, CkptPath::Last, CkptPath::from("a/b.ckpt")].map(|path| path.to_string());
    assert_eq!(written, ["best", "last", "a/b.ckpt"]);
}

#[test]
fn folder_in_the_home_directory_is_expanded() {
    let home = tempfile::tempdir_in(std::env::home_dir().unwrap()).unwrap();
    let below = Path::new("~").join(home.path().file_name().unwrap());
    let mut trainer = trained(ModelCheckpoint::new().dirpath(below.join("kept")), config(1), &[1.0], None).unwrap();
    let path = home.path().join("kept/epoch=0-step=2.ckpt");
    assert!(path.exists());
    trainer = trainer.ckpt_path(below.join("kept/epoch=0-step=2.ckpt"));
    trainer.validate(&mut Counting::new(&[1.0]), ()).unwrap();
    assert_eq!(trainer.context().ckpt_path(), Some(path.as_path()));
}
