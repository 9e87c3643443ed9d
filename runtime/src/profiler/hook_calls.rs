//! The file of `--trace-hooks`.

use super::action::HookOwner;
use crate::file_error::FileError;
use crate::hook::Hook;
use crate::messages;
use crate::run_location::RunLocation;
use crate::stage::RunningStage;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file with a line for each call of a hook, written before the call: after a hang or a crash, the last line is the hook that was
/// running.
pub(super) struct HookCalls {
    path: PathBuf,
    /// `None` after an error.
    file: Option<File>,
}

impl HookCalls {
    /// Creates the file, or replaces it.
    pub(super) fn create(path: &Path) -> Result<Self, FileError> {
        let create = || -> io::Result<File> {
            let mut file = File::create(path)?;
            file.write_all(b"stage\tepoch\tbatch\towner\thook\n")?;
            Ok(file)
        };
        let path = path.to_owned();
        match create() {
            Ok(file) => Ok(Self { path, file: Some(file) }),
            Err(source) => Err(FileError { what: "cannot write the trace of hooks", path, source }),
        }
    }

    /// Writes a line. If it cannot be written, the run continues without the file.
    pub(super) fn write(&mut self, hook: Hook, owner: HookOwner, module: &str, at: RunLocation, stage: RunningStage) {
        let Some(file) = &mut self.file else { return };
        let number = |number: Option<usize>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let (epoch, batch) = (number(at.epoch), number(at.batch_idx));
        let line = format!("{stage}\t{epoch}\t{batch}\t{}\t{hook}\n", owner.name(module));
        // one write for each line, without a buffer
        if let Err(error) = file.write_all(line.as_bytes()) {
            self.file = None;
            messages::warning!("the trace of hooks ends here, as {} cannot be written: {error}", self.path.display());
        }
    }
}
