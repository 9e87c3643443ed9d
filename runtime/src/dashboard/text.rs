//! The screen as plain lines, for a pipe and for what the screen leaves behind.

use super::draw::draw;
use super::state::DashboardState;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

/// The rows of what a screen leaves behind, of which the messages should not be far away.
const MOST_ROWS: u16 = 28;

/// Returns the lines that a screen of this size leaves behind when it is closed.
pub(crate) fn left_behind(state: &mut DashboardState, (columns, rows): (u16, u16)) -> Vec<String> {
    state.leave();
    snapshot(state, columns, rows.min(MOST_ROWS))
}

/// Returns the lines of a screen of this size, without trailing spaces and empty lines at the end.
pub(crate) fn snapshot(state: &DashboardState, columns: u16, rows: u16) -> Vec<String> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    draw(&mut buffer, state);
    lines(&buffer)
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let columns = usize::from(buffer.area.width).max(1);
    let line = |cells: &[Cell]| {
        let line: String = cells.iter().map(Cell::symbol).collect();
        line.trim_end().to_owned()
    };
    let mut lines: Vec<String> = buffer.content.chunks(columns).map(line).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}
