//! The changes of an image on its way into a batch.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use image::imageops::{crop_imm, flip_horizontal_in_place};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tch::Tensor;

use super::ImageError;
use crate::data::order::{below, unit};
use crate::data::random_seed;
use crate::native;

/// How the images of an [`ImageFolder`](super::ImageFolder) are changed, in the order of the calls: torchvision's
/// [transforms](https://docs.pytorch.org/vision/stable/transforms.html).
///
/// Sizes are changed by bilinear interpolation with antialiasing, as torchvision does with Pillow's images. Random changes depend on the loader's
/// seed, the epoch and the sample alone, whatever the number of workers.
///
/// ```
/// use tch_lightning::data::ImageTransforms;
///
/// let training = ImageTransforms::new()
///     .random_resized_crop(224)
///     .random_horizontal_flip()
///     .normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// let validation =
///     ImageTransforms::new().resize(256).center_crop(224).normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// # let _ = (training, validation);
/// ```
#[derive(Debug, Clone)]
pub struct ImageTransforms {
    transforms: Vec<Transform>,
    mean: [f32; 3],
    std: [f32; 3],
}

/// The largest side that an image can be given, which is that of a JPEG file.
const LARGEST_SIDE: u32 = 65_535;

#[derive(Debug, Clone, Copy)]
enum Transform {
    Resize(u32),
    ResizeTo { height: u32, width: u32 },
    CenterCrop(u32),
    RandomResizedCrop(u32),
    RandomHorizontalFlip,
}

impl Default for ImageTransforms {
    fn default() -> Self {
        Self::new()
    }
}

impl ImageTransforms {
    /// Creates the transforms that change nothing.
    pub fn new() -> Self {
        Self { transforms: Vec::new(), mean: [0.0; 3], std: [1.0; 3] }
    }

    /// Resizes the shorter side to `size` pixels, and the other one so that the image keeps its shape.
    pub fn resize(self, size: u32) -> Self {
        self.with(Transform::Resize(size))
    }

    /// Resizes to a height and a width.
    pub fn resize_to(self, height: u32, width: u32) -> Self {
        self.with(Transform::ResizeTo { height, width })
    }

    /// Cuts the square of `size` pixels out of the centre. A smaller image is an error; torchvision would fill it up with black.
    pub fn center_crop(self, size: u32) -> Self {
        self.with(Transform::CenterCrop(size))
    }

    /// Cuts out a random part with 8 to 100 % of the area, whose sides have a ratio of 3:4 to 4:3, and resizes it to a square of `size` pixels.
    pub fn random_resized_crop(self, size: u32) -> Self {
        self.with(Transform::RandomResizedCrop(size))
    }

    /// Mirrors half of the images, at random.
    pub fn random_horizontal_flip(self) -> Self {
        self.with(Transform::RandomHorizontalFlip)
    }

    /// Subtracts the mean of each channel, red, green and blue, and divides by its standard deviation, after all other changes.
    pub fn normalize(self, mean: [f32; 3], std: [f32; 3]) -> Self {
        Self { mean, std, ..self }
    }

    fn with(mut self, transform: Transform) -> Self {
        self.transforms.push(transform);
        self
    }

    /// Returns the changed image, `[3, height, width]` f32.
    pub(super) fn apply(&self, mut image: RgbImage) -> anyhow::Result<Tensor> {
        let is_random = |transform: &Transform| {
            matches!(transform, Transform::RandomResizedCrop(_) | Transform::RandomHorizontalFlip)
        };
        let seed = if self.transforms.iter().any(is_random) { random_seed() } else { 0 };
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        for transform in &self.transforms {
            image = transform.apply(image, &mut generator)?;
        }
        self.tensor(&image)
    }

    fn tensor(&self, image: &RgbImage) -> anyhow::Result<Tensor> {
        let (width, height) = image.dimensions();
        if let Some(std) = self.std.iter().find(|std| !std.is_normal()) {
            let problem = format!("a standard deviation is {std}");
            return Err(ImageError::Transform { transform: "normalize", width, height, problem }.into());
        }
        let count = width as usize * height as usize;
        Ok(native::filled(&[3, i64::from(height), i64::from(width)], |to| {
            for channel in 0..3 {
                let (mean, std) = (self.mean[channel], self.std[channel]);
                let levels = image.as_raw().iter().skip(channel).step_by(3);
                to.write_each(count, levels.map(|level| (f32::from(*level) / 255.0 - mean) / std));
            }
            Ok(())
        })?)
    }
}

