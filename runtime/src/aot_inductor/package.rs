use super::AotInductorError;
use crate::device::{CudaStatus, cuda_status};
use crate::regular_file;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use tch::Device;
use tempfile::TempDir;
use zip::ZipArchive;
use zip::result::ZipError;

/// The folder of the model's files, within one named as the package.
const MODEL: &str = "/data/aotinductor/model/";

/// The end of the name of the file with a model's metadata.
const METADATA: &str = "_metadata.json";

/// A package of AOTInductor: a zip file with a shared library.
///
/// libtorch could read it as well, but it does not compare checksums, so that a damaged library ends the program, and leaves its folder
/// behind after an error.
pub(super) struct Package<'a> {
    path: &'a Path,
    archive: ZipArchive<BufReader<File>>,
    metadata: Metadata,
}

/// What Inductor says of the machine for which it has compiled.
#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "AOTI_DEVICE_KEY")]
    device: String,
    /// Names of instruction sets, with spaces between them.
    #[serde(rename = "AOTI_CPU_ISA", default)]
    instructions: String,
}

impl<'a> Package<'a> {
    /// Opens a package, and reads its metadata.
    pub(super) fn open(path: &'a Path) -> Result<Self, AotInductorError> {
        let read = |r#source| AotInductorError::Read { path: path.to_owned(), r#source };
        let other = |reason: &str| AotInductorError::NotAPackage { path: path.to_owned(), reason: reason.to_owned() };
        if path.is_dir() {
            return Err(other("it is a folder"));
        }
        let file = regular_file::open(path).map_err(read)?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| match error {
            ZipError::Io(error) => read(error),
            _ => other("it is not a zip file, or its end is missing"),
        })?;
        let is_metadata = |name: &str| name.contains(MODEL) && name.ends_with(METADATA);
        let name = archive.file_names().flatten().find(|name| is_metadata(name)).map(|name| name.into_owned());
        let name = name.ok_or_else(|| other("it is a zip file without a compiled model"))?;
        let metadata = archive.by_name(&name).map_err(|error| other(&error.to_string()))?;
        let metadata = serde_json::from_reader(metadata).map_err(|error| other(&format!("{name}: {error}")))?;
        Ok(Self { path, archive, metadata })
    }

    /// Checks that the model was compiled for the kind of a device, and that the device can be used.
    pub(super) fn check_device(&self, device: Device) -> Result<(), AotInductorError> {
        let error = |reason: String| Err(AotInductorError::Device { path: self.path.to_owned(), device, reason });
        let (kind, status) = match device {
            Device::Cpu => ("cpu", None),
            Device::Cuda(_) => ("cuda", Some(cuda_status())),
            Device::Mps => ("mps", None),
            Device::Vulkan => ("vulkan", None),
        };
        if self.metadata.device != kind {
            let compiled = &self.metadata.device;
            return error(format!(
                "it is compiled for {compiled}; export it in Python with the model and its inputs on {kind}"
            ));
        }
        match status {
            Some(status) if !matches!(status, CudaStatus::Usable { .. }) => error(status.to_string()),
            _ => Ok(()),
        }
    }

    /// Checks that the processor has the vector instructions of the compiled code.
    pub(super) fn check_processor(&self) -> Result<(), AotInductorError> {
        #[cfg(target_arch = "x86_64")]
        let known = [
            ("AVX2", is_x86_feature_detected!("avx2")),
            ("AVX512", is_x86_feature_detected!("avx512f")),
            ("AVX512_VNNI", is_x86_feature_detected!("avx512vnni")),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let known = [];
        match missing(&self.metadata.instructions, &known) {
            Some(instructions) => Err(AotInductorError::Processor { path: self.path.to_owned(), instructions }),
            None => Ok(()),
        }
    }

    /// Writes the files into a temporary folder, and compares them with their checksums.
    pub(super) fn extract(&mut self) -> Result<TempDir, AotInductorError> {
        let error = |r#source: io::Error| AotInductorError::Extract { path: self.path.to_owned(), r#source };
        let folder = TempDir::with_prefix("aot_inductor_").map_err(error)?;
        self.archive.extract(folder.path()).map_err(|failed| {
            error(match failed {
                ZipError::Io(failed) => failed,
                other => io::Error::other(other),
            })
        })?;
        Ok(folder)
    }
}

/// Returns the first of the known instruction sets that compiled code needs and the processor does not have.
fn missing(needed: &str, known: &[(&'static str, bool)]) -> Option<&'static str> {
    let needs = |name: &str| needed.split_whitespace().any(|needed| needed == name);
    known.iter().find(|(name, is_there)| !is_there && needs(name)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_instructions_are_those_that_the_code_needs() {
        let known = [("AVX2", true), ("AVX512", false), ("AVX512_VNNI", false)];
        assert_eq!(missing("AVX512 AVX512_VNNI AMX_TILE", &known), Some("AVX512"));
        assert_eq!(missing("AVX512_VNNI", &known), Some("AVX512_VNNI"));
        assert_eq!(missing("AVX2", &known), None);
        assert_eq!(missing("", &known), None);
    }
}
