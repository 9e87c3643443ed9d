//! The book: its pictures of the hooks, its files and links, and the commands that it shows.
#![allow(missing_docs)]

mod commands;
mod diagram;
mod pages;