impl Transform {
    fn apply(self, mut image: RgbImage, generator: &mut ChaCha8Rng) -> Result<RgbImage, ImageError> {
        let (width, height) = image.dimensions();
        match self {
            Self::Resize(size) => {
                let scaled = |long: u32, short: u32| {
                    let scaled = u64::from(size) * u64::from(long) / u64::from(short);
                    u32::try_from(scaled).unwrap_or(u32::MAX)
                };
                match width <= height {
                    true => resized(&image, size, scaled(height, width)),
                    false => resized(&image, scaled(width, height), size),
                }
            }
            Self::ResizeTo { height, width } => resized(&image, width, height),
            Self::CenterCrop(0) => Err(ImageError::Transform {
                transform: "crop",
                width,
                height,
                problem: "0 pixels would be left".to_owned(),
            }),
            Self::CenterCrop(size) if size > width || size > height => Err(ImageError::Transform {
                transform: "crop",
                width,
                height,
                problem: format!("it is smaller than {size} x {size} pixels; resize it first"),
            }),
            Self::CenterCrop(size) => {
                Ok(crop_imm(&image, centered(width, size), centered(height, size), size, size).to_image())
            }
            Self::RandomResizedCrop(size) => {
                let (left, top, width, height) = random_part(width, height, generator);
                resized(&crop_imm(&image, left, top, width, height).to_image(), size, size)
            }
            Self::RandomHorizontalFlip => {
                if unit(generator) < 0.5 {
                    flip_horizontal_in_place(&mut image);
                }
                Ok(image)
            }
        }
    }
}

/// Returns where a part begins in the middle of a side, with Python's rounding of halves to even numbers, as in torchvision.
fn centered(side: u32, part: u32) -> u32 {
    (f64::from(side - part) / 2.0).round_ties_even() as u32
}

/// Returns the left and upper edge, the width and the height of a random part, as torchvision's `RandomResizedCrop.get_params`.
fn random_part(width: u32, height: u32, generator: &mut ChaCha8Rng) -> (u32, u32, u32, u32) {
    let (smallest, largest) = (3.0_f64 / 4.0, 4.0_f64 / 3.0);
    let area = f64::from(width) * f64::from(height);
    for _ in 0..10 {
        let part = area * between(0.08, 1.0, generator);
        let ratio = between(smallest.ln(), largest.ln(), generator).exp();
        let (w, h) = ((part * ratio).sqrt().round_ties_even() as u32, (part / ratio).sqrt().round_ties_even() as u32);
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            let top = below(generator, (height - h + 1) as usize) as u32;
            return (below(generator, (width - w + 1) as usize) as u32, top, w, h);
        }
    }
    // a long image: as much of it as the ratios allow
    let ratio = f64::from(width) / f64::from(height);
    let (w, h) = match ratio {
        _ if ratio < smallest => (width, (f64::from(width) / smallest).round_ties_even() as u32),
        _ if ratio > largest => ((f64::from(height) * largest).round_ties_even() as u32, height),
        _ => (width, height),
    };
    ((width - w) / 2, (height - h) / 2, w, h)
}

fn between(low: f64, high: f64, generator: &mut ChaCha8Rng) -> f64 {
    low + (high - low) * unit(generator)
}

fn resized(image: &RgbImage, width: u32, height: u32) -> Result<RgbImage, ImageError> {
    let refused = |problem: String| {
        let (width, height) = image.dimensions();
        ImageError::Transform { transform: "resize", width, height, problem }
    };
    if !(1..=LARGEST_SIDE).contains(&width) || !(1..=LARGEST_SIDE).contains(&height) {
        return Err(refused(format!("{width} x {height} pixels are not the size of an image")));
    }
    let (w, h) = image.dimensions();
    let from = ImageRef::new(w, h, image.as_raw(), PixelType::U8x3).map_err(|error| refused(error.to_string()))?;
    let mut to = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&from, &mut to, &options).map_err(|error| refused(error.to_string()))?;
    RgbImage::from_raw(width, height, to.into_vec()).ok_or_else(|| refused("its pixels do not fill it".to_owned()))
}
