//! What a process tells the others of the values that it logged in an epoch.

use super::LogError;
use super::arguments::Arguments;
use super::key::Key;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A logged value, with which a process without batches joins in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    hook: String,
    dataloader_idx: Option<usize>,
    name: String,
    pub(super) arguments: Arguments,
}

impl Entry {
    pub(super) fn of(key: &Key, arguments: Arguments) -> Self {
        let Key { hook, dataloader_idx, name } = key;
        Self { hook: hook.name().to_owned(), dataloader_idx: *dataloader_idx, name: name.clone(), arguments }
    }

    pub(super) fn key(&self) -> Option<Key> {
        Key::of_hook_named(&self.hook, self.dataloader_idx, &self.name)
    }
}

/// The loaders whose batches a loop of one process has seen in an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Loaders {
    pub(super) has_batches: bool,
    /// Those of several loaders.
    pub(super) indices: BTreeSet<usize>,
}

impl Loaders {
    /// Whether a value cannot have been logged, as there was no batch.
    fn excuses(&self, entry: &Entry) -> bool {
        entry.dataloader_idx.map_or(!self.has_batches, |index| !self.indices.contains(&index))
    }
}

/// The logged values of a process, by their names in words.
#[derive(Serialize, Deserialize)]
pub(super) struct OfRank<T> {
    pub(super) loaders: Loaders,
    pub(super) entries: BTreeMap<String, (Entry, T)>,
}

/// Returns the names that any process has logged, each with its entry and with what each process that logged it has, in the order of the ranks.
///
/// # Errors
/// If a process has not logged a name although it had batches.
pub(super) fn together<T>(all: &[OfRank<T>]) -> Result<BTreeMap<&str, (&Entry, Vec<&T>)>, LogError> {
    let mut together: BTreeMap<&str, (&Entry, Vec<&T>)> = BTreeMap::new();
    for (name, (entry, part)) in all.iter().flat_map(|rank| &rank.entries) {
        together.entry(name).or_insert_with(|| (entry, Vec::new())).1.push(part);
    }
    for (name, (entry, _)) in &together {
        let is_missing = |rank: &OfRank<T>| !rank.entries.contains_key(*name) && !rank.loaders.excuses(entry);
        if all.iter().any(is_missing) {
            let names = all.iter().map(|rank| rank.entries.keys().map(String::as_str).collect());
            return Err(LogError::of_ranks(name, &names.collect::<Vec<_>>()));
        }
    }
    Ok(together)
}
