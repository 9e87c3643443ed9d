//! Models in several safetensors files with an index, as Hugging Face writes large ones.

use crate::checkpoint::CheckpointError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The names of an index, and of a model in a single file, in the folder of a model.
const INDEX: &str = "model.safetensors.index.json";
const SINGLE: &str = "model.safetensors";

#[derive(Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// Returns the files of a model whose index or folder this is; `None` for any other file.
pub(super) fn files(path: &Path) -> Result<Option<Vec<PathBuf>>, CheckpointError> {
    if path.is_dir() {
        let (index, single) = (path.join(INDEX), path.join(SINGLE));
        return match (index.exists(), single.exists()) {
            (true, _) => named_in(&index).map(Some),
            (false, true) => Ok(Some(vec![single])),
            (false, false) => {
                let reason = format!("the folder has neither `{INDEX}` nor `{SINGLE}`");
                Err(CheckpointError::Index { path: path.to_owned(), reason })
            }
        };
    }
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    if is_json { named_in(path).map(Some) } else { Ok(None) }
}

fn named_in(index: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let invalid = |reason: String| CheckpointError::Index { path: index.to_owned(), reason };
    let bytes = crate::checkpoint::file::bytes(index)?;
    let Index { weight_map } = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    let names: BTreeSet<String> = weight_map.into_values().collect();
    let folder = index.parent().unwrap_or(Path::new(""));
    let files = names.into_iter().map(|name| {
        // an index from elsewhere names files next to it, and no others
        let is_name = Path::new(&name).file_name().is_some_and(|file| file == name.as_str());
        if is_name {
            Ok(folder.join(name))
        } else {
            Err(invalid(format!("`{name}` is not the name of a file next to it")))
        }
    });
    files.collect()
}
