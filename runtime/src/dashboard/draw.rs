//! Draws the screen.

use super::chart::draw_charts;
use super::keys::{LIVE_KEYS, VIEW_KEYS, WATCH_KEYS};
use super::layout::Areas;
use super::panels::{draw_epochs, draw_messages, draw_times, shown};
use super::state::{DashboardState, Mode};
use crate::bar_text::{self, clock, count, filled};
use crate::observer::Position;
use crate::stage::RunningStage;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The longest bar.
const MOST_CELLS: u16 = 60;

/// For tests: whether drawing panics.
static PANICS: AtomicBool = AtomicBool::new(false);

/// For tests: makes drawing panic.
pub(crate) fn panic_from_now_on() {
    PANICS.store(true, Ordering::Relaxed);
}

/// Draws the state.
pub(crate) fn draw(buffer: &mut Buffer, state: &DashboardState) {
    assert!(!PANICS.load(Ordering::Relaxed), "a panic of a test");
    let areas = Areas::of(buffer.area, state);
    draw_header(buffer, areas.header, state);
    draw_progress(buffer, areas.progress, state);
    draw_charts(buffer, areas.charts, state);
    draw_epochs(buffer, areas.epochs, state);
    draw_times(buffer, areas.times, state);
    draw_messages(buffer, areas.messages, state);
    draw_footer(buffer, areas.footer, state);
    if state.view.help {
        draw_help(buffer, state);
    }
}

/// The frame of a part of the screen.
pub(super) fn framed<'a>(title: impl Into<Line<'a>>) -> Block<'a> {
    Block::bordered().border_style(Style::new().dark_gray()).title(title)
}

fn draw_header(buffer: &mut Buffer, area: Rect, state: &DashboardState) {
    let color = match state.status() {
        "finished" => Color::Green,
        "failed" | "killed" => Color::Red,
        "interrupted" | "unknown" => Color::Yellow,
        _ => Color::Cyan,
    };
    let mut right = vec![Span::from(state.status().to_owned()).fg(color).bold()];
    right.extend(state.elapsed.map(|elapsed| Span::from(format!("  {}", clock(elapsed)))));
    let right = Line::from(right);
    let [left, right_area] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(width(&right))]).areas(area);
    let mut title = vec![Span::from(state.module.clone()).bold()];
    title.extend(state.folder.as_ref().map(|folder| Span::from(format!("  {folder}")).dark_gray()));
    Line::from(title).render(left, buffer);
    right.render(right_area, buffer);
}

fn draw_progress(buffer: &mut Buffer, area: Rect, state: &DashboardState) {
    let Position { running_stage, batch, batches, evaluated, to_evaluate, step, .. } = state.position;
    let evaluates = matches!(running_stage, RunningStage::Validating | RunningStage::SanityChecking);
    let of = |done: usize, whole: Option<usize>| whole.map(|whole| done as f64 / whole.max(1) as f64);
    let rate = state.rate.map(|(rate, unit)| format!("{} {unit}/s", shown(rate)));
    let left = state.left().map(|left| format!("{} left", clock(left)));
    let run = state.done().map(|done| format!("{:.0} %", done * 100.0));
    let batch_rate = rate.clone().filter(|_| state.mode == Mode::Live);
    let mut epoch = Bar { label: "epoch", ratio: of(batch, batches), parts: vec![], color: Color::Blue };
    epoch.parts.push(state.epoch_count());
    if state.mode == Mode::Live {
        epoch.parts.push(format!("batch {}", count(batch, batches)));
    } else {
        epoch.ratio = None;
    }
    epoch.parts.extend(batch_rate.clone());
    let validation = Bar {
        label: if running_stage == RunningStage::SanityChecking { "sanity" } else { "validation" },
        ratio: if evaluates { of(evaluated, to_evaluate) } else { Some(0.0) },
        parts: if evaluates { vec![format!("batch {}", count(evaluated, to_evaluate))] } else { vec![] },
        color: Color::Magenta,
    };
    let mut whole = Bar { label: "run", ratio: state.done(), parts: vec![], color: Color::Green };
    whole.parts.extend(run);
    whole.parts.push(format!("step {step}"));
    whole.parts.extend(left);
    whole.parts.extend(rate.filter(|_| batch_rate.is_none()));
    let bars = match (area.height, state.mode) {
        (3.., Mode::Live) => vec![epoch, validation, whole],
        (_, Mode::Live) if evaluates => vec![validation, whole],
        _ => vec![epoch, whole],
    };
    for (bar, row) in bars.into_iter().zip(area.rows()) {
        bar.line(area.width).render(row, buffer);
    }
}

