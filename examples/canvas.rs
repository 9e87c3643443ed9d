//! A greyscale picture of digits, texts and curves.

use crate::data::SIDE;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_7X13;
use embedded_graphics::pixelcolor::Gray8;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Polyline, PrimitiveStyle, Rectangle};
use embedded_graphics::text::Text;
use std::convert::Infallible;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// The height of a line of text, in pixels.
const LINE: u32 = 15;

/// A picture, initially white.
pub struct Canvas {
    size: Size,
    /// One byte per pixel, row by row.
    pixels: Vec<u8>,
}

impl Canvas {
    /// Creates a white picture of this size in pixels.
    pub fn new(width: u32, height: u32) -> Self {
        let size = Size::new(width, height);
        Self { size, pixels: vec![u8::MAX; (width * height) as usize] }
    }

    /// Draws a digit of 64 pixels from 0 (paper) to 1 (ink), row by row, each as a square of `scale` by `scale` pixels.
    pub fn digit(&mut self, ink: &[f32], scale: u32, left: u32, top: u32) {
        let side = SIDE as u32;
        for (place, ink) in (0..).zip(ink) {
            let shade = Gray8::new(((1.0 - 0.9 * ink) * f32::from(u8::MAX)) as u8 - 8);
            let corner = Point::new((left + place % side * scale) as i32, (top + place / side * scale) as i32);
            let square = Rectangle::new(corner, Size::new_equal(scale)).into_styled(PrimitiveStyle::with_fill(shade));
            let Ok(()) = square.draw(self);
        }
    }

    /// Writes a line of text.
    pub fn write(&mut self, text: &str, left: u32, baseline: u32) {
        let style = MonoTextStyle::new(&FONT_7X13, Gray8::BLACK);
        let Ok(_) = Text::new(text, Point::new(left as i32, baseline as i32), style).draw(self);
    }

    /// Writes the lines of a text. Characters other than ASCII's are question marks.
    pub fn write_lines(&mut self, text: &str, left: u32, top: u32) {
        for (line, baseline) in text.lines().zip((top + LINE..).step_by(LINE as usize)) {
            let ascii: String = line.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect();
            self.write(&ascii, left, baseline);
        }
    }

    /// Draws a curve of values within a rectangle, from the smallest to the largest, with the first value on its left and the last on its right.
    pub fn curve(&mut self, values: &[f64], corner: Point, size: Size) {
        let (smallest, largest) =
            values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
        let place = |(index, value): (usize, &f64)| {
            let right = index as f64 / (values.len().max(2) - 1) as f64 * f64::from(size.width);
            let down = (largest - value) / (largest - smallest).max(f64::EPSILON) * f64::from(size.height);
            corner + Point::new(right as i32, down as i32)
        };
        let points: Vec<Point> = values.iter().enumerate().map(place).collect();
        let Ok(()) = Polyline::new(&points).into_styled(PrimitiveStyle::with_stroke(Gray8::BLACK, 2)).draw(self);
        let ends = [(points.first(), values.first(), -36), (points.last(), values.last(), 8)];
        for (point, value, right) in ends {
            let (Some(point), Some(value)) = (point, value) else { return };
            self.write(&format!("{value:.2}"), (point.x + right).max(0) as u32, (point.y + 4).max(0) as u32);
        }
    }

    /// Writes the picture to a PNG file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), png::EncodingError> {
        let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), self.size.width, self.size.height);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas {
    type Color = Gray8;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Gray8>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        let inside = self.bounding_box();
        for Pixel(point, color) in pixels.into_iter().filter(|Pixel(point, _)| inside.contains(*point)) {
            self.pixels[point.x as usize + point.y as usize * self.size.width as usize] = color.luma();
        }
        Ok(())
    }
}
