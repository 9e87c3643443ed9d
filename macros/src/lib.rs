//! The procedural macros of tch-lightning.
