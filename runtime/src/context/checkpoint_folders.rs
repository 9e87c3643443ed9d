//! The folders of a run's checkpoints, found from the run's own folder.

use super::RunContext;
use crate::{atomic_file, regular_file};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder for checkpoints in the folder of a run.
pub(crate) const CHECKPOINTS: &str = "checkpoints";

/// The file in the folder of a run that lists the other folders with its checkpoints, an absolute path on each line.
const ELSEWHERE: &str = "checkpoint_folders.txt";

impl RunContext {
    /// Records that a checkpoint was written: if it is outside of the run's folder, its folder is added to a list there, so that
    /// `test` and `predict` find it. Errors are ignored: the checkpoint can still be named by its path.
    pub(crate) fn note_checkpoint(&mut self, path: &Path) {
        self.record_save();
        if !self.is_global_zero() {
            return;
        }
        let Some(run) = self.made_log_dir() else { return };
        let Ok(folder) = std::path::absolute(atomic_file::folder_of(path)) else { return };
        let mut folders = checkpoint_folders(run);
        let is_known = folders.iter().any(|known| std::path::absolute(known).is_ok_and(|known| known == folder));
        if is_known || folder.to_str().is_none_or(|text| text.contains('\n')) {
            return;
        }
        folders.push(folder);
        let list: String = folders.iter().skip(1).map(|folder| format!("{}\n", folder.display())).collect();
        let _ = atomic_file::write(&run.join(ELSEWHERE), |file| file.write_all(list.as_bytes()));
    }
}

/// The folders in which the run of a folder has written checkpoints: the one in its own folder, and others.
pub(crate) fn checkpoint_folders(run: &Path) -> Vec<PathBuf> {
    let list = regular_file::read_to_string(&run.join(ELSEWHERE)).unwrap_or_default();
    std::iter::once(run.join(CHECKPOINTS)).chain(list.lines().map(PathBuf::from)).collect()
}
