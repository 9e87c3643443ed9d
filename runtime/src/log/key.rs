use crate::hook::Hook;
use indexmap::Equivalent;
use std::hash::{Hash, Hasher};

/// The key of a logged value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) hook: Hook,
    pub(super) dataloader_idx: Option<usize>,
    pub(super) name: String,
}

/// A [`Key`] that is looked for.
#[derive(Clone, Copy, Hash)]
pub(crate) struct Name<'a> {
    pub(crate) hook: Hook,
    pub(crate) dataloader_idx: Option<usize>,
    pub(crate) name: &'a str,
}

impl Key {
    /// Returns the key of a hook with this name; `None` if it does not exist in this version.
    pub(super) fn of_hook_named(hook: &str, dataloader_idx: Option<usize>, name: &str) -> Option<Self> {
        let hook = Hook::ALL.iter().copied().find(|known| known.name() == hook)?;
        Some(Self { hook, dataloader_idx, name: name.to_owned() })
    }

    pub(super) fn suffix(&self) -> String {
        self.dataloader_idx.map(|index| format!("{DATALOADER_SUFFIX}{index}")).unwrap_or_default()
    }
}

/// The separator between a name and the number of a loader, if there are several loaders.
pub(crate) const DATALOADER_SUFFIX: &str = "/dataloader_idx_";

impl From<Name<'_>> for Key {
    fn from(Name { hook, dataloader_idx, name }: Name<'_>) -> Self {
        Self { hook, dataloader_idx, name: name.to_owned() }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { hook, dataloader_idx, name } = self;
        Name { hook: *hook, dataloader_idx: *dataloader_idx, name }.hash(state);
    }
}

impl Equivalent<Key> for Name<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        #[cfg(test)]
        comparisons::count();
        (self.hook, self.dataloader_idx, self.name) == (key.hook, key.dataloader_idx, &key.name)
    }
}

/// How often a name was compared with another on this thread: what a search costs.
#[cfg(test)]
pub(super) mod comparisons {
    use std::cell::Cell;

    thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

    pub(super) fn count() {
        COUNT.set(COUNT.get() + 1);
    }

    pub(in super::super) fn take() -> usize {
        COUNT.take()
    }
}
