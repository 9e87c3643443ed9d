use super::LogError;
use super::entry::Logged;
use super::key::Key;
use std::collections::HashMap;

/// The names under which loggers and callbacks get values, each with the entry that has it. Over the whole run, a column is that of
/// one name, and of one loader where the name does not have the loader's number.
#[derive(Default)]
pub(super) struct Columns(HashMap<String, Owner>);

/// The entry that has a column.
#[derive(Clone)]
struct Owner {
    name: String,
    /// The loader of an entry whose name does not have its number.
    loader: Option<usize>,
}

impl Owner {
    fn of(key: &Key, logged: &Logged) -> Self {
        let loader = key.dataloader_idx.filter(|_| !logged.arguments.add_dataloader_idx);
        Self { name: key.name.clone(), loader }
    }

    /// Fails where two entries cannot have one column.
    fn share(&self, other: &Self, column: &str) -> Result<(), LogError> {
        if self.name != other.name {
            let (name, other, column) = (self.name.clone(), other.name.clone(), column.to_owned());
            return Err(LogError::Column { name, other, column });
        }
        match (other.loader, self.loader) {
            (Some(first), Some(second)) if first != second => {
                Err(LogError::SharedName { name: self.name.clone(), first, second })
            }
            _ => Ok(()),
        }
    }
}

impl Columns {
    /// Takes the columns of an entry. Fails where one is that of another name or loader, also among those of `other`.
    pub(super) fn take(&mut self, key: &Key, logged: &Logged, other: &Self) -> Result<(), LogError> {
        let own = Owner::of(key, logged);
        for column in logged.columns(key) {
            if let Some(owner) = self.0.get(&column).or_else(|| other.0.get(&column)) {
                own.share(owner, &column)?;
            }
            self.0.insert(column, own.clone());
        }
        Ok(())
    }

    /// Takes the columns of an entry that a checkpoint has from within the epoch. Where two names have one there, logging them again
    /// fails.
    pub(super) fn restore(&mut self, key: &Key, logged: &Logged) {
        if logged.is_current {
            self.0.extend(logged.columns(key).map(|column| (column, Owner::of(key, logged))));
        }
    }
}
