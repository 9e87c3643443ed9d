use super::LogError;
use super::entry::Logged;
use super::key::Key;
use std::collections::HashMap;

/// The names under which loggers and callbacks get values, each with the name under which the value was logged. Over the whole
/// run, a column is that of one name.
#[derive(Default)]
pub(super) struct Columns(HashMap<String, String>);

impl Columns {
    /// Takes the columns of an entry for its name. Fails where one is that of another name, also among those of `other`.
    pub(super) fn take(&mut self, key: &Key, logged: &Logged, other: &Self) -> Result<(), LogError> {
        for column in logged.columns(key) {
            let owner = self.0.get(&column).or_else(|| other.0.get(&column));
            if let Some(owner) = owner.filter(|owner| **owner != key.name) {
                let (name, other) = (key.name.clone(), owner.clone());
                return Err(LogError::Column { name, other, column });
            }
            self.0.insert(column, key.name.clone());
        }
        Ok(())
    }

    /// Takes the columns of an entry that a checkpoint has from within the epoch. Where two names have one there, logging them again
    /// fails.
    pub(super) fn restore(&mut self, key: &Key, logged: &Logged) {
        if logged.is_current {
            self.0.extend(logged.columns(key).map(|column| (column, key.name.clone())));
        }
    }
}
