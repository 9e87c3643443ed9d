use super::LogError;
use super::entry::Logged;
use super::key::Key;
use std::collections::HashMap;

/// The names of the values for loggers and callbacks, each with its entry. Throughout a run, a column belongs to one logged name,
/// and to one loader if the name does not have the loader's number.
#[derive(Default)]
pub(super) struct Columns(HashMap<String, Owner>);

/// The entry that has a column.
#[derive(Clone)]
struct Owner {
    name: String,
    /// The loader of an entry without the loader's number in its name.
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
    /// Reserves the columns of an entry. Returns an error if one belongs to another name or loader, here or in `other`.
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

    /// Reserves the columns of an entry in a checkpoint from within an epoch. If two names there have the same column, logging them
    /// again fails.
    pub(super) fn restore(&mut self, key: &Key, logged: &Logged) {
        if logged.is_current {
            self.0.extend(logged.columns(key).map(|column| (column, Owner::of(key, logged))));
        }
    }
}
