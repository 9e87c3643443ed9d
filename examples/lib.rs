//! Shared by the examples: the handwritten digits, a language model and its texts, and pictures.

pub mod canvas;
pub mod data;
pub mod gpt2;
pub mod samples;
pub mod text;
