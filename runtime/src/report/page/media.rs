//! The images, figures, tables and texts of a page.

use super::super::media::{Budget, Logged, logged};
use super::super::run::LoggedRun;
use super::swatch;
use crate::loggers::{FIGURES, IMAGES, TABLES, TEXTS};
use crate::regular_file;
use maud::{Markup, html};
use std::io::Read as _;
use std::path::Path;

/// The rows of a table and the bytes of a text that a page shows.
const ROWS: usize = 20;
const TEXT: u64 = 4_000;

pub(super) fn images(runs: &[LoggedRun], budget: &mut Budget) -> Option<Markup> {
    let mut rows = Vec::new();
    for kind in [IMAGES, FIGURES] {
        each(runs, kind, |index, logged| rows.push(row(runs, index, logged, budget)));
    }
    (!rows.is_empty()).then(|| html! { @for row in rows { (row) } })
}

fn row(runs: &[LoggedRun], index: usize, logged: &Logged, budget: &mut Budget) -> Markup {
    let shown = logged.shown();
    let images: Vec<_> = shown.iter().filter_map(|file| Some((file.step, budget.embedded(&file.path)?))).collect();
    let (number, total) = (images.len(), logged.files.len());
    html! {
        div.card {
            p.caption { b { (logged.name) } (of_run(runs, index)) @if number < total { small { (number) " of " (total) } } }
            div.images {
                @for (step, image) in images {
                    figure { img src=(image) alt=(format!("{} at step {step}", logged.name)); figcaption { "step " (step) } }
                }
            }
            @if number < shown.len() { p.note { "The others are too large for a page." } }
        }
    }
}

pub(super) fn tables_and_texts(runs: &[LoggedRun]) -> Option<Markup> {
    let mut cards = Vec::new();
    for (kind, shown) in [(TABLES, table as fn(&Path) -> Option<Markup>), (TEXTS, text)] {
        each(runs, kind, |index, logged| {
            let Some(last) = logged.last() else { return };
            cards.push(html! {
                div.card {
                    p.caption { b { (logged.name) } (of_run(runs, index)) small { "step " (last.step) } }
                    (shown(&last.path).unwrap_or_else(|| html! { p.note { "This file cannot be read." } }))
                }
            });
        });
    }
    (!cards.is_empty()).then(|| html! { @for card in cards { (card) } })
}

/// Calls a function with what each run logged of a kind.
fn each(runs: &[LoggedRun], kind: &str, mut call: impl FnMut(usize, &Logged)) {
    for (index, run) in runs.iter().enumerate() {
        logged(run.folder(), kind).iter().for_each(|logged| call(index, logged));
    }
}

fn of_run(runs: &[LoggedRun], index: usize) -> Markup {
    html! { @if runs.len() > 1 { small { (swatch(index)) (runs[index].name()) } } }
}

fn table(path: &Path) -> Option<Markup> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(regular_file::open(path).ok()?);
    let header = reader.headers().ok()?.clone();
    let mut rows: Vec<csv::StringRecord> = reader.records().take(ROWS + 1).collect::<Result<_, _>>().ok()?;
    let has_more = rows.len() > ROWS;
    rows.truncate(ROWS);
    Some(html! {
        div.wide {
            table {
                thead { tr { @for name in &header { th { (name) } } } }
                tbody { @for row in &rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
        @if has_more { p.note { "The first " (ROWS) " rows." } }
    })
}

fn text(path: &Path) -> Option<Markup> {
    let mut bytes = Vec::new();
    regular_file::open(path).ok()?.take(TEXT).read_to_end(&mut bytes).ok()?;
    Some(html! { pre { (String::from_utf8_lossy(&bytes)) } })
}
