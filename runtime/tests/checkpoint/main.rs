//! Checkpoint files: they are read as they were written, damaged and foreign files are refused in one sentence, and a full disk
//! destroys nothing.

mod damaged;
mod foreign;
mod full_disk;
mod layout_1;
mod model;
mod places;
mod properties;
mod weights;

use std::path::Path;
use tch_lightning::prelude::*;

/// Returns a checkpoint with a non-contiguous tensor, a scalar, and values of a hook.
fn checkpoint() -> Checkpoint {
    let mut checkpoint = Checkpoint::default();
    checkpoint.metadata.epoch = 3;
    checkpoint.insert("seen", vec![1, 2]).unwrap();
    checkpoint.tensors.insert("module.weight".to_owned(), Tensor::from_slice2(&[[1.0f32, 2.0], [3.0, 4.0]]).tr());
    checkpoint.tensors.insert("module.steps".to_owned(), Tensor::from(7i64));
    checkpoint
}

/// Returns the error for a file of these bytes, named FILE. Verifying returns the same error as reading, unless it concerns tensors.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.ckpt");
    std::fs::write(&path, bytes).unwrap();
    let said = said_of(&path);
    if let Err(error) = Checkpoint::verify(&path) {
        assert_eq!(error.to_string().replace(&path.display().to_string(), "FILE"), said);
    }
    let in_memory = Checkpoint::from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(in_memory.replace("in memory", "FILE"), said);
    said
}

/// Returns the error of reading `path`, named FILE.
fn said_of(path: &Path) -> String {
    Checkpoint::read(path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE")
}

#[test]
fn checkpoint_is_read_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/one.ckpt");
    checkpoint().write(&path).unwrap();
    Checkpoint::verify(&path).unwrap();
    let read = Checkpoint::read(&path).unwrap();
    assert_eq!((read.metadata.epoch, read.metadata.layout), (3, 2));
    assert_eq!(read.get::<Vec<i32>>("seen").unwrap(), Some(vec![1, 2]));
    assert_eq!(read.tensors["module.weight"], Tensor::from_slice2(&[[1.0f32, 3.0], [2.0, 4.0]]));
    assert_eq!(read.tensors["module.steps"], Tensor::from(7i64));
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing but the checkpoint is left");
    assert_eq!(
        std::fs::read(&path).unwrap(),
        checkpoint().to_bytes().unwrap(),
        "the same checkpoint gives the same bytes"
    );
}
