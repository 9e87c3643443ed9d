//! The types that descriptions of choices are made from: a type itself, or a choice within a field of another one.

use super::choices::{NO_NAME, NotAChoice, table, with};
use super::{Choice, Choices, Documentation, FieldMistake};
use crate::json::{self, Probe, ProbeError};
use crate::yaml::Table;
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::Arc;

/// A type whose values are choices.
pub(super) trait Source: Send + Sync {
    /// Deserializes a table.
    fn probe(&self, table: &Table) -> Result<Sample, ProbeError>;

    /// Deserializes a value, and returns its first field that is out of range.
    fn read(&self, value: &Value) -> Result<Option<FieldMistake>, String>;
}

/// A value of a choice.
pub(super) struct Sample {
    /// Its serialized form; `None` for a value that cannot be serialized.
    pub(super) serialized: Option<Table>,
    pub(super) documentation: Documentation,
}

/// The choices of a type.
pub(super) struct OfType<T>(PhantomData<fn() -> T>);

impl<T> OfType<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Choice> Source for OfType<T> {
    fn probe(&self, table: &Table) -> Result<Sample, ProbeError> {
        let value = T::deserialize(Probe(&Value::Object(table.clone())))?;
        let serialized = match json::to_value(&value) {
            Ok(Value::Object(table)) => Some(table),
            _ => None,
        };
        Ok(Sample { serialized, documentation: value.documentation() })
    }

    fn read(&self, value: &Value) -> Result<Option<FieldMistake>, String> {
        json::from_value::<T>(value).map(|value| value.mistake()).map_err(|error| error.to_string())
    }
}

/// Choices within a field of another choice, such as the schedulers of a `SequentialLR`.
struct Within {
    outer: Arc<dyn Source>,
    /// A value of the outer choice, with a valid value for each required field.
    example: Table,
    field: String,
    is_list: bool,
}

impl Within {
    fn wrapped(&self, value: Value) -> Table {
        let value = if self.is_list { Value::Array(vec![value]) } else { value };
        with(&self.example, &self.field, value)
    }
}

impl Source for Within {
    fn probe(&self, table: &Table) -> Result<Sample, ProbeError> {
        let outer = self.outer.probe(&self.wrapped(Value::Object(table.clone())))?;
        let field = outer.serialized.and_then(|mut outer| outer.remove(&self.field));
        let value = match field {
            Some(Value::Array(mut items)) if self.is_list => items.pop(),
            other => other,
        };
        let serialized = match value {
            Some(Value::Object(table)) => Some(table),
            _ => None,
        };
        Ok(Sample { serialized, documentation: Documentation::default() })
    }

    /// The type of the outer choice checks the ranges.
    fn read(&self, value: &Value) -> Result<Option<FieldMistake>, String> {
        self.outer.read(&Value::Object(self.wrapped(value.clone()))).map(|_| None)
    }
}

impl Choices {
    /// Returns the choices that a field of a variant has as its value, or as the elements of its list, and whether it is a list.
    /// Returns `None` for a field of another type.
    pub(super) fn within(&self, example: &Table, field: &str) -> Option<(Self, bool)> {
        [false, true].into_iter().find_map(|is_list| {
            let (outer, field) = (Arc::clone(&self.source), field.to_owned());
            let within = Within { outer, example: example.clone(), field, is_list };
            // before the description of each variant, which is longer
            let Err(ProbeError::Missing(tag)) = within.probe(&Table::new()) else { return None };
            let Err(ProbeError::NotAVariant(_)) = within.probe(&table(tag, NO_NAME)) else { return None };
            let choices: Result<Self, NotAChoice> = Self::of_source(Arc::new(within));
            Some((choices.ok()?, is_list))
        })
    }
}
