//! Tensors in files, which are read when they are copied.

use super::views::has_marked_view;
use crate::checkpoint::CheckpointError;
use crate::checkpoint::decode::{Decoded, Position};
use crate::checkpoint::dtype::check_values;
use crate::native::MappedFile;
use pytorch_reader::{DType, PytorchError, PytorchReader};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tch::{Kind, TchError, Tensor};

/// A tensor in a file.
pub(super) struct Stored {
    /// Its name in the file, without a prefix that all have.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) shape: Vec<i64>,
    path: Arc<Path>,
    elements: Elements,
}

enum Elements {
    Mapped { file: Arc<MappedFile>, range: std::ops::Range<usize> },
    OfTorchSave(pytorch_reader::Tensor),
}

impl Stored {
    /// Copies the tensor into a variable of the same shape, converted to its dtype and on its device.
    pub(super) fn copy_to(&self, variable: &Tensor, transposed: bool) -> Result<(), CheckpointError> {
        let damaged = |what| CheckpointError::damaged(&self.path, format!("`{}` {what}", self.name));
        let copy = |tensor: &Tensor| -> Result<(), TchError> {
            let mut variable = variable.shallow_clone();
            match transposed {
                true => variable.f_copy_(&tensor.f_tr()?),
                false => variable.f_copy_(tensor),
            }
        };
        match &self.elements {
            Elements::Mapped { file, range } => {
                check_values(self.kind, &file[range.clone()]).map_err(damaged)?;
                file.with_tensor(range.clone(), &self.shape, self.kind, copy)?;
            }
            Elements::OfTorchSave(tensor) => {
                let bytes = tensor.read().map_err(|error| damaged(format!("cannot be read: {error}")))?;
                copy(&Tensor::f_from_data_size(&bytes, &self.shape, self.kind)?)?;
            }
        }
        Ok(())
    }
}

/// Returns the tensors of a safetensors file; those of the module, if it is a checkpoint of this crate.
pub(super) fn of_safetensors(file: &File, path: &Path) -> Result<Vec<Stored>, CheckpointError> {
    let unread = |source| CheckpointError::Read { path: path.to_owned(), source };
    let file = Arc::new(MappedFile::new(file).map_err(unread)?);
    let decoded = Decoded::new(&file, path)?;
    let prefix = if decoded.is_checkpoint() {
        decoded.metadata()?;
        crate::checkpoint::MODULE
    } else {
        ""
    };
    let path: Arc<Path> = path.into();
    let stored = decoded.positions()?.into_iter().filter_map(|Position { name, kind, shape, range }| {
        let name = name.strip_prefix(prefix)?.to_owned();
        let elements = Elements::Mapped { file: Arc::clone(&file), range };
        Some(Stored { name, kind, shape, path: Arc::clone(&path), elements })
    });
    Ok(stored.collect())
}

/// The keys of dictionaries with a module's weights, in files with more than them; Lightning's is the first.
const STATE_DICTS: [&str; 2] = ["state_dict", "model_state_dict"];

/// Returns the tensors of a file of `torch.save`. It may have a `state_dict` with more next to it, as Lightning's checkpoints do.
pub(super) fn of_torch_save(path: &Path) -> Result<Vec<Stored>, CheckpointError> {
    let invalid =
        |error: PytorchError| CheckpointError::OfTorchSave { path: path.to_owned(), reason: error.to_string() };
    let state_dict = STATE_DICTS.into_iter().find_map(|key| PytorchReader::with_top_level_key(path, key).ok());
    let reader = state_dict.map_or_else(|| PytorchReader::new(path).map_err(invalid), Ok)?;
    if has_marked_view(path) {
        let reason = "a tensor is a view that negates or conjugates its elements: write it by `resolve_neg()` or `resolve_conj()`";
        return Err(CheckpointError::OfTorchSave { path: path.to_owned(), reason: reason.to_owned() });
    }
    let path: Arc<Path> = path.into();
    let stored = reader.into_tensors().into_iter().map(|(name, tensor)| {
        let kind = kind(tensor.dtype()).ok_or_else(|| unsupported(&path, &name, tensor.dtype()))?;
        let shape = tensor.shape().iter().map(|length| *length as i64).collect();
        Ok(Stored { name, kind, shape, path: Arc::clone(&path), elements: Elements::OfTorchSave(tensor) })
    });
    let mut stored = stored.collect::<Result<Vec<Stored>, CheckpointError>>()?;
    stored.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(stored)
}

fn kind(dtype: DType) -> Option<Kind> {
    match dtype {
        DType::F64 => Some(Kind::Double),
        DType::F32 => Some(Kind::Float),
        DType::F16 => Some(Kind::Half),
        DType::BF16 => Some(Kind::BFloat16),
        DType::I64 => Some(Kind::Int64),
        DType::I32 => Some(Kind::Int),
        DType::I16 => Some(Kind::Int16),
        DType::I8 => Some(Kind::Int8),
        DType::U8 => Some(Kind::Uint8),
        DType::Bool => Some(Kind::Bool),
        // tch has no such tensors
        DType::U64 | DType::U32 | DType::U16 => None,
    }
}

fn unsupported(path: &Path, name: &str, dtype: DType) -> CheckpointError {
    CheckpointError::ForeignDtype { path: PathBuf::from(path), name: name.to_owned(), dtype: format!("{dtype:?}") }
}
