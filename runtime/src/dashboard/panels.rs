//! The epochs, the times and the messages.

use super::draw::framed;
use super::state::{DashboardState, Memory};
use crate::bar_text::filled;
use crate::number::Number;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, Widget as _};

/// The widest column of the table of epochs.
const MOST_COLUMNS: usize = 16;

/// A number in few columns: four significant digits.
pub(super) fn shown(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || !value.is_finite() || !(1e-3..1e5).contains(&magnitude) {
        return match () {
            () if value == 0.0 => "0".to_owned(),
            () if !value.is_finite() => value.to_string(),
            () if (1e5..1e15).contains(&magnitude) && value.fract() == 0.0 => format!("{value:.0}"),
            () => format!("{value:.2e}"),
        };
    }
    // digits before the point: at least one
    let whole = magnitude.log10().floor().max(0.0) as usize + 1;
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.*}", 4_usize.saturating_sub(whole).max(1))
    }
}

pub(super) fn draw_epochs(buffer: &mut Buffer, area: Rect, state: &DashboardState) {
    if area.is_empty() {
        return;
    }
    let block = framed(" Epochs ");
    let inner_area = block.inner(area);
    let inner = usize::from(inner_area.width);
    // a row that is not visible is not formatted
    let epochs = || state.metrics.epochs().take(usize::from(inner_area.height));
    let value =
        |epoch, name: &str| state.metrics.value(epoch, name).map(|value| Number(value).to_string()).unwrap_or_default();
    let mut names: Vec<(&str, usize)> = Vec::new();
    let mut used = 5;
    for name in state.metrics.epoch_names().take(inner) {
        let longest = epochs().map(|epoch| value(epoch, name).len()).max().unwrap_or_default();
        let columns = name.chars().count().min(MOST_COLUMNS).max(longest).max(8);
        if used + 1 + columns <= inner {
            names.push((name, columns));
            used += 1 + columns;
        }
    }
    let header =
        std::iter::once(Line::from("epoch")).chain(names.iter().map(|(name, _)| Line::from(*name).right_aligned()));
    let rows = epochs().map(|epoch| {
        let values = names.iter().map(|(name, _)| Line::from(value(epoch, name)).right_aligned());
        Row::new(std::iter::once(Line::from(format!("{epoch:>5}"))).chain(values).collect::<Vec<_>>())
    });
    let widths = std::iter::once(5).chain(names.iter().map(|(_, columns)| u16::try_from(*columns).unwrap_or(u16::MAX)));
    let table = Table::new(rows, widths.map(Constraint::Length)).header(Row::new(header.collect::<Vec<_>>()).bold());
    table.column_spacing(1).block(block).render(area, buffer);
}

pub(super) fn draw_times(buffer: &mut Buffer, area: Rect, state: &DashboardState) {
    if area.is_empty() {
        return;
    }
    let block = framed(" Where time goes ");
    let columns = usize::from(block.inner(area).width);
    let label = state.shares.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let mut lines: Vec<Line<'_>> = state
        .shares
        .iter()
        .map(|(name, share)| {
            let percent = format!(" {:>5.1} %", share * 100.0);
            let cells = columns.saturating_sub(label + 1 + percent.len());
            let filled = filled(*share, cells);
            Line::from(vec![
                Span::from(format!("{name:<label$} ")),
                Span::from("█".repeat(filled)).fg(Color::Blue),
                Span::from(" ".repeat(cells - filled)),
                Span::from(percent),
            ])
        })
        .collect();
    if let Some(Memory { allocated, reserved }) = state.memory {
        let (allocated, reserved) = (gibibytes(allocated), gibibytes(reserved));
        lines.push(Line::from(format!("GPU memory  {allocated} in use, {reserved} reserved")));
    }
    if lines.is_empty() {
        lines.push(Line::from("not measured").dark_gray());
    }
    Paragraph::new(lines).block(block).render(area, buffer);
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}

pub(super) fn draw_messages(buffer: &mut Buffer, area: Rect, state: &DashboardState) {
    if area.is_empty() {
        return;
    }
    let block = framed(" Messages ");
    let inner = block.inner(area);
    let rows = usize::from(inner.height);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for message in state.messages().rev() {
        if lines.len() >= rows {
            break;
        }
        let style = match message {
            text if text.starts_with("warning: ") => Style::new().yellow(),
            text if text.starts_with("error: ") => Style::new().red(),
            _ => Style::new(),
        };
        let wrapped = wrapped(message, usize::from(inner.width));
        lines.extend(wrapped.into_iter().rev().map(|line| Line::styled(line, style)));
    }
    lines.truncate(rows);
    lines.reverse();
    Paragraph::new(lines).block(block).render(area, buffer);
}

/// Breaks a line between words where that is possible.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut used, columns) = (0, columns.max(1));
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if used > 0 && used + length > columns {
            lines.push(String::new());
            used = 0;
        }
        for letter in word.chars() {
            if used >= columns && letter != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            used += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::state::Mode;
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        let all = [0.123_456, 12.345_67, 1234.567, 99_999.0, 3e-4, 1e6, 1e20, 0.0, f64::NAN, -2.5].map(shown);
        assert_eq!(all, ["0.123", "12.35", "1234.6", "99999", "3.00e-4", "1000000", "1.00e20", "0", "NaN", "-2.500"]);
    }

    #[test]
    fn epochs_have_numbers_as_a_whole() {
        let mut state = DashboardState::new(Mode::Watch, "");
        state.metrics.add(0.0, Some(0), [("loss", -1e308)].into_iter());
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 4));
        draw_epochs(&mut buffer, Rect::new(0, 0, 24, 4), &state);
        let row: String = (0..24).map(|column| buffer[(column, 2)].symbol().to_owned()).collect();
        assert_eq!(row, "│    0 -1.000e308      │");
    }

    #[test]
    fn long_messages_are_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("", 3), [""]);
    }
}
