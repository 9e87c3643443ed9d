//! Images as a ResNet takes them, turned and shifted at random for the training.

use std::f64::consts::PI;
use tch_lightning::data::Dataset;
use tch_lightning::prelude::*;

/// The width and height of an image.
pub const SIDE: i64 = 32;

/// The largest random angle in radians, and the largest random shift as a part of half the image.
const ANGLE: f64 = PI / 12.0;
const SHIFT: f64 = 0.15;
/// The largest random change of size.
const ZOOM: f64 = 0.1;

/// Images with their classes. A sample is an image `[3, 32, 32] f32` and its class `[] i64`.
#[derive(Clone)]
pub struct Images {
    /// Images `[count, 1, height, width] f32` from 0 to 1, and their classes `[count] i64`.
    pub images: TensorDataset<(Tensor, Tensor)>,
    /// Whether each sample is changed at random.
    pub augment: bool,
}

impl Dataset for Images {
    type Sample = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.images.len()
    }

    fn get_item(&self, index: usize) -> Result<(Tensor, Tensor)> {
        let (image, class) = self.images.get_item(index)?;
        let image = image.f_unsqueeze(0)?;
        let image = if self.augment {
            sampled(&image, &random_place()?)?
        } else {
            sampled(&image, &place(0.0, 1.0, [0.0; 2]))?
        };
        // three equal channels, with the mean and the deviation that torchvision's weights expect
        Ok(((image.f_expand([3, SIDE, SIDE], false)? - 0.45) / 0.225, class))
    }
}

/// Draws where an image is sampled. A loader's workers give each sample and epoch random numbers of their own.
fn random_place() -> Result<Tensor> {
    let drawn = Tensor::f_rand([4], (Kind::Double, Device::Cpu))? * 2.0 - 1.0;
    let drawn = Vec::<f64>::try_from(drawn)?;
    Ok(place(drawn[0] * ANGLE, 1.0 + drawn[1] * ZOOM, [drawn[2] * SHIFT, drawn[3] * SHIFT]))
}

/// Returns the matrix of a turn, a change of size and a shift, `[1, 2, 3] f32`.
fn place(angle: f64, zoom: f64, [right, down]: [f64; 2]) -> Tensor {
    let (sine, cosine) = (angle.sin() * zoom, angle.cos() * zoom);
    let matrix = [cosine, -sine, right, sine, cosine, down].map(|value| value as f32);
    Tensor::from_slice(&matrix).view([1, 2, 3])
}

/// Samples an image `[1, 1, height, width]` at another place and size, `[1, 32, 32]`.
fn sampled(image: &Tensor, place: &Tensor) -> Result<Tensor> {
    let grid = Tensor::f_affine_grid_generator(place, [1, 1, SIDE, SIDE], false)?;
    const BILINEAR: i64 = 0;
    const ZEROS: i64 = 0;
    Ok(image.f_grid_sampler(&grid, BILINEAR, ZEROS, false)?.f_squeeze_dim(0)?)
}
