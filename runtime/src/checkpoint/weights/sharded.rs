//! Models in several safetensors files with an index, as Hugging Face writes large ones.

use super::stored::Stored;
use crate::checkpoint::CheckpointError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names of an index, and of a model in a single file, in the folder of a model.
const INDEX: &str = "model.safetensors.index.json";
const SINGLE: &str = "model.safetensors";

#[derive(Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// One of the files of a model.
pub(super) struct Shard {
    pub(super) path: PathBuf,
    /// The index that names it; `None` for a model in a single file.
    index: Option<Arc<(PathBuf, Index)>>,
}

impl Shard {
    /// Returns those of its tensors that the index does not say to be in another file.
    ///
    /// # Errors
    /// [`CheckpointError::Index`] if a tensor is not there that the index says to be in this file.
    pub(super) fn assigned(&self, mut stored: Vec<Stored>) -> Result<Vec<Stored>, CheckpointError> {
        let Some(index) = &self.index else { return Ok(stored) };
        let (path, Index { weight_map }) = &**index;
        let is_here = |file: &String| self.path.ends_with(file);
        let names: HashSet<&str> = stored.iter().map(|one| one.name.as_str()).collect();
        let mut expected = weight_map.iter().filter(|(_, file)| is_here(file));
        if let Some((tensor, file)) = expected.find(|(tensor, _)| !names.contains(tensor.as_str())) {
            return Err(invalid(path, format!("`{tensor}` is not in `{file}`, the file that it names for it")));
        }
        stored.retain(|one| weight_map.get(&one.name).is_none_or(is_here));
        Ok(stored)
    }
}

/// Returns the files of a model whose index or folder this is; `None` for any other file.
pub(super) fn files(path: &Path) -> Result<Option<Vec<Shard>>, CheckpointError> {
    if path.is_dir() {
        let (index, single) = (path.join(INDEX), path.join(SINGLE));
        return match (index.exists(), single.exists()) {
            (true, _) => named_in(&index).map(Some),
            (false, true) => Ok(Some(vec![Shard { path: single, index: None }])),
            (false, false) => Err(invalid(path, format!("the folder has neither `{INDEX}` nor `{SINGLE}`"))),
        };
    }
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    if is_json { named_in(path).map(Some) } else { Ok(None) }
}

fn named_in(path: &Path) -> Result<Vec<Shard>, CheckpointError> {
    let bytes = crate::checkpoint::file::bytes(path)?;
    let read: Index = serde_json::from_slice(&bytes).map_err(|error| invalid(path, error.to_string()))?;
    let index = Arc::new((path.to_owned(), read));
    let names: BTreeSet<&String> = index.1.weight_map.values().collect();
    let folder = path.parent().unwrap_or(Path::new(""));
    let shards = names.into_iter().map(|name| {
        // an index from elsewhere names files next to it, and no others
        if Path::new(name).file_name().is_none_or(|file| file != name.as_str()) {
            return Err(invalid(path, format!("`{name}` is not the name of a file next to it")));
        }
        let shard = folder.join(name);
        if !shard.exists() {
            return Err(invalid(path, format!("`{name}`, which it names, is not next to it: copy or download it too")));
        }
        Ok(Shard { path: shard, index: Some(Arc::clone(&index)) })
    });
    shards.collect()
}

fn invalid(path: &Path, reason: String) -> CheckpointError {
    CheckpointError::Index { path: path.to_owned(), reason }
}
