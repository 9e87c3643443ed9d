//! The recording of a computation, and its comparison with what was recorded.

use super::TorchScriptError;
use crate::messages::warning;
use crate::native::{ComputationTrace, UnreadInputs};
use crate::{atomic_file, panic};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tch::{CModule, IValue, Kind, Tensor, no_grad};
use tempfile::TempDir;

/// The largest difference of a traced module's outputs, as a part of the value and for values near 0.
const TOLERANCE: f64 = 1e-5;

/// The name of the file in its temporary folder.
const FILE: &str = "module.pt";

/// Computes tensors from tensors.
pub(crate) type Compute<'a> = dyn FnMut(&[Tensor]) -> anyhow::Result<Vec<Tensor>> + 'a;

/// A traced module, which computed the same for the inputs of the trace.
pub(crate) struct Traced {
    /// Read from the file, so that it shares no memory with the module that was traced.
    pub(crate) module: CModule,
    /// Whether each input is read. The module takes those that are not if `UnreadInputs::Keep` was passed.
    is_read: Vec<bool>,
    unread: UnreadInputs,
    folder: TempDir,
}

impl Traced {
    /// Traces a computation, and compares the outputs for the inputs. Warns if the traced module takes no other batch size.
    pub(crate) fn record(
        parameters: &[(String, Tensor)],
        inputs: &[Tensor],
        unread: UnreadInputs,
        compute: &mut Compute<'_>,
    ) -> Result<Self, TorchScriptError> {
        if inputs.is_empty() {
            return Err(TorchScriptError::NoInputs);
        }
        let mut compute = |inputs: &[Tensor]| no_grad(|| panic::catch(|| compute(inputs)));
        let expected = compute(inputs).map_err(TorchScriptError::Forward)?;
        if expected.is_empty() {
            return Err(TorchScriptError::NoOutputs);
        }
        let trace = ComputationTrace::start(parameters, inputs)?;
        let outputs = compute(inputs).map_err(TorchScriptError::Forward)?;
        if let Some(output) = outputs.iter().position(|output| !trace.has(output)) {
            return Err(TorchScriptError::Constant { output });
        }
        let folder = tempfile::tempdir().map_err(|error| TorchScriptError::Trace(error.to_string()))?;
        let path = folder.path().join(FILE);
        let is_read = trace.save(&outputs, unread, &path)?;
        if !is_read.contains(&true) {
            return Err(TorchScriptError::Constant { output: 0 });
        }
        let traced = Self { module: CModule::load(&path)?, is_read, unread, folder };
        if let Some(difference) = difference(&traced.forward(inputs)?, &expected) {
            return Err(TorchScriptError::Differs { difference });
        }
        traced.warn_of_fixed_size(inputs, &mut compute);
        Ok(traced)
    }

    /// Whether each input is read.
    pub(crate) fn is_read(&self) -> &[bool] {
        &self.is_read
    }

    /// Writes the module to a file.
    pub(crate) fn save(&self, path: &Path) -> Result<(), TorchScriptError> {
        let copy = |file: &mut File| io::copy(&mut File::open(self.folder.path().join(FILE))?, file).map(drop);
        atomic_file::write(path, copy).map_err(|source| TorchScriptError::Write { path: PathBuf::from(path), source })
    }

    fn forward(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, TorchScriptError> {
        let taken =
            inputs.iter().zip(&self.is_read).filter(|(_, is_read)| **is_read || self.unread == UnreadInputs::Keep);
        let taken: Vec<IValue> = taken.map(|(input, _)| IValue::Tensor(input.shallow_clone())).collect();
        let outputs = match no_grad(|| self.module.forward_is(&taken))? {
            IValue::Tuple(outputs) => outputs,
            output => vec![output],
        };
        let tensors = outputs.into_iter().map(|output| Ok(Tensor::try_from(output)?));
        tensors.collect()
    }

    /// Warns if the module computes something for another batch size, and the traced one fails or computes something else.
    fn warn_of_fixed_size(&self, inputs: &[Tensor], compute: &mut Compute<'_>) {
        let Some(size) = inputs.iter().find_map(|input| input.size().first().copied()) else { return };
        let Ok(others) = inputs.iter().map(|input| of_other_size(input, size)).collect::<Result<Vec<_>, _>>() else {
            return;
        };
        // a module may itself take only one size
        let Ok(expected) = compute(&others) else { return };
        if self.forward(&others).map_or(true, |found| difference(&found, &expected).is_some()) {
            warning!(
                "the traced module works for a batch size of {size} only, as a size that is read by `size()` is a constant in a trace: \
                 write `-1` for it in `view` and `reshape`, or use `flatten` and `expand_as`"
            );
        }
    }
}

/// Returns the input with another size of the batch: one less, or two in place of one. What is not of the batch is returned unchanged.
fn of_other_size(input: &Tensor, size: i64) -> Result<Tensor, tch::TchError> {
    match (input.size().first() == Some(&size), size) {
        (false, _) | (true, 0) => Ok(input.shallow_clone()),
        (true, 1) => Tensor::f_cat(&[input, input], 0),
        (true, _) => input.f_narrow(0, 0, size - 1),
    }
}

/// Describes how outputs differ from the expected ones, if they do.
fn difference(found: &[Tensor], expected: &[Tensor]) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} outputs instead of {}", found.len(), expected.len()));
    }
    found.iter().zip(expected).enumerate().find_map(|(output, (found, expected))| {
        let of_output = if expected.size().is_empty() && found.size().is_empty() { "" } else { "largest " };
        if found.size() != expected.size() || found.kind() != expected.kind() {
            return Some(format!("output {output} is {found:?} instead of {expected:?}"));
        }
        if is_close(found, expected) {
            return None;
        }
        let difference = (found.to_kind(Kind::Double) - expected.to_kind(Kind::Double)).abs().max();
        Some(format!("the {of_output}difference of output {output} is {:.3e}", difference.double_value(&[])))
    })
}

fn is_close(found: &Tensor, expected: &Tensor) -> bool {
    if expected.is_floating_point() || expected.is_complex() {
        found.allclose(expected, TOLERANCE, TOLERANCE, true)
    } else {
        found.equal(expected)
    }
}
