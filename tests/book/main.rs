//! The book: its picture of the hooks, its links, and its files.
#![allow(missing_docs)]

mod diagram;
mod pages;
