//! The recording of a computation, and its comparison with what was recorded.

mod comparison;
mod error;
mod names;

pub use error::TorchScriptError;

use crate::counted::counted;
use crate::messages::warning;
use crate::native::{ComputationTrace, Inputs, Record, UnreadInputs};
use crate::{atomic_file, panic};
use comparison::difference;
use names::check_names;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tch::{CModule, IValue, TchError, Tensor, no_grad};
use tempfile::TempDir;

/// The name of the file in its temporary folder.
const FILE: &str = "module.pt";

/// Computes tensors from tensors.
pub(crate) type Compute<'a> = dyn FnMut(&[Tensor]) -> anyhow::Result<Vec<Tensor>> + 'a;

/// A traced module, which computed the same for the inputs of the trace.
pub(crate) struct Traced {
    /// Read from the file, so that it shares no memory with the module that was traced.
    pub(crate) module: CModule,
    /// The module takes the inputs that it does not read if `UnreadInputs::Keep` was passed.
    inputs: Inputs,
    unread: UnreadInputs,
    folder: TempDir,
}

impl Traced {
    /// Traces a computation, and compares the outputs for the inputs. Warns about what is a constant in the traced module and not in the
    /// computation.
    pub(crate) fn record(
        parameters: &[(String, Tensor)],
        inputs: &[Tensor],
        unread: UnreadInputs,
        compute: &mut Compute<'_>,
    ) -> Result<Self, TorchScriptError> {
        if inputs.is_empty() {
            return Err(TorchScriptError::NoInputs);
        }
        check_names(parameters)?;
        // a computation may change its inputs
        let mut compute = |inputs: &[Tensor]| no_grad(|| panic::catch(|| compute(inputs)));
        let expected = compute(&copies(inputs)).map_err(TorchScriptError::Forward)?;
        if expected.is_empty() {
            return Err(TorchScriptError::NoOutputs);
        }
        let traced_inputs = copies(inputs);
        let trace = ComputationTrace::start(parameters, &traced_inputs)?;
        let record = Record::start()?;
        let outputs = compute(&traced_inputs).map_err(TorchScriptError::of_computation)?;
        let numbers = record.counts().get("aten::_local_scalar_dense").copied().unwrap_or_default();
        drop(record);
        if let Some(output) = outputs.iter().position(|output| !trace.has(output)) {
            return Err(TorchScriptError::Constant { output });
        }
        let folder = tempfile::tempdir().map_err(|error| TorchScriptError::Trace(error.to_string()))?;
        let path = folder.path().join(FILE);
        let of_trace = trace.save(&outputs, unread, &path)?;
        if !of_trace.is_read.contains(&true) {
            return Err(TorchScriptError::Constant { output: 0 });
        }
        let traced = Self { module: CModule::load(&path)?, inputs: of_trace, unread, folder };
        if let Some(difference) = difference(&traced.forward(inputs)?, &expected) {
            return Err(TorchScriptError::Differs { difference });
        }
        if numbers > 0 {
            warning!(
                "the traced module has {} as a constant: what a computation reads from a tensor, such as by `double_value`, and the branches \
                 that depend on it, are those of the traced inputs; compute it by operations of tensors",
                counted(usize::try_from(numbers).unwrap_or(usize::MAX), "number")
            );
        }
        traced.warn_of_fixed_sizes(inputs, &mut compute);
        Ok(traced)
    }

    /// Whether each input is read.
    pub(crate) fn is_read(&self) -> &[bool] {
        &self.inputs.is_read
    }

    /// Writes the module to a file.
    pub(crate) fn save(&self, path: &Path) -> Result<(), TorchScriptError> {
        let copy = |file: &mut File| io::copy(&mut File::open(self.folder.path().join(FILE))?, file).map(drop);
        atomic_file::write(path, copy).map_err(|source| TorchScriptError::Write { path: PathBuf::from(path), source })
    }

    fn forward(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, TorchScriptError> {
        let keeps_unread = self.unread == UnreadInputs::Keep;
        let taken = inputs.iter().zip(self.is_read()).filter(|(_, is_read)| **is_read || keeps_unread);
        let taken: Vec<IValue> = taken.map(|(input, _)| IValue::Tensor(input.copy())).collect();
        let outputs = match no_grad(|| self.module.forward_is(&taken))? {
            IValue::Tuple(outputs) => outputs,
            output => vec![output],
        };
        let tensors = outputs.into_iter().map(|output| Ok(Tensor::try_from(output)?));
        tensors.collect()
    }

    /// Warns about sizes that are constants in the traced module: those for which the module computes something, and the traced one fails
    /// or computes something else.
    fn warn_of_fixed_sizes(&self, inputs: &[Tensor], compute: &mut Compute<'_>) {
        if self.inputs.has_fixed_state {
            warning!(
                "the traced module works for the batch size of the trace only, and a larger batch may damage the memory of its program, as the \
                 initial state of a recurrent layer has the batch size of the trace: pass `seq_init` a state that is computed from the input"
            );
        }
        let dimensions = inputs.iter().map(Tensor::dim).max().unwrap_or_default();
        for dimension in usize::from(self.inputs.has_fixed_state)..dimensions {
            let Some(size) = inputs.iter().find_map(|input| input.size().get(dimension).copied()) else { continue };
            // a module may itself take only one size
            let others =
                inputs.iter().map(|input| of_other_size(input, dimension, size)).collect::<Result<Vec<_>, _>>();
            let computed = others.map_err(Into::into).and_then(|others| {
                let expected = panic::silently(|| compute(&copies(&others)))?;
                Ok((others, expected))
            });
            let Ok((others, expected)): anyhow::Result<_> = computed else { continue };
            if self.forward(&others).map_or(true, |found| difference(&found, &expected).is_some()) {
                let fixed = match dimension {
                    0 => format!("for a batch size of {size} only"),
                    dimension => format!("only for inputs whose dimension {dimension} is {size}"),
                };
                warning!(
                    "the traced module works {fixed}, as a size or a number that is read from a tensor, such as by `size()`, is a constant in a \
                     trace: write `-1` in `view` and `reshape`, or compute it by operations of tensors"
                );
            }
        }
    }
}

fn copies(inputs: &[Tensor]) -> Vec<Tensor> {
    inputs.iter().map(Tensor::copy).collect()
}

/// Returns the input with another size of a dimension: one less, or two in place of one. An input of another size is returned unchanged.
fn of_other_size(input: &Tensor, dimension: usize, size: i64) -> Result<Tensor, TchError> {
    let dim = dimension as i64;
    match (input.size().get(dimension) == Some(&size), size) {
        (false, _) | (true, 0) => Ok(input.shallow_clone()),
        (true, 1) => Tensor::f_cat(&[input, input], dim),
        (true, _) => input.f_narrow(dim, 0, size - 1),
    }
}
