//! The descriptions of types: a flag of clap does not tell the type of its value, but can be compared with one.

use super::{Choice, Choices};
use clap::{Arg, ArgAction};
use std::any::TypeId;
use std::sync::{Mutex, PoisonError};

type Description = Result<&'static Choices, String>;

static DESCRIPTIONS: Mutex<Vec<(TypeId, Description)>> = Mutex::new(Vec::new());

/// Returns the choices of a type, which are found once.
///
/// # Errors
/// If the type's serialized form is not that of a choice.
pub(crate) fn describe<T: Choice>() -> Description {
    let mut descriptions = DESCRIPTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, description)) = descriptions.iter().find(|(id, _)| *id == TypeId::of::<T>()) {
        return description.clone();
    }
    let description = Choices::of::<T>().map(|choices| &*Box::leak(Box::new(choices)));
    descriptions.push((TypeId::of::<T>(), description.clone()));
    description
}

/// Returns the choices of a type that is known to be one.
pub(crate) fn choices_of<T: Choice>() -> &'static Choices {
    describe::<T>().unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// Returns the choices of the value of a flag, if it is one whose type is a choice. A flag that may be given several times has no flags for
/// the fields of its values, which would not belong to one of them.
pub(crate) fn choices_of_flag(arg: &Arg) -> Option<Description> {
    arg.get_long().filter(|_| matches!(arg.get_action(), ArgAction::Set))?;
    let id = arg.get_value_parser().type_id();
    let descriptions = DESCRIPTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    let description = descriptions.iter().find(|(known, _)| id == *known)?;
    Some(description.1.clone())
}
