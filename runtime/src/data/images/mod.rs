//! Folders of images, with their changes on the way into a batch.

mod cut_off;
mod error;
mod folder;
mod transforms;

pub use error::ImageError;
pub use folder::ImageFolder;
pub use transforms::ImageTransforms;
