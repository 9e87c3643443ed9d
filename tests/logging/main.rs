//! `ctx.log`: what is kept of a value, when it is reduced and reset, and which rows it makes.
#![allow(missing_docs)]

mod csv;
mod failures;
mod helpers;
mod metrics;
mod names;
mod never_updated;
mod records;
mod rows;
mod script;
mod values;