/// A line with a bar.
struct Bar {
    label: &'static str,
    /// The filled part; `None` draws no bar.
    ratio: Option<f64>,
    /// The texts after the bar, the most important first: those that do not fit are skipped.
    parts: Vec<String>,
    color: Color,
}

impl Bar {
    fn line(self, columns: u16) -> Line<'static> {
        let label = if columns >= 60 { format!("{:<11}", self.label) } else { format!("{:<6.5}", self.label) };
        let least = label.chars().count() + 8;
        let mut text = String::new();
        for part in &self.parts {
            if least + text.chars().count() + 2 + part.chars().count() <= usize::from(columns) || text.is_empty() {
                text.push_str("  ");
                text.push_str(part);
            }
        }
        let used = label.chars().count() + text.chars().count();
        let cells = usize::from(columns).saturating_sub(used).min(usize::from(MOST_CELLS));
        let mut spans = vec![Span::from(label).bold()];
        if let Some(ratio) = self.ratio {
            let filled = filled(ratio, cells);
            spans.push(Span::from("━".repeat(filled)).fg(self.color));
            spans.push(Span::from("─".repeat(cells - filled)).dark_gray());
            spans.push(Span::from(text));
        } else {
            spans.push(Span::from(text.trim_start().to_owned()));
        }
        Line::from(spans)
    }
}

fn draw_footer(buffer: &mut Buffer, area: Rect, state: &DashboardState) {
    let keys: &[(&str, &str)] = match state.mode {
        Mode::Live => {
            &[("s", "stop"), ("c", "checkpoint"), ("v", "validate"), ("←→", "metric"), ("?", "help"), ("q", "close")]
        }
        Mode::Watch => &[("←→", "metric"), ("1", "one chart"), ("tab", "page"), ("?", "help"), ("q", "quit")],
    };
    if area.is_empty() {
        return;
    }
    if let Some(notice) = &state.notice {
        Line::from(notice.clone()).yellow().render(area, buffer);
        return;
    }
    let keys =
        keys.iter().flat_map(|(key, what)| [Span::from(*key).bold(), Span::from(format!(" {what}  ")).dark_gray()]);
    Line::from_iter(keys).render(area, buffer);
}

fn draw_help(buffer: &mut Buffer, state: &DashboardState) {
    let own: &[(&str, &str)] = if state.mode == Mode::Live { &LIVE_KEYS } else { &WATCH_KEYS };
    let lines: Vec<Line<'_>> = own
        .iter()
        .chain(&VIEW_KEYS)
        .map(|(key, what)| {
            Line::from(vec![Span::from(format!(" {key:<4} ")).bold(), Span::from(*what), Span::from(" ")])
        })
        .collect();
    let longest = lines.iter().map(width).max().unwrap_or_default();
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let [area] = Layout::horizontal([Constraint::Length(longest + 2)]).flex(Flex::Center).areas(buffer.area);
    let [area] = Layout::vertical([Constraint::Length(rows + 2)]).flex(Flex::Center).areas(area);
    Clear.render(area, buffer);
    Paragraph::new(lines).block(Block::bordered().title(" Keys ")).render(area, buffer);
}

fn width(line: &Line<'_>) -> u16 {
    u16::try_from(line.width()).unwrap_or(u16::MAX)
}

impl DashboardState {
    /// The running epoch and the last one, from 0.
    fn epoch_count(&self) -> String {
        let epoch = self.position.epoch;
        // after the last epoch, it is that one
        let last = self.max_epochs.map_or(epoch, |epochs| epochs.saturating_sub(1));
        bar_text::epoch(epoch.min(last), self.max_epochs)
    }

    /// The time until the end, if the run continues at its mean speed so far.
    fn left(&self) -> Option<Duration> {
        let done = self.done()?;
        let done_since = Some(done - self.done_before).filter(|done| *done > 0.0 && self.is_running)?;
        let left = self.elapsed?.as_secs_f64() * (1.0 - done) / done_since;
        Duration::try_from_secs_f64(left).ok().filter(|left| !left.is_zero())
    }
}
