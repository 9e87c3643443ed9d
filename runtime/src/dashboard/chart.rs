//! The curves.

use super::draw::framed;
use super::panels::shown;
use super::state::DashboardState;
use crate::metric_groups::{Group, Member};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph, Widget as _};

/// The colours of the curves of a chart.
const COLORS: [Color; 6] =
    [Color::LightBlue, Color::LightYellow, Color::LightGreen, Color::LightMagenta, Color::LightCyan, Color::LightRed];

/// The smallest chart of several.
const CHART_COLUMNS: u16 = 36;
const CHART_ROWS: u16 = 9;

/// Draws as many charts as fit, from the chosen one on.
pub(super) fn draw_charts(buffer: &mut Buffer, area: Rect, state: &DashboardState) {
    if area.is_empty() {
        return;
    }
    let charts = state.metrics.charts();
    if charts.is_empty() {
        Paragraph::new("no metrics so far").dark_gray().block(framed("")).render(area, buffer);
        return;
    }
    let [columns, rows] = if state.view.one_chart { [1, 1] } else { grid(area, charts.len()) };
    let row_areas = Layout::vertical(vec![Constraint::Fill(1); rows]).split(area);
    let mut shown = (0..charts.len()).map(|index| &charts[(state.view.chart + index) % charts.len()]);
    let total = charts.len();
    for (row, row_area) in row_areas.iter().enumerate() {
        // the last row of charts may have fewer
        let columns = columns.min(total - row * columns);
        for cell in Layout::horizontal(vec![Constraint::Fill(1); columns]).split(*row_area).iter() {
            if let Some(group) = shown.next() {
                draw_chart(buffer, *cell, group, state);
            }
        }
    }
}

/// The columns and rows of charts.
fn grid(area: Rect, charts: usize) -> [usize; 2] {
    let most = [usize::from(area.width / CHART_COLUMNS).max(1), usize::from(area.height / CHART_ROWS).max(1)];
    let rows = most[1].min(charts);
    let columns = charts.div_ceil(rows).min(most[0]);
    [columns, charts.div_ceil(columns).min(rows)]
}

fn draw_chart(buffer: &mut Buffer, area: Rect, group: &Group, state: &DashboardState) {
    let curves = group.members.iter().filter_map(|member| Some((member, state.metrics.curve(&member.metric)?)));
    let curves: Vec<_> = curves.zip(COLORS.into_iter().cycle()).collect();
    let named: Vec<_> = curves.iter().map(|((member, curve), color)| (*member, curve.last(), *color)).collect();
    let title = title(group, &named, usize::from(area.width.saturating_sub(2)));
    let points = || curves.iter().flat_map(|((_, curve), _)| curve.points());
    let x = bounds(points().map(|(step, _)| *step), 0.0);
    let y = bounds(points().map(|(_, value)| *value), 0.05);
    let (Some(x), Some(y)) = (x, y) else {
        Paragraph::new("no finite value").dark_gray().block(framed(title)).render(area, buffer);
        return;
    };
    let datasets = curves.iter().map(|((_, curve), color)| {
        let kind = if curve.points().len() == 1 { GraphType::Scatter } else { GraphType::Line };
        Dataset::default().data(curve.points()).marker(Marker::Braille).graph_type(kind).style(*color)
    });
    let label = |value: f64| Span::from(shown(value)).dark_gray();
    let steps = [Span::from(format!("step {}", shown(x[0]))).dark_gray(), label(x[1])];
    let rows = area.height.saturating_sub(4);
    let values = if rows >= 5 {
        vec![label(y[0]), label(f64::midpoint(y[0], y[1])), label(y[1])]
    } else {
        vec![label(y[0]), label(y[1])]
    };
    let chart = Chart::new(datasets.collect())
        .block(framed(title))
        .legend_position(None)
        .x_axis(Axis::default().bounds(x).labels(steps).dark_gray())
        .y_axis(Axis::default().bounds(y).labels(values).dark_gray());
    chart.render(area, buffer);
}

/// The name of the chart, and those of the curves in their colours with their last values: as much of that as fits.
fn title<'a>(group: &Group, curves: &[(&Member, f64, Color)], columns: usize) -> Line<'a> {
    let title = |has_group: bool, has_values: bool| {
        let mut spans = vec![Span::from(" ")];
        if has_group && curves.len() > 1 {
            spans.push(Span::from(format!("{}  ", group.title)).bold());
        }
        for (index, (member, last, color)) in curves.iter().enumerate() {
            let name = if member.variant.is_empty() { &member.metric } else { &member.variant };
            let space = if index + 1 < curves.len() { "  " } else { " " };
            let value = if has_values { format!(" {}{space}", shown(*last)) } else { space.to_owned() };
            spans.extend([Span::from(name.clone()).fg(*color).bold(), Span::from(value).fg(*color)]);
        }
        Line::from(spans)
    };
    let forms =
        [(true, true), (false, true), (true, false)].map(|(has_group, has_values)| title(has_group, has_values));
    forms.into_iter().find(|line| line.width() <= columns).unwrap_or_else(|| title(false, false))
}

/// The smallest and the largest value, with this part of their difference on both sides.
fn bounds(values: impl Iterator<Item = f64>, margin: f64) -> Option<[f64; 2]> {
    let [least, most] =
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], value| [least.min(value), most.max(value)]);
    if least > most {
        return None;
    }
    let difference = most - least;
    // one value is in the middle
    let margin = match difference {
        0.0 if most == 0.0 => 1.0,
        0.0 => most.abs() * 0.5,
        _ => difference * margin,
    };
    let below = least - margin;
    // an axis of a loss ends at 0
    Some([if least >= 0.0 { below.max(0.0) } else { below }, most + margin])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_shows_as_many_charts_as_fit() {
        let grid = |columns, rows, charts| grid(Rect::new(0, 0, columns, rows), charts);
        assert_eq!(grid(40, 8, 5), [1, 1]);
        assert_eq!(grid(60, 20, 1), [1, 1]);
        assert_eq!(grid(60, 20, 3), [1, 2]);
        assert_eq!(grid(120, 20, 3), [2, 2]);
        assert_eq!(grid(120, 30, 2), [1, 2]);
    }

    #[test]
    fn bounds_of_one_value_contain_it() {
        assert_eq!(bounds([2.0].into_iter(), 0.05), Some([1.0, 3.0]));
        assert_eq!(bounds([0.0].into_iter(), 0.05), Some([0.0, 1.0]));
        assert_eq!(bounds([0.0, 1.0].into_iter(), 0.5), Some([0.0, 1.5]));
        assert_eq!(bounds([-1.0, 1.0].into_iter(), 0.5), Some([-2.0, 2.0]));
        assert_eq!(bounds(std::iter::empty(), 0.5), None);
    }
}
