use serde_json::Value;

/// A table, such as predictions next to their targets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value for each column.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// Returns a table without rows.
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row of texts, numbers or other JSON values.
    ///
    /// ```
    /// use tch_lightning::loggers::Table;
    /// use tch_lightning::serde_json::json;
    ///
    /// let table = Table::new(["word", "count"]).row([json!("the"), json!(7)]).row([json!("of"), json!(5)]);
    /// assert_eq!(table.rows[1], [json!("of"), json!(5)]);
    /// ```
    #[must_use]
    pub fn row<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.rows.push(values.into_iter().map(Into::into).collect());
        self
    }

    /// Returns what is wrong with a table that is not one.
    pub(crate) fn mistake(&self) -> Option<String> {
        let columns = self.columns.len();
        let (index, row) = self.rows.iter().enumerate().find(|(_, row)| row.len() != columns)?;
        Some(format!("a table of {columns} columns whose row {index} has {} values", row.len()))
    }
}
