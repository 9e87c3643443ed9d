//! The catalogue of diagnostics: each has a stable code, a title, and its messages.
//!
//! `tch_lightning::errors` has a page for each code, `tests/ui/fail` a program with the error; the tests compare the three.
//! Each file has a group of codes. A code without a message here is reported by rustc, which has the types, with the message of a trait of the runtime
//! crate (`#[diagnostic::on_unimplemented]`).

use std::fmt::{self, Display};

/// Defines a function for each message, with the parameters that the message names, and a list of the codes with their titles.
macro_rules! catalogue {
    ($($code:ident $title:literal: $($diagnostic:ident($($value:ident),*) $sentence:literal)*;)*) => {
        $($(
            pub(crate) fn $diagnostic($($value: impl std::fmt::Display),*) -> super::Diagnostic {
                super::Diagnostic { code: stringify!($code), sentence: format!($sentence) }
            }
        )*)*

        /// The codes of the group with their titles.
        #[cfg(test)]
        pub(super) const CODES: &[(&str, &str)] = &[$((stringify!($code), $title)),*];
    };
}

mod batches;
mod blocks;
mod counterparts;
mod logging;
mod names;
mod parameters;
mod programs;
mod returns;
#[cfg(test)]
mod tests;

pub(crate) use batches::*;
pub(crate) use blocks::*;
pub(crate) use counterparts::*;
pub(crate) use names::*;
pub(crate) use parameters::*;
pub(crate) use programs::*;
pub(crate) use returns::*;

/// A diagnostic with its message.
pub(crate) struct Diagnostic {
    code: &'static str,
    sentence: String,
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.sentence, self.code)
    }
}
