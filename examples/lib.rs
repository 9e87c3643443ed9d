//! What the examples share: the handwritten digits, and pictures of them.

pub mod canvas;
pub mod data;
