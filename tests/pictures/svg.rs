//! The screen of a terminal as a drawing: a cell is where its column and row are, whatever the font.

use std::fmt::Write;
use vt100::Color;

/// The size of a cell.
const CELL: (u32, u32) = (9, 19);

/// The space around the screen.
const MARGIN: u32 = 12;

const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d5d8de";

/// The sixteen colours of a terminal.
const COLORS: [&str; 16] = [
    "#282c34", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#5c6370", "#ef7f87",
    "#a8d38b", "#f0cd8c", "#74bcf5", "#d08be6", "#68c5d1", "#ffffff",
];

/// A drawing, with its size.
pub struct Drawing {
    pub text: String,
    pub width: u32,
    pub height: u32,
}

/// Draws a screen.
pub fn drawn(screen: &vt100::Screen) -> Drawing {
    let (rows, columns) = screen.size();
    let width = u32::from(columns) * CELL.0 + 2 * MARGIN;
    let height = u32::from(rows) * CELL.1 + 2 * MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" style=\"display:block\" \
         font-family=\"DejaVu Sans Mono, monospace\" font-size=\"15\"><rect width=\"100%\" height=\"100%\" rx=\"8\" \
         fill=\"{BACKGROUND}\"/>"
    );
    for row in 0..rows {
        for column in 0..columns {
            if let Some(cell) = screen.cell(row, column) {
                draw_cell(&mut text, cell, MARGIN + u32::from(column) * CELL.0, MARGIN + u32::from(row) * CELL.1);
            }
        }
    }
    text.push_str("</svg>");
    Drawing { text, width, height }
}

fn draw_cell(text: &mut String, cell: &vt100::Cell, x: u32, y: u32) {
    let (width, height) = CELL;
    if let Some(background) = color(cell.bgcolor()) {
        let _ = write!(text, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{background}\"/>");
    }
    let fill = color(cell.fgcolor()).unwrap_or(FOREGROUND);
    let opacity = if cell.dim() { 0.5 } else { 1.0 };
    let (middle_x, middle_y) = (x + width / 2, y + height / 2);
    let line = |text: &mut String, path: String, thick: u32| {
        let _ = write!(
            text,
            "<path d=\"{path}\" stroke=\"{fill}\" stroke-width=\"{thick}\" fill=\"none\" opacity=\"{opacity}\"/>"
        );
    };
    let (left, right, top, bottom) = (x, x + width, y, y + height);
    match cell.contents() {
        "" | " " => {}
        // drawn from edge to edge, which a font may not do
        "─" => line(text, format!("M{left} {middle_y}H{right}"), 1),
        "━" => line(text, format!("M{left} {middle_y}H{right}"), 4),
        "│" => line(text, format!("M{middle_x} {top}V{bottom}"), 1),
        "┌" => line(text, format!("M{right} {middle_y}H{middle_x}V{bottom}"), 1),
        "┐" => line(text, format!("M{left} {middle_y}H{middle_x}V{bottom}"), 1),
        "└" => line(text, format!("M{middle_x} {top}V{middle_y}H{right}"), 1),
        "┘" => line(text, format!("M{middle_x} {top}V{middle_y}H{left}"), 1),
        "█" => {
            let (y, height) = (y + 4, height - 8);
            let _ = write!(text, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>");
        }
        symbol => match symbol.chars().next() {
            Some(braille @ '\u{2800}'..='\u{28ff}') => draw_dots(text, u32::from(braille) - 0x2800, x, y, fill),
            _ => {
                let weight = if cell.bold() { "bold" } else { "normal" };
                let symbol = symbol.replace('&', "&amp;").replace('<', "&lt;");
                let base = y + 14;
                let _ = write!(
                    text,
                    "<text x=\"{x}\" y=\"{base}\" fill=\"{fill}\" font-weight=\"{weight}\" opacity=\"{opacity}\">{symbol}</text>"
                );
            }
        },
    }
}

/// The dots of a braille letter, by the bits of its number.
fn draw_dots(text: &mut String, bits: u32, x: u32, y: u32, fill: &str) {
    const DOTS: [(u32, u32); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    for (bit, (column, row)) in DOTS.into_iter().enumerate() {
        if bits >> bit & 1 == 1 {
            let (x, y) = (f64::from(x) + 2.25 + f64::from(column) * 4.5, f64::from(y) + 2.4 + f64::from(row) * 4.75);
            let _ = write!(text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"1.5\" fill=\"{fill}\"/>");
        }
    }
}

fn color(color: Color) -> Option<&'static str> {
    match color {
        Color::Idx(index) => COLORS.get(usize::from(index)).copied(),
        Color::Default | Color::Rgb(..) => None,
    }
}
