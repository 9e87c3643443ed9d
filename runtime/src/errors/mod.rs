//! The errors of a run, and the mistakes that the compiler finds.
//!
//! # Errors of a run
//!
//! [`Error`] is what the methods of a [`Trainer`](crate::Trainer) return: it says what failed, where in the run, and what to do.
//! The others are parts of it, and what single functions return.
//!
//! # Mistakes that the compiler finds
//!
//! Each has a code, which stands at the end of its sentence: `[TL0101]`. Its page shows what was written, says why it cannot
//! work, and shows a version that does.
//!
//! | codes | |
//! |---|---|
//! | TL00… | names of hooks |
//! | TL01… | parameters of hooks, and what stands before `fn` |
//! | TL02… | what hooks return |
//! | TL03… | the attribute and its block |
//! | TL04… | what belongs together |
//! | TL05… | batches |
//! | TL06… | programs and runs |
//! | TL07… | logging |
//!
//! # What is left to run time
//!
//! The compiler cannot know these, so that a run says them, in one sentence with its place:
//!
//! - whether there is a loader for a verb: the data may come from the module, a data module or the caller;
//! - how many optimizers `configure_optimizers` returns in a `Vec`, whether their hyperparameters are in range, and whether
//!   their patterns match parameters' names;
//! - whether `optimizer_step` ran its closure: it may do so on some branch of its own;
//! - the shape of what is logged, and of batches: libtorch's tensors carry their shapes at run time;
//! - what a generated program is asked on the command line: `fit` of a module without `training_step` is a sentence there.

pub use crate::config::ConfigurationError;
pub use crate::error::{Error, HookError};
pub use crate::file_error::FileError;
pub use crate::hook::MissingHook;
pub use crate::log::LogError;
pub use crate::mismatch::{Mismatch, Misshaped, Mistyped};

/// A module for each page, with nothing but the page in it.
macro_rules! pages {
    ($($code:ident)*) => {$(
        #[doc = include_str!(concat!(stringify!($code), ".md"))]
        #[allow(non_snake_case)]
        pub mod $code {}
    )*};
}

pages! {
    TL0001 TL0002 TL0003 TL0004 TL0005
    TL0101 TL0102 TL0103 TL0104 TL0105 TL0106 TL0107 TL0108 TL0109 TL0110
    TL0201 TL0202 TL0203 TL0204 TL0205
    TL0301 TL0302 TL0303 TL0304 TL0305
    TL0401 TL0402 TL0403 TL0404 TL0405 TL0406 TL0407 TL0408 TL0409 TL0410
    TL0501 TL0502 TL0503 TL0504 TL0505
    TL0601 TL0602 TL0603 TL0604 TL0605 TL0606
    TL0701 TL0702
}
