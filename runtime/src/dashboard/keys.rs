//! What keys do.

use super::state::{DashboardState, Mode};
use crate::observer::Request;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key does other than changing the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Request(Request),
    /// Ctrl-C.
    Interrupt,
    /// Closes the screen; the run continues.
    Quit,
}

/// The part of the state that keys change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// The index of the first chart.
    pub(super) chart: usize,
    /// Whether only one chart is shown.
    pub(super) one_chart: bool,
    pub(super) page: Page,
    pub(super) help: bool,
    /// Whether the screen is closed, so that keys do nothing.
    pub(super) has_left: bool,
}

/// The part that a screen shows that is too small for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Page {
    #[default]
    Curves,
    Epochs,
    Times,
    Messages,
}

impl Page {
    fn next(self) -> Self {
        match self {
            Self::Curves => Self::Epochs,
            Self::Epochs => Self::Times,
            Self::Times => Self::Messages,
            Self::Messages => Self::Curves,
        }
    }
}

/// The keys with what they do, for the help: those of a live run first.
pub(super) const LIVE_KEYS: [(&str, &str); 4] = [
    ("s", "stop: finish the batch and save a checkpoint"),
    ("c", "save a checkpoint after this batch"),
    ("v", "validate after this batch"),
    ("q", "close the dashboard, and train on"),
];

pub(super) const WATCH_KEYS: [(&str, &str); 1] = [("q", "quit; the run is not affected")];

pub(super) const VIEW_KEYS: [(&str, &str); 4] = [
    ("← →", "the previous or next metric"),
    ("1", "one chart, or several"),
    ("Tab", "the next page of a small screen"),
    ("?", "this help"),
];

impl DashboardState {
    /// Changes the view by a key, or returns what else the key does.
    pub(crate) fn press(&mut self, key: KeyEvent) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let was_open = std::mem::take(&mut self.view.help);
        let charts = self.metrics.charts().len().max(1);
        let view = &mut self.view;
        match key.code {
            KeyCode::Char('c' | 'C') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Some(Action::Interrupt);
            }
            KeyCode::Char('q') => return Some(Action::Quit),
            KeyCode::Esc if !was_open && self.mode == Mode::Watch => return Some(Action::Quit),
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => view.help = !was_open,
            KeyCode::Right | KeyCode::Char('n') => view.chart = (view.chart + 1) % charts,
            KeyCode::Left | KeyCode::Char('p') => view.chart = (view.chart + charts - 1) % charts,
            KeyCode::Char('1') => view.one_chart = !view.one_chart,
            KeyCode::Tab => view.page = view.page.next(),
            KeyCode::Char(letter) if self.mode == Mode::Live => return self.request(letter),
            _ => {}
        }
        None
    }

    fn request(&mut self, letter: char) -> Option<Action> {
        let (request, answer) = match letter {
            's' => (Request::Stop, "stops after this batch"),
            'c' => (Request::Checkpoint, "saves a checkpoint after this batch"),
            'v' => (Request::Validate, "validates after this batch"),
            _ => return None,
        };
        self.notice = Some(answer.to_owned());
        Some(Action::Request(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(state: &mut DashboardState, code: KeyCode) -> Option<Action> {
        state.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn keys_steer_only_the_own_run() {
        let mut live = DashboardState::new(Mode::Live, "Model");
        let mut watch = DashboardState::new(Mode::Watch, "Model");
        for (letter, request) in [('s', Request::Stop), ('c', Request::Checkpoint), ('v', Request::Validate)] {
            assert_eq!(press(&mut live, KeyCode::Char(letter)), Some(Action::Request(request)));
            assert_eq!(press(&mut watch, KeyCode::Char(letter)), None);
        }
        assert_eq!(press(&mut watch, KeyCode::Char('q')), Some(Action::Quit));
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(live.press(interrupt), Some(Action::Interrupt));
    }

    #[test]
    fn arrows_go_round_the_charts() {
        let mut state = DashboardState::new(Mode::Watch, "Model");
        assert_eq!((press(&mut state, KeyCode::Right), state.view.chart), (None, 0));
        state.metrics.add(0.0, None, [("a", 1.0), ("b", 2.0)].into_iter());
        press(&mut state, KeyCode::Left);
        assert_eq!(state.view.chart, 1);
        press(&mut state, KeyCode::Right);
        assert_eq!(state.view.chart, 0);
    }
}
