//! A picture of the misclassified digits.

use examples::canvas::Canvas;
use examples::data::SIDE;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A misclassified digit.
#[derive(Serialize, Deserialize)]
pub struct Mistaken {
    pub row: i64,
    pub label: i64,
    pub predicted: i64,
    pub probability: f64,
    /// 64 pixels from 0 (paper) to 1 (ink), row by row.
    pub pixels: Vec<f32>,
}

/// The width of a digit's pixel in the picture, in pixels.
const SCALE: u32 = 16;
const MARGIN: u32 = 16;
const CAPTION: u32 = 34;
const COLUMNS: u32 = 4;
const CELL_WIDTH: u32 = SIDE as u32 * SCALE + MARGIN;
const CELL_HEIGHT: u32 = CELL_WIDTH + CAPTION;

/// Writes a PNG file with a grid of the digits, each above its label and its prediction.
pub fn write(mistaken: &[Mistaken], path: &Path) -> Result<(), png::EncodingError> {
    draw(mistaken).save(path)
}

fn draw(mistaken: &[Mistaken]) -> Canvas {
    let count = mistaken.len().max(1) as u32;
    let (columns, rows) = (count.clamp(2, COLUMNS), count.div_ceil(COLUMNS));
    let mut canvas = Canvas::new(columns * CELL_WIDTH + MARGIN, rows * CELL_HEIGHT + MARGIN);
    if mistaken.is_empty() {
        canvas.write("no digit was mistaken", MARGIN, 2 * MARGIN);
    }
    for (place, digit) in (0..).zip(mistaken) {
        draw_one(&mut canvas, digit, MARGIN + place % COLUMNS * CELL_WIDTH, MARGIN + place / COLUMNS * CELL_HEIGHT);
    }
    canvas
}

fn draw_one(canvas: &mut Canvas, digit: &Mistaken, left: u32, top: u32) {
    canvas.digit(&digit.pixels, SCALE, left, top);
    let below = top + SIDE as u32 * SCALE;
    canvas.write(&format!("{} taken for {}", digit.label, digit.predicted), left, below + 14);
    canvas.write(&format!("{:.0} % sure, row {}", 100.0 * digit.probability, digit.row), left, below + 28);
}
