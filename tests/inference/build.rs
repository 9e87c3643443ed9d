//! `build`, which returns the parts of a program instead of running it.

use crate::model::Model;
use tch_lightning::cli::Built;
use tch_lightning::module::NoDataModule;
use tch_lightning::prelude::*;

/// Returns what the program of `Model`, which has loaders of its own, builds from these arguments.
fn built(arguments: &[&str]) -> Built<Model, NoDataModule<Tensor>> {
    let quiet = [
        "--accelerator",
        "cpu",
        "--logger",
        "false",
        "--enable-progress-bar",
        "false",
        "--enable-model-summary",
        "false",
    ];
    let arguments = ["model"].into_iter().chain(quiet).chain(arguments.iter().copied());
    Model::program::<NoDataModule<_>>().arguments(arguments).build().unwrap()
}

#[test]
fn build_returns_the_trainer_and_the_module_of_the_flags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("built.ckpt");
    let Built { mut trainer, mut model, mut data, config, seed, hyper_parameters, ckpt_path, .. } =
        built(&["--max-epochs", "2", "--width", "6", "--seed-everything", "7", "--enable-checkpointing", "false"]);
    assert_eq!((config.max_epochs, seed, ckpt_path), (Some(2), 7, None));
    assert_eq!(hyper_parameters["model"], serde_json::json!({ "width": 6, "dropout": 0.5 }));
    trainer.fit(&mut model, &mut data).unwrap();
    assert_eq!((model.hparams.width, trainer.context().current_epoch()), (6, 2));
    trainer.save_checkpoint(&mut model, &mut data, &path).unwrap();

    let again = built(&["--ckpt-path", path.to_str().unwrap(), "--dropout", "0.25"]);
    assert_eq!((again.model.hparams.width, again.model.hparams.dropout), (6, 0.25));
    assert_eq!(again.ckpt_path, Some(path));
    let (mut trainer, mut model, mut data) = (again.trainer, again.model, again.data);
    assert_eq!(trainer.predict(&mut model, &mut data).unwrap().len(), 1);
    assert_eq!(trainer.context().ckpt_path(), again.ckpt_path.as_deref());
}
