//! Checkpoints on disk.

use super::{Checkpoint, CheckpointError, LAYOUT, Metadata};
use crate::whole_file;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// The key of the metadata in the header.
const METADATA: &str = "tch_lightning";

const DTYPES: [(Kind, Dtype); 10] = [
    (Kind::Float, Dtype::F32),
    (Kind::Double, Dtype::F64),
    (Kind::Half, Dtype::F16),
    (Kind::BFloat16, Dtype::BF16),
    (Kind::Int64, Dtype::I64),
    (Kind::Int, Dtype::I32),
    (Kind::Int16, Dtype::I16),
    (Kind::Int8, Dtype::I8),
    (Kind::Uint8, Dtype::U8),
    (Kind::Bool, Dtype::BOOL),
];

impl Checkpoint {
    /// Writes the checkpoint. The file is whole or not there: it is written beside its place, forced to the disk and moved.
    ///
    /// # Errors
    /// [`CheckpointError`] where the folder or the disk refuses; a file that was there before is untouched then.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let bytes = self.to_bytes()?;
        let failed = |source| CheckpointError::Write { path: path.to_owned(), source };
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).map_err(failed)?;
        whole_file::write(path, |file| file.write_all(&bytes)).map_err(failed)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let contents = self.tensors.iter().map(|(name, tensor)| contents(name, tensor));
        let contents: Vec<(Dtype, Vec<u8>)> = contents.collect::<Result<_, CheckpointError>>()?;
        let views = self.tensors.iter().zip(&contents).map(|((name, tensor), (dtype, bytes))| {
            let shape = tensor.size().iter().map(|length| usize::try_from(*length).unwrap_or_default()).collect();
            TensorView::new(*dtype, shape, bytes).map(|view| (name.as_str(), view))
        });
        let views: Vec<(&str, TensorView<'_>)> = views.collect::<Result<_, _>>().map_err(impossible)?;
        let metadata = serde_json::to_string(&self.metadata).map_err(impossible)?;
        let header = HashMap::from([(METADATA.to_owned(), metadata), ("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(views, Some(header)).map_err(impossible)
    }

    /// Reads a checkpoint, with its tensors on the CPU.
    ///
    /// # Errors
    /// [`CheckpointError`], in one sentence that says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = std::fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        let damaged = |reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
        let metadata = header.metadata().as_ref().and_then(|metadata| metadata.get(METADATA));
        let metadata = metadata.ok_or_else(|| CheckpointError::Foreign { path: path.to_owned() })?;
        let metadata = read_metadata(metadata, path)?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(error.to_string()))?;
        let tensors = file.tensors().into_iter().map(|(name, view)| {
            let tensor =
                tensor(&view).ok_or_else(|| damaged(format!("`{name}` has the dtype {:?}", view.dtype())))??;
            Ok((name, tensor))
        });
        Ok(Self { metadata, tensors: tensors.collect::<Result<_, CheckpointError>>()? })
    }
}

fn read_metadata(text: &str, path: &Path) -> Result<Metadata, CheckpointError> {
    let damaged =
        |error: serde_json::Error| CheckpointError::Damaged { path: path.to_owned(), reason: error.to_string() };
    let value: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
    match value.get("layout").and_then(serde_json::Value::as_u64) {
        Some(layout) if layout > u64::from(LAYOUT) => Err(CheckpointError::Newer { path: path.to_owned(), layout }),
        _ => serde_json::from_value(value).map_err(damaged),
    }
}

/// A tensor's bytes in the order of its elements.
fn contents(name: &str, tensor: &Tensor) -> Result<(Dtype, Vec<u8>), CheckpointError> {
    let kind = tensor.f_kind()?;
    let dtype = DTYPES.iter().find(|(own, _)| *own == kind).map(|(_, dtype)| *dtype);
    let dtype = dtype.ok_or_else(|| CheckpointError::Dtype { name: name.to_owned(), kind })?;
    let here = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
    let mut bytes = vec![0; here.numel() * kind.elt_size_in_bytes()];
    here.f_copy_data_u8(&mut bytes, here.numel())?;
    Ok((dtype, bytes))
}

fn tensor(view: &TensorView<'_>) -> Option<Result<Tensor, tch::TchError>> {
    let kind = DTYPES.iter().find(|(_, dtype)| *dtype == view.dtype()).map(|(kind, _)| *kind)?;
    let size: Vec<i64> = view.shape().iter().map(|length| i64::try_from(*length).unwrap_or_default()).collect();
    Some(Tensor::f_from_data_size(view.data(), &size, kind))
}

/// What safetensors and JSON refuse of our own making: nothing that a user can mend.
fn impossible(error: impl std::error::Error) -> CheckpointError {
    CheckpointError::Damaged { path: "in memory".into(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        checkpoint.metadata.epoch = 3;
        checkpoint.insert("seen", vec![1, 2]).unwrap();
        checkpoint.tensors.insert("module.weight".to_owned(), Tensor::from_slice2(&[[1.0f32, 2.0], [3.0, 4.0]]).tr());
        checkpoint.tensors.insert("module.steps".to_owned(), Tensor::from(7i64));
        checkpoint
    }

    fn refused(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.ckpt");
        std::fs::write(&path, bytes).unwrap();
        Checkpoint::read(&path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE")
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/one.ckpt");
        checkpoint().write(&path).unwrap();
        let read = Checkpoint::read(&path).unwrap();
        assert_eq!(read.metadata.epoch, 3);
        assert_eq!(read.get::<Vec<i32>>("seen").unwrap(), Some(vec![1, 2]));
        assert_eq!(read.tensors["module.weight"], Tensor::from_slice2(&[[1.0f32, 3.0], [2.0, 4.0]]));
        assert_eq!(read.tensors["module.steps"], Tensor::from(7i64));
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing but the checkpoint is left");
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused_at_every_length() {
        let bytes = checkpoint().to_bytes().unwrap();
        for length in 0..bytes.len() {
            let said = refused(&bytes[..length]);
            assert!(said.starts_with("the checkpoint FILE is damaged or cut short ("), "{length}: {said}");
        }
    }

    #[test]
    fn other_files_are_told_apart() {
        let foreign = safetensors::serialize(Vec::<(&str, TensorView<'_>)>::new(), None).unwrap();
        assert!(refused(&foreign).contains("no checkpoint of tch-lightning"));
        let mut newer = checkpoint();
        newer.metadata.layout = 99;
        assert_eq!(
            refused(&newer.to_bytes().unwrap()),
            "the checkpoint FILE has layout 99, and this version reads up to 1: update tch-lightning"
        );
        let missing = Checkpoint::read(Path::new("nowhere.ckpt")).unwrap_err().to_string();
        assert_eq!(missing, "can't read the checkpoint nowhere.ckpt: No such file or directory (os error 2)");
    }

    #[test]
    fn another_modules_checkpoint_is_refused_with_every_difference() {
        let variables = vec![
            ("weight".to_owned(), Tensor::zeros([3], (Kind::Float, Device::Cpu))),
            ("bias".to_owned(), Tensor::from(0.0)),
        ];
        let said = checkpoint().load_into(&variables).unwrap_err().to_string();
        assert_eq!(
            said,
            "the checkpoint is of another module: missing: bias; of another shape: weight ([2, 2] instead of [3]); unexpected: steps"
        );
    }
}
