//! The charts of a page.

use super::super::chart::{Line, chart, is_log};
use super::super::histograms;
use super::super::metrics::Series;
use super::super::run::LoggedRun;
use super::super::scale::tick;
use super::{COLOURS, swatch};
use crate::loggers::{HISTOGRAMS_JSON_LINES, METRICS_JSON_LINES};
use crate::metric_groups::{Group, Member, Section, groups};
use crate::number::Number;
use indexmap::IndexSet;
use maud::{Markup, html};

/// The number of points of all lines of a page, which bounds its size.
const POINTS: usize = 60_000;
/// The intervals of steps of a line: at most one for each pixel of a wide chart.
const BUCKETS: (usize, usize) = (40, 300);
/// The number of charts from which on they can be searched by name.
const SEARCHED: usize = 9;
/// The number of lines of a chart whose values are shown without a click.
const LISTED: usize = 6;
/// The number of charts of histograms.
const HISTOGRAMS: usize = 120;

pub(super) fn metrics(runs: &[LoggedRun]) -> Option<Markup> {
    let charts = of_section(runs, Section::Metrics);
    let has_many = charts.len() >= SEARCHED;
    let body = html! {
        @if runs.len() > 1 {
            p.legend { @for (index, run) in runs.iter().enumerate() { span { (swatch(index)) (run.name()) } } }
        }
        @if has_many { input #search type="search" placeholder=(format!("Filter {} charts by name", charts.len())); }
        @if charts.is_empty() { p.empty { "No metrics were logged." } } @else { (grid(&charts)) }
    };
    Some(body)
}

pub(super) fn learning_rates(runs: &[LoggedRun]) -> Option<Markup> {
    let charts = of_section(runs, Section::LearningRates);
    (!charts.is_empty()).then(|| grid(&charts))
}

/// Returns the steps per second: over all steps from the times of the runs, and for each row where rows have times.
pub(super) fn throughput(runs: &[LoggedRun]) -> Markup {
    let rates: Vec<(usize, Series)> =
        runs.iter().map(rates).enumerate().filter(|(_, rate)| rate.points.len() > 1).collect();
    let lines: Vec<Line<'_>> = rates
        .iter()
        .map(|(index, series)| Line {
            series,
            colour: index % COLOURS,
            style: "",
            name: if runs.len() > 1 { runs[*index].name() } else { String::new() },
            marked: None,
        })
        .collect();
    let mut charts = of_section(runs, Section::System);
    if !lines.is_empty() {
        charts.insert(0, card("steps per second", &lines, BUCKETS.1));
    }
    html! {
        table {
            thead { tr { th { "Run" } th.number { "Steps" } th.number { "Seconds" } th.number { "Steps per second" } } }
            tbody {
                @for (index, run) in runs.iter().enumerate() {
                    @let seconds = run.duration().map(|time| time.as_secs_f64());
                    tr {
                        td.name { (swatch(index)) (run.name()) }
                        td.number { @if let Some(steps) = run.steps() { (steps) } }
                        td.number { @if let Some(seconds) = seconds { (format!("{seconds:.1}")) } }
                        td.number.rate {
                            @if let (Some(steps), Some(seconds)) = (run.steps(), seconds) {
                                @if seconds > 0.0 { (tick(steps as f64 / seconds)) }
                            }
                        }
                    }
                }
            }
        }
        @if lines.is_empty() {
            p.note { "For a curve, add a " code { "JsonLinesLogger" } ", whose rows have times, or a " code { "ThroughputMonitor" } "." }
        }
        @if !charts.is_empty() { (grid(&charts)) }
    }
}

/// Returns the steps per second between rows, averaged over at least a second.
fn rates(run: &LoggedRun) -> Series {
    let mut rates = Series::default();
    let Some(&(mut step, mut time)) = run.rows.times.first() else { return rates };
    for &(next_step, next_time) in &run.rows.times {
        let seconds = next_time - time;
        if seconds >= 1.0 && next_step > step {
            rates.points.push((next_step, (next_step - step) / seconds));
            (step, time) = (next_step, next_time);
        }
    }
    rates
}

pub(super) fn histograms(runs: &[LoggedRun]) -> Option<Markup> {
    let named = |run: &LoggedRun| {
        let files = [HISTOGRAMS_JSON_LINES, METRICS_JSON_LINES].map(|name| run.folder().join(name));
        files.iter().filter_map(|path| histograms::read(path).ok()).find(|all| !all.is_empty()).unwrap_or_default()
    };
    let all: Vec<_> = runs.iter().map(named).collect();
    let names: IndexSet<&str> = all.iter().flat_map(|all| all.keys().map(String::as_str)).collect();
    let mut charts = Vec::new();
    for name in &names {
        for (index, distributions) in all.iter().enumerate().filter_map(|(index, all)| Some((index, all.get(*name)?))) {
            charts.push((*name, index, distributions));
        }
    }
    let total = charts.len();
    let of_run = |index: usize| html! { @if runs.len() > 1 { small { (swatch(index)) (runs[index].name()) } } };
    (total > 0).then(|| {
        html! {
            p.note { "The median, and bands with 38 %, 68 % and 87 % of the values and all of them, over the steps." }
            @if total > HISTOGRAMS { p.note { "The first " (HISTOGRAMS) " of " (total) " are shown." } }
            div.grid {
                @for (name, index, distributions) in charts.into_iter().take(HISTOGRAMS) {
                    figure.card data-title=(name) {
                        figcaption { b { (name) } (of_run(index)) }
                        (histograms::chart(distributions, index % COLOURS))
                    }
                }
            }
        }
    })
}

fn grid(charts: &[Markup]) -> Markup {
    html! { div.grid { @for chart in charts { (chart) } } }
}

fn of_section(runs: &[LoggedRun], section: Section) -> Vec<Markup> {
    let metrics: IndexSet<&str> = runs.iter().flat_map(|run| run.metrics().map(|(name, _)| name)).collect();
    let groups = groups(&metrics);
    let lines: usize = runs.iter().map(|run| run.metrics().count()).sum();
    let buckets = (POINTS / 2 / lines.max(1)).clamp(BUCKETS.0, BUCKETS.1);
    let groups = groups.iter().filter(|group| group.section == section);
    groups.map(|group| card(&group.title, &lines_of(group, runs), buckets)).collect()
}

fn lines_of<'a>(group: &Group, runs: &'a [LoggedRun]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let best = run.best();
        for member in &group.members {
            let Some(series) = run.metric(&member.metric) else { continue };
            let best = best.as_ref().filter(|best| best.metric == member.metric);
            lines.push(Line {
                series,
                colour: if runs.len() > 1 { index % COLOURS } else { member.loop_ as usize },
                style: style(member, runs.len() > 1),
                name: name(member, run, runs.len() > 1),
                marked: best.map(|best| (best.step, best.value)),
            });
        }
    }
    lines
}

