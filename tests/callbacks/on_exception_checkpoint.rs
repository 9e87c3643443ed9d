use crate::model::{Line, assert_values, config};
use crate::table::table;
use tch_lightning::prelude::*;
use tch_lightning::{LambdaCallback, OnExceptionCheckpoint};

fn line() -> Line {
    Line::new(Sgd::new(0.1))
}

#[test]
fn a_run_that_fails_leaves_what_lightnings_leaves() {
    let expected = table().on_exception_checkpoint;
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path());
    let fail = LambdaCallback::new().on_train_batch_end(|ctx, _: &mut Line, _, _, batch_idx| {
        if (ctx.current_epoch(), batch_idx) == (1, 2) { bail!("no more") } else { Ok(()) }
    });
    // before the one that fails, and yet called after it
    let mut trainer = Trainer::new(config()).callback(save.clone()).callback(fail);
    trainer.fit(&mut line(), ()).unwrap_err();
    let saved = Checkpoint::read(&save.ckpt_path()).unwrap();
    assert_eq!((saved.metadata.epoch, saved.metadata.global_step), (expected.epoch, expected.step));
    let mut restored = line();
    Trainer::new(config()).ckpt_path(save.ckpt_path()).validate(&mut restored, ()).unwrap();
    assert_values(&mut restored, &expected.model);

    Trainer::new(config()).callback(save.clone()).fit(&mut line(), ()).unwrap();
    assert_eq!(save.ckpt_path().exists(), expected.is_kept);
}

#[test]
fn a_file_needs_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path()).filename("");
    let error = Trainer::new(config()).callback(save).fit(&mut line(), ()).unwrap_err();
    assert_eq!(error.to_string(), "OnExceptionCheckpoint: `filename` is empty, and the file needs a name");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is saved under no name");
}
