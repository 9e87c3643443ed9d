//! Records the operations on the files below a folder, and replays them up to a kill or a power cut, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A change to a file or a folder, or a sync of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// The contents of a new file.
    Write(PathBuf, Vec<u8>),
    /// The new contents of an existing file.
    Change(PathBuf, Vec<u8>),
    SyncFile(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    MakeFolder(PathBuf),
    SyncFolder(PathBuf),
    Remove(PathBuf),
}

type Operations = Arc<Mutex<Vec<Operation>>>;

static RECORDERS: Mutex<Vec<(PathBuf, Operations)>> = Mutex::new(Vec::new());

/// Records the operations of all threads below a folder.
pub(crate) struct Recorder {
    root: PathBuf,
    operations: Operations,
}

impl Recorder {
    pub(crate) fn of(root: &Path) -> Self {
        let recorder = Self { root: root.to_owned(), operations: Operations::default() };
        let entry = (recorder.root.clone(), Arc::clone(&recorder.operations));
        RECORDERS.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        recorder
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.operations.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        RECORDERS.lock().unwrap_or_else(PoisonError::into_inner).retain(|(root, _)| *root != self.root);
    }
}

impl Operation {
    fn path(&self) -> &Path {
        match self {
            Self::Write(path, _) | Self::Change(path, _) | Self::SyncFile(path) => path,
            Self::Rename(_, path) | Self::Link(path, _) => path,
            Self::MakeFolder(path) | Self::SyncFolder(path) | Self::Remove(path) => path,
        }
    }
}

pub(super) fn record(operation: impl FnOnce() -> Operation) {
    let recorders = RECORDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if recorders.is_empty() {
        return;
    }
    let operation = operation();
    for (_, operations) in recorders.iter().filter(|(root, _)| operation.path().starts_with(root)) {
        operations.lock().unwrap().push(operation.clone());
    }
}

/// The entry under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Folder,
    Link(PathBuf),
    /// A file, by its index in `Disk::files`.
    File(usize),
}

/// The contents of a file, by their index among all contents written.
pub(crate) type Contents = usize;

/// Files and folders by path.
pub(crate) type Names = BTreeMap<PathBuf, Entry>;

/// A name that is set or removed.
type Change = (PathBuf, Option<Entry>);

/// A disk on which operations are replayed.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    /// The current and the synced contents of each file.
    files: Vec<(Contents, Option<Contents>)>,
    written: Contents,
    names: Names,
    /// The synced names.
    durable: Names,
    /// The changes since the last sync, in order. Those of one operation are atomic.
    pending: Vec<Vec<Change>>,
}

impl Disk {
    pub(crate) fn replay(&mut self, operation: &Operation) {
        match operation {
            Operation::Write(path, _) => {
                self.files.push((self.written, None));
                self.written += 1;
                self.change(vec![(path.clone(), Some(Entry::File(self.files.len() - 1)))]);
            }
            Operation::Change(path, _) => {
                if let Some(Entry::File(file)) = self.names.get(path) {
                    self.files[*file].0 = self.written;
                }
                self.written += 1;
            }
            Operation::SyncFile(path) => {
                if let Some(Entry::File(file)) = self.names.get(path) {
                    self.files[*file].1 = Some(self.files[*file].0);
                }
            }
            Operation::Rename(from, to) => {
                let entry = self.names.get(from).cloned();
                self.change(vec![(from.clone(), None), (to.clone(), entry)]);
            }
            Operation::Link(path, target) => self.change(vec![(path.clone(), Some(Entry::Link(target.clone())))]),
            Operation::MakeFolder(path) => self.change(vec![(path.clone(), Some(Entry::Folder))]),
            Operation::Remove(path) => self.change(vec![(path.clone(), None)]),
            Operation::SyncFolder(folder) => {
                let is_in = |changes: &Vec<Change>| changes.iter().any(|(path, _)| path.parent() == Some(folder));
                let (forced, pending) = std::mem::take(&mut self.pending).into_iter().partition(is_in);
                self.pending = pending;
                Vec::into_iter(forced).for_each(|changes| apply(&mut self.durable, &changes));
            }
        }
    }

    fn change(&mut self, changes: Vec<Change>) {
        apply(&mut self.names, &changes);
        self.pending.push(changes);
    }

    /// Returns the files after a kill: everything that was done.
    pub(crate) fn after_a_kill(&self) -> BTreeMap<PathBuf, Survivor> {
        self.survivors(&self.names, |(contents, _)| Some(*contents))
    }

    /// Returns every state that a power cut may leave: the synced changes with any subset of the others.
    pub(crate) fn after_a_power_cut(&self) -> Vec<BTreeMap<PathBuf, Survivor>> {
        assert!(self.pending.len() < 12, "too many changes are not forced to the disk: {:?}", self.pending);
        let subsets = 0..1usize << self.pending.len();
        let left = subsets.map(|subset| {
            let mut names = self.durable.clone();
            for (index, changes) in self.pending.iter().enumerate() {
                if subset & (1 << index) != 0 {
                    apply(&mut names, changes);
                }
            }
            self.survivors(&names, |(_, forced)| *forced)
        });
        left.collect()
    }

    /// The entries that can be reached from the topmost folder.
    fn survivors(
        &self,
        names: &Names,
        contents: impl Fn(&(Contents, Option<Contents>)) -> Option<Contents>,
    ) -> BTreeMap<PathBuf, Survivor> {
        // folders that were there before are always found
        let is_there = |folder: &Path| !self.names.contains_key(folder) || names.get(folder) == Some(&Entry::Folder);
        let is_found = |path: &Path| path.ancestors().skip(1).all(is_there);
        let found = names.iter().filter(|(path, _)| is_found(path));
        let survivors = found.map(|(path, entry)| {
            let survivor = match entry {
                Entry::Folder => Survivor::Folder,
                Entry::Link(target) => Survivor::Link(path.parent().unwrap().join(target)),
                Entry::File(file) => contents(&self.files[*file]).map_or(Survivor::Damaged, Survivor::File),
            };
            (path.clone(), survivor)
        });
        survivors.collect()
    }
}

/// The entry left under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Survivor {
    Folder,
    /// A link to this path.
    Link(PathBuf),
    /// A file with these contents.
    File(Contents),
    /// A file whose contents were not synced.
    Damaged,
}

fn apply(names: &mut Names, changes: &[Change]) {
    for (path, entry) in changes {
        match entry {
            Some(entry) => drop(names.insert(path.clone(), entry.clone())),
            None => drop(names.remove(path)),
        }
    }
}
