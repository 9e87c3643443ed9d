//! Names with values in them.

use crate::model::{best, config, files, trained};

/// The file that a run of one epoch and two steps leaves.
fn name_of(filename: &str, val_loss: f64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = best(folder.path(), "val_loss").filename(filename);
    trained(checkpoint, config(1), &[val_loss], None).unwrap();
    files(folder.path()).join(" ")
}

/// The texts are Python's `format` of these numbers.
#[test]
fn values_are_written_as_by_python() {
    assert_eq!(name_of("{val_loss:.2%}", 2.605428099632263), "val_loss=260.54%.ckpt");
    assert_eq!(name_of("{epoch:>4}-{step:#06x}", 1.0), "epoch=   0-step=0x0002.ckpt");
    assert_eq!(name_of("{val_loss:+012,.3f}", 1234.5), "val_loss=+001,234.500.ckpt");
    assert_eq!(name_of("{val_loss:.3g}-{val_loss:E}", 0.00012), "val_loss=0.00012-val_loss=1.200000E-04.ckpt");
    assert_eq!(name_of("{val_loss:z.0f}-{val_loss}", -0.25), "val_loss=0-val_loss=-0.25.ckpt");
    assert_eq!(name_of("{epoch:.1f}-{missing}", 0.25), "epoch=0.0-missing=0.ckpt");
}

#[test]
fn name_that_cannot_exist_is_refused_before_the_run() {
    for (filename, what) in [
        ("{val_loss:.2q}", "has `{val_loss:.2q}`, whose format ends with `q`, which is not a type of number"),
        (
            "{epoch:01000000000}",
            "has `{epoch:01000000000}`, whose format has the width 1000000000: the name of a file can have at most 255 bytes",
        ),
        ("{val_loss", "has an unmatched `{`: a name cannot contain braces"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = best(&folder.path().join("checkpoints"), "val_loss").filename(filename);
        let error = trained(checkpoint, config(1), &[1.0], None).err().unwrap().to_string();
        let sentence = format!("the `filename` of ModelCheckpoint, `{filename}`, {what}");
        assert!(error.ends_with(&sentence), "{error}");
        assert!(!error.contains("epoch 0"), "{error}");
        assert!(files(folder.path()).is_empty());
    }
}
