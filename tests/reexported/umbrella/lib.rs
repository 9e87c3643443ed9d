//! tch-lightning under a path of this crate.

/// What programs train with.
pub mod training {
    pub use tch_lightning as lightning;
}
