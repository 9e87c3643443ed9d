//! Conversion of tensors to and from bytes.

use super::CheckpointError;
use safetensors::tensor::{Dtype, TensorInfo};
use tch::{Device, Kind, Tensor};

const DTYPES: [(Kind, Dtype); 13] = [
    (Kind::Float, Dtype::F32),
    (Kind::Double, Dtype::F64),
    (Kind::Half, Dtype::F16),
    (Kind::BFloat16, Dtype::BF16),
    (Kind::Float8e5m2, Dtype::F8_E5M2),
    (Kind::Float8e4m3fn, Dtype::F8_E4M3),
    (Kind::ComplexFloat, Dtype::C64),
    (Kind::Int64, Dtype::I64),
    (Kind::Int, Dtype::I32),
    (Kind::Int16, Dtype::I16),
    (Kind::Int8, Dtype::I8),
    (Kind::Uint8, Dtype::U8),
    (Kind::Bool, Dtype::BOOL),
];

/// The classes of PyTorch's storages, as `torch.save` names them.
const STORAGES: [(Kind, &str); 11] = [
    (Kind::Float, "FloatStorage"),
    (Kind::Double, "DoubleStorage"),
    (Kind::Half, "HalfStorage"),
    (Kind::BFloat16, "BFloat16Storage"),
    (Kind::ComplexFloat, "ComplexFloatStorage"),
    (Kind::Int64, "LongStorage"),
    (Kind::Int, "IntStorage"),
    (Kind::Int16, "ShortStorage"),
    (Kind::Int8, "CharStorage"),
    (Kind::Uint8, "ByteStorage"),
    (Kind::Bool, "BoolStorage"),
];

/// Returns the class of a storage with elements of this dtype.
pub(super) fn storage_class(kind: Kind) -> Option<&'static str> {
    STORAGES.iter().find(|(own, _)| *own == kind).map(|(_, class)| *class)
}

/// Returns the dtype of the elements of a storage of this class.
pub(super) fn kind_of_storage(class: &str) -> Option<Kind> {
    STORAGES.iter().find(|(_, own)| *own == class).map(|(kind, _)| *kind)
}

/// Returns the dtype of a tensor in a file.
pub(super) fn dtype_of(name: &str, tensor: &Tensor) -> Result<Dtype, CheckpointError> {
    let kind = tensor.f_kind()?;
    let known = DTYPES.iter().find(|(own, _)| *own == kind);
    known.map(|(_, dtype)| *dtype).ok_or_else(|| CheckpointError::Dtype { name: name.to_owned(), kind })
}

/// Returns a tensor's elements in row-major order.
pub(super) fn bytes_of(tensor: &Tensor) -> Result<Vec<u8>, CheckpointError> {
    let here = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
    let mut bytes = vec![0; here.numel() * here.f_kind()?.elt_size_in_bytes()];
    here.f_copy_data_u8(&mut bytes, here.numel())?;
    Ok(bytes)
}

/// Returns the tensor of these bytes, on the CPU, or a description of the part that is invalid.
pub(super) fn tensor_of(info: &TensorInfo, bytes: &[u8]) -> Result<Tensor, String> {
    let (kind, shape) = description(info)?;
    check_values(kind, bytes)?;
    Tensor::f_from_data_size(bytes, &shape, kind).map_err(|error| {
        format!("cannot be created by libtorch: {}", crate::native::without_backtrace(&error.to_string()))
    })
}

/// Returns whether tensors of libtorch that tch knows have this dtype of a file.
pub(super) fn is_known(dtype: Dtype) -> bool {
    DTYPES.iter().any(|(_, known)| *known == dtype)
}

/// Returns the dtype and the shape of a tensor in a file, or a description of the part that is invalid.
pub(super) fn description(info: &TensorInfo) -> Result<(Kind, Vec<i64>), String> {
    let kind = DTYPES.iter().find(|(_, dtype)| *dtype == info.dtype).map(|(kind, _)| *kind);
    let kind = kind.ok_or_else(|| format!("is of dtype {}, which no tensor of tch has", info.dtype))?;
    let shape = shape_of(info).ok_or_else(|| format!("has the shape {:?}, which is too large", info.shape))?;
    Ok((kind, shape))
}

/// Describes elements that are not values of the dtype.
pub(super) fn check_values(kind: Kind, bytes: &[u8]) -> Result<(), String> {
    if kind == Kind::Bool && bytes.iter().any(|byte| *byte > 1) {
        return Err("is of dtype BOOL, but has a byte that is neither 0 nor 1".to_owned());
    }
    Ok(())
}

/// Returns the shape, if it does not overflow: libtorch multiplies the lengths for the strides even of an empty tensor.
fn shape_of(info: &TensorInfo) -> Option<Vec<i64>> {
    let shape: Vec<i64> = info.shape.iter().map(|length| i64::try_from(*length)).collect::<Result<_, _>>().ok()?;
    let bytes = i64::try_from(info.dtype.bitsize() / 8).ok()?;
    shape.iter().try_fold(bytes, |bytes, length| bytes.checked_mul((*length).max(1))).map(|_| shape)
}
