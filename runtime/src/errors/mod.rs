//! The errors of a run, and the mistakes that the compiler finds.
//!
//! # Errors of a run
//!
//! The methods of a [`Trainer`](crate::Trainer) return [`Error`], whose message names what failed, the location in the run, and how to
//! fix it. The other types are parts of it, or errors of single functions.
//!
//! # Mistakes that the compiler finds
//!
//! Each has a code at the end of its message, such as `[TL0101]`. The page of a code shows an example of the mistake, explains it, and
//! shows a correct version.
//!
//! | codes | |
//! |---|---|
//! | TL00… | names of hooks |
//! | TL01… | parameters of hooks, and keywords before `fn` |
//! | TL02… | return types of hooks |
//! | TL03… | the attribute and its block |
//! | TL04… | hooks that require or exclude each other |
//! | TL05… | batches |
//! | TL06… | programs and runs |
//! | TL07… | logging |
//!
//! # Errors at run time only
//!
//! The compiler cannot find the following mistakes. They are errors of a run, which name the location:
//!
//! - a missing loader of a verb: the data may come from the module, a data module or the caller;
//! - a wrong number of optimizers in a `Vec`, hyperparameters out of range, or patterns that match no parameter;
//! - an `optimizer_step` that does not run its closure;
//! - wrong shapes of logged values and of batches;
//! - a command of the generated program that the module does not support, such as `fit` without `training_step`.

pub use crate::config::ConfigurationError;
pub use crate::error::{Error, HookError};
pub use crate::file_error::FileError;
pub use crate::hook::MissingHook;
pub use crate::log::LogError;
pub use crate::mismatch::{Mismatch, Misshaped, Mistyped};

/// Declares a module for each page, which only contains the page.
macro_rules! pages {
    ($($code:ident)*) => {$(
        #[doc = include_str!(concat!(stringify!($code), ".md"))]
        #[allow(non_snake_case)]
        pub mod $code {}
    )*};
}

pages! {
    TL0001 TL0002 TL0003 TL0004 TL0005 TL0006
    TL0101 TL0102 TL0103 TL0104 TL0105 TL0106 TL0107 TL0108 TL0109 TL0110 TL0111
    TL0201 TL0202 TL0203 TL0204 TL0205
    TL0301 TL0302 TL0303 TL0304 TL0305 TL0306 TL0307 TL0308 TL0309 TL0310
    TL0401 TL0402 TL0403 TL0404 TL0405 TL0406 TL0407 TL0408 TL0409 TL0410 TL0411 TL0412 TL0413 TL0414
    TL0501 TL0502 TL0503 TL0504 TL0505 TL0506 TL0507 TL0508
    TL0601 TL0602 TL0603 TL0604 TL0605 TL0606 TL0607 TL0608
    TL0701 TL0702 TL0703
}
