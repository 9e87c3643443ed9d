//! Images in a folder for each class.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tch::Tensor;

use super::cut_off::is_cut_off;
use super::{ImageError, ImageTransforms};
use crate::data::Dataset;

/// The images in `root/class/…`, in PNG or JPEG, with the number of their class: torchvision's
/// [`ImageFolder`](https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html). With the feature `images`.
///
/// The classes are the folders in `root`, sorted by name, and the images of each the files in it and in its folders, sorted by path. A sample
/// is the image as RGB, `[3, height, width]` f32 from 0 to 1, and its class. Images are decoded and changed by
/// [`ImageTransforms`] as they are read, so by the workers if there are any.
///
/// ```
/// use tch_lightning::data::{DataLoader, ImageFolder, ImageTransforms};
/// # let root = tempfile::tempdir()?;
/// # for (class, level) in [("cats", 255), ("dogs", 0)] {
/// #     std::fs::create_dir(root.path().join(class))?;
/// #     let image = tch::Tensor::full([3, 48, 64], level, (tch::Kind::Uint8, tch::Device::Cpu));
/// #     tch::vision::image::save(&image, root.path().join(class).join("1.png"))?;
/// # }
///
/// let transforms = ImageTransforms::new().random_resized_crop(32).random_horizontal_flip();
/// let images = ImageFolder::new(&root)?.transforms(transforms);
/// assert_eq!(images.classes(), ["cats", "dogs"]);
///
/// let loader = DataLoader::with_workers(images, 2).batch_size(2).shuffle(true);
/// let (pixels, classes) = loader.epoch(0)?.next().unwrap()?;
/// assert_eq!((pixels.size(), classes.size()), (vec![2, 3, 32, 32], vec![2]));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ImageFolder {
    classes: Arc<[String]>,
    images: Arc<[(PathBuf, i64)]>,
    transforms: ImageTransforms,
}

impl ImageFolder {
    /// Finds the images in the folders of `root`. They are read later.
    ///
    /// # Errors
    /// [`ImageError::Read`] if a folder cannot be read, [`ImageError::NoClasses`] without folders of classes,
    /// [`ImageError::NoImages`] if one is without images, [`ImageError::Loop`] if one has a link to a folder around it.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, ImageError> {
        let root = root.as_ref();
        let folders: Vec<PathBuf> = entries(root)?.into_iter().filter(|path| path.is_dir()).collect();
        if folders.is_empty() {
            return Err(ImageError::NoClasses { path: root.to_owned() });
        }
        let (mut classes, mut images) = (Vec::new(), Vec::new());
        for (class, folder) in folders.into_iter().enumerate() {
            let before = images.len();
            add_images(&folder, class as i64, &mut Vec::new(), &mut images)?;
            if images.len() == before {
                return Err(ImageError::NoImages { path: folder });
            }
            classes.push(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        Ok(Self { classes: classes.into(), images: images.into(), transforms: ImageTransforms::new() })
    }

    /// Sets how each image is changed after it has been read; not at all by default.
    pub fn transforms(self, transforms: ImageTransforms) -> Self {
        Self { transforms, ..self }
    }

    /// The names of the classes, sorted: the class with the number 0 is the first.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The paths of the images with the numbers of their classes, in the order of the samples.
    pub fn images(&self) -> &[(PathBuf, i64)] {
        &self.images
    }
}

impl Dataset for ImageFolder {
    type Sample = (Tensor, i64);

    fn len(&self) -> usize {
        self.images.len()
    }

    fn get_item(&self, index: usize) -> anyhow::Result<(Tensor, i64)> {
        let (path, class) = self.images.get(index).context("the index is out of range for this ImageFolder")?;
        let bytes = fs::read(path).map_err(|source| ImageError::Read { path: path.clone(), source })?;
        if is_cut_off(&bytes) {
            return Err(ImageError::CutOff { path: path.clone() }.into());
        }
        // by the first bytes, as files have wrong endings at times
        let decoded = image::load_from_memory(&bytes);
        let decoded = decoded.map_err(|source| ImageError::Decode { path: path.clone(), source })?;
        let pixels = self.transforms.apply(decoded.into_rgb8()).with_context(|| path.display().to_string())?;
        Ok((pixels, *class))
    }
}

/// Returns what is in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ImageError> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut entries = read().map_err(|source| ImageError::Read { path: folder.to_owned(), source })?;
    entries.sort();
    Ok(entries)
}

/// Adds the images of a folder and of those in it. `above` are the folders around it, without links.
fn add_images(
    folder: &Path,
    class: i64,
    above: &mut Vec<PathBuf>,
    images: &mut Vec<(PathBuf, i64)>,
) -> Result<(), ImageError> {
    let resolved = folder.canonicalize().map_err(|source| ImageError::Read { path: folder.to_owned(), source })?;
    if above.contains(&resolved) {
        return Err(ImageError::Loop { path: folder.to_owned() });
    }
    above.push(resolved);
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries(folder)?.into_iter().partition(|path| path.is_dir());
    images.extend(files.into_iter().filter(|path| is_image(path)).map(|path| (path, class)));
    folders.iter().try_for_each(|folder| add_images(folder, class, above, images))?;
    above.pop();
    Ok(())
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    ["png", "jpg", "jpeg"].contains(&ending.as_str())
}
