//! A writer of pickles, in the protocol 2 that `torch.save` uses.

use super::value::Value;
use crate::checkpoint::CheckpointError;
use crate::checkpoint::dtype::storage_class;
use tch::Tensor;

/// A pickle, and the tensors whose elements are in storages with their indices as names.
#[derive(Default)]
pub(super) struct Pickle<'a> {
    pub(super) bytes: Vec<u8>,
    pub(super) tensors: Vec<&'a Tensor>,
}

impl<'a> Pickle<'a> {
    /// Returns the pickle of a value.
    ///
    /// # Errors
    /// If a tensor is of a dtype that PyTorch's storages do not have.
    pub(super) fn of(value: &'a Value) -> Result<Self, CheckpointError> {
        let mut pickle = Self { bytes: vec![0x80, 2], tensors: Vec::new() };
        pickle.value(value)?;
        pickle.bytes.push(b'.');
        Ok(pickle)
    }

    fn value(&mut self, value: &'a Value) -> Result<(), CheckpointError> {
        match value {
            Value::None => self.bytes.push(b'N'),
            Value::Bool(value) => self.bytes.push(if *value { 0x88 } else { 0x89 }),
            Value::Int(number) => self.integer(*number),
            Value::Float(number) => {
                self.bytes.push(b'G');
                self.bytes.extend(number.to_be_bytes());
            }
            Value::Text(text) => self.text(text),
            Value::Object(name) => self.text(name),
            Value::List(items) => {
                self.bytes.extend(b"](");
                items.iter().try_for_each(|item| self.value(item))?;
                self.bytes.push(b'e');
            }
            Value::Tuple(items) => {
                self.bytes.push(b'(');
                items.iter().try_for_each(|item| self.value(item))?;
                self.bytes.push(b't');
            }
            Value::Dict(entries) => {
                self.bytes.extend(b"}(");
                for (key, value) in entries {
                    self.value(key)?;
                    self.value(value)?;
                }
                self.bytes.push(b'u');
            }
            Value::Tensor(tensor) => self.tensor(tensor)?,
        }
        Ok(())
    }

    fn integer(&mut self, number: i64) {
        if let Ok(number) = i32::try_from(number) {
            self.bytes.push(b'J');
            self.bytes.extend(number.to_le_bytes());
        } else {
            self.bytes.extend([0x8a, 8]);
            self.bytes.extend(number.to_le_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(b'X');
        self.bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    fn global(&mut self, module: &str, name: &str) {
        self.bytes.extend(format!("c{module}\n{name}\n").as_bytes());
    }

    fn integers(&mut self, numbers: &[i64]) {
        self.bytes.push(b'(');
        numbers.iter().for_each(|number| self.integer(*number));
        self.bytes.push(b't');
    }

    /// A call of the function with which PyTorch makes a tensor of a storage.
    fn tensor(&mut self, tensor: &'a Tensor) -> Result<(), CheckpointError> {
        let kind = tensor.f_kind()?;
        let class = storage_class(kind).ok_or_else(|| CheckpointError::Dtype { name: "a tensor".to_owned(), kind })?;
        let size = tensor.size();
        let mut stride = vec![1; size.len()];
        for dimension in (1..size.len()).rev() {
            stride[dimension - 1] = stride[dimension] * size[dimension].max(1);
        }
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.bytes.extend(b"((");
        self.text("storage");
        self.global("torch", class);
        self.text(&self.tensors.len().to_string());
        self.text("cpu");
        self.integer(size.iter().product());
        self.bytes.extend(b"tQ");
        self.integer(0);
        self.integers(&size);
        self.integers(&stride);
        // it requires no gradient, and has no hooks
        self.bytes.push(0x89);
        self.global("collections", "OrderedDict");
        self.bytes.extend(b")RtR");
        self.tensors.push(tensor);
        Ok(())
    }
}
