//! Models that Python compiled ahead of time, as frozen parts of a Rust program: teachers, feature extractors.
//!
//! `torch.compile`'s compiler, [AOTInductor](https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html), writes a model with its
//! weights as machine code into a package:
//!
//! ```python
//! batch = torch.export.Dim("batch", max=1024)
//! exported = torch.export.export(teacher.eval(), (images,), dynamic_shapes=({0: batch},))
//! torch._inductor.aoti_compile_and_package(exported, package_path="teacher.pt2", inductor_configs={"aot_inductor.check_lowerbound": False})
//! ```
//!
//! [`AotInductorModel`] loads the package and runs it, without Python:
//!
//! ```no_run
//! use tch_lightning::aot_inductor::AotInductorModel;
//! use tch_lightning::prelude::*;
//!
//! struct Student {
//!     vs: nn::VarStore,
//!     net: nn::Linear,
//!     teacher: AotInductorModel,
//! }
//!
//! #[lightning_module]
//! impl Student {
//!     fn new() -> Result<Self> {
//!         let vs = nn::VarStore::new(Device::Cpu);
//!         let net = nn::linear(vs.root(), 784, 10, Default::default());
//!         Ok(Self { vs, net, teacher: AotInductorModel::load("teacher.pt2", Device::Cpu)? })
//!     }
//!
//!     fn parameters(&mut self) -> &mut nn::VarStore {
//!         &mut self.vs
//!     }
//!
//!     fn training_step(&mut self, batch: &Tensor) -> Result<Tensor> {
//!         let targets = &self.teacher.forward(&[batch])?[0]; // without a graph
//!         Ok(self.net.forward(batch).mse_loss(targets, tch::Reduction::Mean))
//!     }
//!
//!     fn configure_optimizers(&mut self) -> Adam {
//!         Adam::new(1e-3)
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! # What must match
//!
//! * The version of PyTorch in Python is that of this program's libtorch, [`libtorch_version`](crate::device::libtorch_version).
//! * The package is compiled for the processor of one machine, or for its GPU, and may not run on an older one. `load` refuses a package that
//!   needs AVX2 or AVX-512 where the processor lacks it; that of another instruction ends the program.
//! * The inputs have the dtypes, shapes, strides and the device of the export. Only dimensions in `dynamic_shapes` may differ, within their
//!   range. They begin at 2 if `check_lowerbound` above is left out, so that a last batch of one sample is an error.
//!
//! # Checks
//!
//! Compiled code compares its inputs with the export only if the environment variable `AOTI_RUNTIME_CHECK_INPUTS` is set when it runs first;
//! without the checks, it reads past the end of smaller tensors. A program with this crate sets the variable to 1 before `main`, unless it
//! has a value. With `AOTI_RUNTIME_CHECK_INPUTS=0` in its environment nothing is checked. libtorch also prints the errors of these checks to stderr.

mod error;
mod package;

pub use error::AotInductorError;

use crate::native::{CompiledModel, without_backtrace};
use package::Package;
use std::borrow::Borrow;
use std::path::{Path, PathBuf};
use tch::{Device, Tensor};
use tempfile::TempDir;

/// A frozen model that Python compiled ahead of time, as
/// [`torch._inductor.aoti_load_package`](https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html) loads it.
///
/// Its weights are in its package. They are in no `VarStore`, and neither trained nor saved in checkpoints.
#[derive(Debug)]
pub struct AotInductorModel {
    // before the folder, whose files it uses
    compiled: CompiledModel,
    _folder: TempDir,
    path: PathBuf,
    device: Device,
}

impl AotInductorModel {
    /// Loads a package that `torch._inductor.aoti_compile_and_package` wrote, for a device of the kind for which it was compiled.
    ///
    /// The package is code that runs in this program: load only files that you trust. It is extracted into a folder of
    /// [`std::env::temp_dir`], which takes the size of the weights, must allow to execute files, and is removed when the model is dropped; a
    /// program that is killed leaves it.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged or is not such a package, if there is no space to extract it, if it was compiled for another kind
    /// of device or processor, or if libtorch cannot load it.
    pub fn load(path: impl AsRef<Path>, device: Device) -> Result<Self, AotInductorError> {
        let path = path.as_ref();
        let mut package = Package::open(path)?;
        package.check_device(device)?;
        package.check_processor()?;
        let folder = package.extract()?;
        let compiled = CompiledModel::load(folder.path(), device).map_err(|error| AotInductorError::Load {
            path: path.to_owned(),
            reason: without_backtrace(&error.to_string()).to_owned(),
        })?;
        Ok(Self { compiled, _folder: folder, path: path.to_owned(), device })
    }

    /// Computes the outputs, which have no graph: the tensors that the exported model returns, from those among its arguments, both in order.
    ///
    /// # Errors
    /// If the inputs are not those for which the model was exported, or if the computation fails.
    pub fn forward<T: Borrow<Tensor>>(&self, inputs: &[T]) -> Result<Vec<Tensor>, AotInductorError> {
        let inputs: Vec<&Tensor> = inputs.iter().map(Borrow::borrow).collect();
        let failed = |reason: String| AotInductorError::Forward {
            path: self.path.clone(),
            inputs: inputs.iter().map(|input| format!("{:?} {:?}", input.kind(), input.size())).collect(),
            reason,
        };
        // the checks of compiled code do not compare the indices of GPUs
        if let Some(index) = inputs.iter().position(|input| input.device() != self.device) {
            return Err(failed(format!(
                "input {index} is on {:?}, the model on {:?}",
                inputs[index].device(),
                self.device
            )));
        }
        self.compiled.run(&inputs).map_err(|error| {
            // the first line; the others are advice for those who write operators
            let reason = error.to_string().lines().next().unwrap_or_default().replace("input_handles[", "inputs[");
            failed(reason)
        })
    }
}
