//! Frozen parameters that a checkpoint does not contain.

use super::CheckpointError;
use super::checksum::Checksum;
use super::dtype::bytes_of;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// The frozen parameters that a checkpoint does not contain, because the module has them from elsewhere, such as a file of pretrained
/// weights. Who loads the checkpoint must have the same values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenParameters {
    /// Their names, in alphabetical order.
    pub parameters: Vec<String>,
    /// The checksum of their names, shapes, dtypes and values.
    pub checksum: String,
}

impl FrozenParameters {
    /// Returns the description of these parameters; `None` if there are none.
    pub(crate) fn of(mut parameters: Vec<(String, Tensor)>) -> Result<Option<Self>, CheckpointError> {
        if parameters.is_empty() {
            return Ok(None);
        }
        parameters.sort_by(|one, other| one.0.cmp(&other.0));
        let checksum = checksum(&parameters)?;
        Ok(Some(Self { parameters: parameters.into_iter().map(|(name, _)| name).collect(), checksum }))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.parameters.binary_search_by(|own| own.as_str().cmp(name)).is_ok()
    }

    /// Fails if those of a module have other values.
    pub(super) fn check(&self, parameters: Vec<(String, Tensor)>) -> Result<(), CheckpointError> {
        let found = Self::of(parameters)?;
        if found.is_some_and(|found| found == *self) {
            return Ok(());
        }
        Err(CheckpointError::OtherFrozen { path: None, parameters: self.parameters.clone() })
    }
}

fn checksum(parameters: &[(String, Tensor)]) -> Result<String, CheckpointError> {
    let mut sum = Checksum::of_start(&[]);
    for (name, tensor) in parameters {
        sum.add(format!("{name} {:?} {:?}\n", tensor.f_kind()?, tensor.size()).as_bytes());
        sum.add(&bytes_of(tensor)?);
    }
    Ok(sum.digits())
}
