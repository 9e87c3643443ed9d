use std::io;
use tch::{Kind, TchError, Tensor};

/// The pictures in a row of a grid, and the pixels between two of them.
const COLUMNS: i64 = 8;
const SPACE: i64 = 2;

/// A picture in the memory of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Image {
    /// The width in pixels.
    pub width: usize,
    /// The height in pixels.
    pub height: usize,
    /// The channels of a pixel: 1 for grey, 3 for RGB, 4 for RGBA.
    pub channels: usize,
    /// The rows from top to bottom, and in each the pixels from left to right with their channels one after the other, as encoders of
    /// PNG take them.
    pub pixels: Vec<u8>,
}

impl Image {
    /// Returns the picture as a PNG file.
    ///
    /// # Errors
    /// If the fields do not describe a picture, as of one that was built by hand.
    pub fn to_png(&self) -> io::Result<Vec<u8>> {
        let side = |length: usize| u32::try_from(length).map_err(io::Error::other);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, side(self.width)?, side(self.height)?);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_color(match self.channels {
            1 => png::ColorType::Grayscale,
            3 => png::ColorType::Rgb,
            4 => png::ColorType::Rgba,
            other => return Err(io::Error::other(format!("an image has 1, 3 or 4 channels, and not {other}"))),
        });
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(file)
    }

    /// Returns what is wrong with a tensor that is not a picture.
    pub(crate) fn mistake(tensor: &Tensor) -> Option<String> {
        let size = tensor.size();
        let is_picture = matches!(size.as_slice(), [1 | 3 | 4, height, width] if *height > 0 && *width > 0);
        if !is_picture {
            return Some(format!(
                "a tensor of shape {size:?}: an image is [channels, height, width], with 1, 3 or 4 channels"
            ));
        }
        let kind = tensor.kind();
        let is_readable = kind == Kind::Uint8 || tensor.is_floating_point();
        (!is_readable).then(|| format!("values of {kind:?}: an image has bytes, or floating-point numbers from 0 to 1"))
    }

    /// Returns what is wrong with a tensor that is not several pictures.
    pub(crate) fn grid_mistake(images: &Tensor) -> Option<String> {
        let size = if images.defined() { images.size() } else { Vec::new() };
        match size.as_slice() {
            [number, _, _, _] if *number > 0 => Self::mistake(&images.get(0)),
            _ => Some(format!("a tensor of shape {size:?}: images are [images, channels, height, width]")),
        }
    }

    /// Returns the pictures `[images, channels, height, width]` as one.
    pub(crate) fn grid(images: &Tensor) -> Result<Tensor, TchError> {
        let (number, channels, height, width) = images.size4()?;
        let columns = number.min(COLUMNS);
        let rows = (number + columns - 1) / columns;
        let (height, width) = (height + SPACE, width + SPACE);
        // space is below and to the right of each picture, and above and to the left of all
        let spaced = images.f_constant_pad_nd([0, SPACE, 0, SPACE, 0, 0, 0, rows * columns - number])?;
        let grid = spaced.f_view([rows, columns, channels, height, width])?.f_permute([2, 0, 3, 1, 4])?;
        let grid = grid.f_reshape([channels, rows * height, columns * width])?;
        grid.f_constant_pad_nd([SPACE, 0, SPACE, 0])
    }

    /// Reads a picture `[channels, height, width]` of bytes, or of floating-point numbers from 0 to 1. Waits for the device.
    pub(crate) fn read(tensor: &Tensor) -> Result<Self, TchError> {
        let bytes = match tensor.f_kind()? {
            Kind::Uint8 => tensor.shallow_clone(),
            _ => {
                let scaled = tensor.f_to_kind(Kind::Float)?.f_nan_to_num(0.0, 1.0, 0.0)?.f_clamp(0.0, 1.0)?;
                (scaled * 255.0).f_round()?.f_to_kind(Kind::Uint8)?
            }
        };
        let size: Vec<usize> = bytes.size().into_iter().map(|length| usize::try_from(length).unwrap_or(0)).collect();
        let pixels = Vec::try_from(bytes.f_permute([1, 2, 0])?.f_contiguous()?.f_flatten(0, -1)?)?;
        Ok(Self { channels: size[0], height: size[1], width: size[2], pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn image_is_read_by_pixels() {
        // channel c, row y, column x: 12c + 4y + x
        let bytes = Tensor::arange(36, (Kind::Uint8, Device::Cpu)).view([3, 3, 4]);
        let image = Image::read(&bytes).unwrap();
        assert_eq!((image.width, image.height, image.channels), (4, 3, 3));
        assert_eq!(image.pixels[..6], [0, 12, 24, 1, 13, 25]);
        assert_eq!(image.pixels[12..15], [4, 16, 28]);
    }

    #[test]
    fn grid_is_that_of_torchvision() {
        // torchvision.utils.make_grid(arange(1, 10 * 2 * 3 + 1).view(10, 1, 2, 3)) has the shape [3, 10, 42]: its corners and sum
        let images = Tensor::arange_start(1, 61, (Kind::Float, Device::Cpu)).view([10, 1, 2, 3]);
        assert_eq!(Image::grid_mistake(&images), None);
        let grid = Image::grid(&images).unwrap();
        assert_eq!(grid.size(), [1, 10, 42]);
        let at = |row, column| grid.double_value(&[0, row, column]);
        assert_eq!(
            [at(0, 0), at(2, 2), at(3, 4), at(2, 7), at(6, 2), at(2, 37), at(6, 12)],
            [0., 1., 6., 7., 49., 43., 0.]
        );
        assert_eq!(grid.sum(Kind::Float).double_value(&[]), 60.0 * 61.0 / 2.0);
        let said = Image::grid_mistake(&Tensor::zeros([3, 4], (Kind::Float, Device::Cpu))).unwrap();
        assert!(said.starts_with("a tensor of shape [3, 4]"), "{said}");
    }

    #[test]
    fn image_is_written_as_png() {
        let image = Image { width: 2, height: 1, channels: 3, pixels: vec![255, 0, 0, 0, 0, 255] };
        let file = image.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (2, 1, png::ColorType::Rgb));
        assert_eq!(pixels[..6], [255, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn image_of_numbers_is_scaled() {
        let numbers = [0.0, 1.0, 0.5, -3.0, 7.0, f32::NAN, f32::INFINITY, 0.1];
        let image = Image::read(&Tensor::from_slice(&numbers).view([1, 2, 4])).unwrap();
        // 127.5 and 25.5 are rounded to even numbers
        assert_eq!(image.pixels, [0, 255, 128, 0, 255, 0, 255, 26]);
    }
}
