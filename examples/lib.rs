//! Shared by the examples: the handwritten digits, and pictures of them.

pub mod canvas;
pub mod data;
