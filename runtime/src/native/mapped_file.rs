use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use tch::{Device, Kind, TchError, Tensor};

/// The bytes of a file, which the system reads as they are used, so that a large file does not take memory of the process.
pub(crate) struct MappedFile(Mmap);

impl MappedFile {
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the bytes are read alone. A process that writes to the file changes what is read, and one that truncates it ends
        // this process with SIGBUS, as with every program that maps a file; the documentation of `weights::open` says so.
        unsafe { Mmap::map(file) }.map(Self)
    }

    /// Calls `with` with a tensor over a range of the file, which must hold as many bytes as the shape and the dtype take.
    pub(crate) fn with_tensor<T>(
        &self,
        range: Range<usize>,
        shape: &[i64],
        kind: Kind,
        with: impl FnOnce(&Tensor) -> Result<T, TchError>,
    ) -> Result<T, TchError> {
        let bytes = &self.0[range];
        let is_aligned = bytes.as_ptr().addr().is_multiple_of(kind.elt_size_in_bytes());
        // a small file may place its tensors anywhere
        if !is_aligned || bytes.is_empty() {
            return with(&Tensor::f_from_data_size(bytes, shape, kind)?);
        }
        let strides = row_major(shape);
        // SAFETY: the range has the bytes of the tensor, as the header of the file was compared with its size. The tensor is only
        // lent, as a source, and the mapping lives as long as `self`.
        let tensor = unsafe { Tensor::f_from_blob(bytes.as_ptr(), shape, &strides, kind, Device::Cpu) }?;
        with(&tensor)
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

fn row_major(shape: &[i64]) -> Vec<i64> {
    let mut strides = vec![1; shape.len()];
    for dimension in (1..shape.len()).rev() {
        strides[dimension - 1] = strides[dimension] * shape[dimension];
    }
    strides
}
