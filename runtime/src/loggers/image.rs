use tch::{Kind, TchError, Tensor};

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
    fn image_of_numbers_is_scaled() {
        let numbers = [0.0, 1.0, 0.5, -3.0, 7.0, f32::NAN, f32::INFINITY, 0.1];
        let image = Image::read(&Tensor::from_slice(&numbers).view([1, 2, 4])).unwrap();
        // 127.5 and 25.5 are rounded to even numbers
        assert_eq!(image.pixels, [0, 255, 128, 0, 255, 0, 255, 26]);
    }
}
