//! Which part of the screen shows what, for the size of the screen.

use super::keys::Page;
use super::state::DashboardState;
use ratatui::layout::{Constraint, Layout, Rect};

/// The smallest screen that shows everything at once.
const ALL_COLUMNS: u16 = 76;
const ALL_ROWS: u16 = 22;

/// The areas of the screen; those that are not shown are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    pub(super) header: Rect,
    pub(super) progress: Rect,
    pub(super) charts: Rect,
    pub(super) epochs: Rect,
    pub(super) times: Rect,
    pub(super) messages: Rect,
    pub(super) footer: Rect,
}

impl Areas {
    pub(super) fn of(area: Rect, state: &DashboardState) -> Self {
        if area.width >= ALL_COLUMNS && area.height >= ALL_ROWS {
            Self::all(area, state)
        } else {
            Self::page(area, state)
        }
    }

    fn all(area: Rect, state: &DashboardState) -> Self {
        let message_rows = if state.view.has_left { 0 } else { (area.height / 5).clamp(4, 10) };
        let [header, progress, body, messages, footer] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(3),
            Constraint::Fill(1),
            Constraint::Length(message_rows),
            Constraint::Length(u16::from(!state.view.has_left)),
        ])
        .areas(area);
        let side = (area.width * 2 / 5).clamp(34, 64);
        let [charts, side] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(side)]).areas(body);
        // a frame, and a line for each share and for the memory
        let times = state.shares.len() + usize::from(state.memory.is_some());
        let times = if times == 0 { 0 } else { u16::try_from(times).unwrap_or(u16::MAX).saturating_add(2) };
        let times = times.min(side.height.saturating_sub(5));
        let [epochs, times] = Layout::vertical([Constraint::Fill(1), Constraint::Length(times)]).areas(side);
        Self { header, progress, charts, epochs, times, messages, footer }
    }

    fn page(area: Rect, state: &DashboardState) -> Self {
        let progress = if area.height >= 9 { 2 } else { u16::from(area.height >= 4) };
        let [header, progress, body, footer] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(progress),
            Constraint::Fill(1),
            Constraint::Length(u16::from(area.height >= 6 && !state.view.has_left)),
        ])
        .areas(area);
        let areas = Self { header, progress, footer, ..Self::default() };
        match state.view.page {
            Page::Curves => Self { charts: body, ..areas },
            Page::Epochs => Self { epochs: body, ..areas },
            Page::Times => Self { times: body, ..areas },
            Page::Messages => Self { messages: body, ..areas },
        }
    }
}
