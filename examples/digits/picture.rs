//! A picture of the digits that the model was wrong about.

use crate::data::SIDE;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_7X13;
use embedded_graphics::pixelcolor::Gray8;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::Text;
use std::convert::Infallible;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// A digit that was taken for another.
pub struct Mistaken {
    pub row: i64,
    pub label: i64,
    pub predicted: i64,
    pub probability: f64,
    /// 64 pixels from 0 (paper) to 1 (ink), row by row.
    pub pixels: Vec<f32>,
}

/// A pixel of a digit is a square of so many pixels of the picture.
const SCALE: u32 = 16;
const MARGIN: u32 = 16;
const CAPTION: u32 = 34;
const COLUMNS: u32 = 4;
const CELL: Size = Size::new(SIDE as u32 * SCALE + MARGIN, SIDE as u32 * SCALE + MARGIN + CAPTION);

/// Draws the digits in a grid, with what each is and what it was taken for below it, into a PNG file.
pub fn write(mistaken: &[Mistaken], path: &Path) -> Result<(), png::EncodingError> {
    let Canvas { size, pixels } = draw(mistaken);
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), size.width, size.height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()
}

fn draw(mistaken: &[Mistaken]) -> Canvas {
    let count = mistaken.len().max(1) as u32;
    let (columns, rows) = (count.clamp(2, COLUMNS), count.div_ceil(COLUMNS));
    let size = Size::new(columns * CELL.width + MARGIN, rows * CELL.height + MARGIN);
    let mut canvas = Canvas { size, pixels: vec![u8::MAX; (size.width * size.height) as usize] };
    if mistaken.is_empty() {
        canvas.write("no digit was mistaken", MARGIN, 2 * MARGIN);
    }
    for (place, digit) in (0..).zip(mistaken) {
        canvas.digit(digit, MARGIN + place % COLUMNS * CELL.width, MARGIN + place / COLUMNS * CELL.height);
    }
    canvas
}

struct Canvas {
    size: Size,
    /// One byte each, row by row.
    pixels: Vec<u8>,
}

impl Canvas {
    fn digit(&mut self, digit: &Mistaken, left: u32, top: u32) {
        let side = SIDE as u32;
        for (place, ink) in (0..).zip(&digit.pixels) {
            let shade = Gray8::new(((1.0 - 0.9 * ink) * f32::from(u8::MAX)) as u8 - 8);
            let corner = Point::new((left + place % side * SCALE) as i32, (top + place / side * SCALE) as i32);
            let square = Rectangle::new(corner, Size::new_equal(SCALE)).into_styled(PrimitiveStyle::with_fill(shade));
            let Ok(()) = square.draw(self);
        }
        let below = top + side * SCALE;
        self.write(&format!("{} taken for {}", digit.label, digit.predicted), left, below + 14);
        self.write(&format!("{:.0} % sure, row {}", 100.0 * digit.probability, digit.row), left, below + 28);
    }

    fn write(&mut self, text: &str, left: u32, baseline: u32) {
        let style = MonoTextStyle::new(&FONT_7X13, Gray8::BLACK);
        let Ok(_) = Text::new(text, Point::new(left as i32, baseline as i32), style).draw(self);
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