/// Runs differ by colour, and so do the loops of a single run.
fn style(member: &Member, has_several_runs: bool) -> &'static str {
    match (member.is_step, has_several_runs, member.loop_ as usize) {
        (true, ..) => "faint",
        (false, true, 1) => "dashed",
        (false, true, 2) => "dotted",
        _ => "",
    }
}

fn name(member: &Member, run: &LoggedRun, has_several_runs: bool) -> String {
    match (has_several_runs, member.variant.as_str()) {
        (true, "") => run.name(),
        (true, variant) => format!("{} {variant}", run.name()),
        (false, variant) => variant.to_owned(),
    }
}

/// Returns a chart with its title and the values of its lines.
fn card(title: &str, lines: &[Line<'_>], buckets: usize) -> Markup {
    let values = html! {
        table.values {
            thead { tr { th {} th.number { "last" } th.number { "min" } th.number { "max" } } }
            tbody { @for line in lines { (values(line)) } }
        }
    };
    html! {
        figure.card data-title=(title) {
            figcaption { b { (title) } @if is_log(lines) { small { "log scale" } } }
            (chart(lines, buckets))
            @if lines.len() <= LISTED { (values) } @else { details { summary { (lines.len()) " lines" } (values) } }
        }
    }
}

fn values(line: &Line<'_>) -> Markup {
    let shown = |value: Option<f64>| value.map(|value| Number(value).to_string()).unwrap_or_default();
    let invalid = line.series.points.len() - line.series.finite().count();
    html! {
        tr data-line=(line.name) {
            td { span class=(format!("stroke c{} {}", line.colour, line.style)) {} (line.name)
                @if invalid > 0 { " " em { (invalid) " not finite" } } }
            td.number.last { (shown(line.series.last())) }
            td.number.min { (shown(line.series.min())) }
            td.number.max { (shown(line.series.max())) }
        }
    }
}
