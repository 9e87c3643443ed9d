//! The methods of Lightning that have another name here: see `macros/src/python_names.rs`.
#![allow(missing_docs)]

tch_lightning_macros::declare_hooks!(PythonNames);
