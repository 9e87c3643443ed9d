use std::path::PathBuf;

/// An error of an [`ImageFolder`](super::ImageFolder) or of its transforms.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file or a folder could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or the folder.
        path: PathBuf,
        /// Why it could not be read. Its sentence is part of this one.
        r#source: std::io::Error,
    },

    /// The folder has no folders of classes.
    #[error("{} has no folders: an ImageFolder has a folder of images for each class", path.display())]
    NoClasses {
        /// The folder.
        path: PathBuf,
    },

    /// The folder of a class has no images.
    #[error("{} has no .png, .jpg or .jpeg files: add images of this class, or remove its folder", path.display())]
    NoImages {
        /// The folder of the class.
        path: PathBuf,
    },

    /// A link in a folder leads to a folder around it.
    #[error("{} leads back to a folder that it is in: remove this link", path.display())]
    Loop {
        /// The link.
        path: PathBuf,
    },

    /// A file is not an image.
    #[error("cannot decode the image {}: {source}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Why it could not be decoded. Its sentence is part of this one.
        r#source: image::ImageError,
    },

    /// A JPEG file ends before its end marker.
    #[error("the image {} is cut off: copy or download it again, or remove it", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
    },

    /// An image cannot be changed as a transform says.
    #[error("cannot {transform} the image of {width} x {height} pixels: {problem}")]
    Transform {
        /// The transform: `crop`.
        transform: &'static str,
        /// The width of the image.
        width: u32,
        /// The height of the image.
        height: u32,
        /// What is wrong.
        problem: String,
    },
}
