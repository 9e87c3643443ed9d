//! Line charts in SVG.

use super::metrics::Series;
use super::scale::{Scale, significant, tick};
use maud::{Markup, html};
use std::fmt::Write as _;

/// The size of a chart in the units of its `viewBox`, and its margins.
pub(super) const WIDTH: f64 = 400.0;
pub(super) const HEIGHT: f64 = 200.0;
pub(super) const LEFT: f64 = 50.0;
pub(super) const RIGHT: f64 = 10.0;
pub(super) const TOP: f64 = 8.0;
pub(super) const BOTTOM: f64 = 22.0;

/// A line of a chart.
pub(super) struct Line<'a> {
    pub(super) series: &'a Series,
    /// The index of its colour.
    pub(super) colour: usize,
    /// The class that styles it, such as `dashed`; empty for a plain line.
    pub(super) style: &'static str,
    /// Its name in the legend and at the pointer.
    pub(super) name: String,
    /// The point to mark, such as the best value.
    pub(super) marked: Option<(f64, f64)>,
}

/// Returns the scale of the values of lines.
fn value_scale(lines: &[Line<'_>]) -> Scale {
    Scale::of(lines.iter().flat_map(|line| line.series.finite()).map(|(_, value)| value), (HEIGHT - BOTTOM, TOP), true)
}

/// Whether the chart of lines has a logarithmic scale.
pub(super) fn is_log(lines: &[Line<'_>]) -> bool {
    value_scale(lines).is_log()
}

/// Returns the chart of lines, of which each shows at most `buckets` intervals of steps.
pub(super) fn chart(lines: &[Line<'_>], buckets: usize) -> Markup {
    let steps = lines.iter().flat_map(|line| line.series.finite()).map(|(step, _)| step);
    let (x, y) = (Scale::of(steps, (LEFT, WIDTH - RIGHT), false), value_scale(lines));
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" data-x=(x.described()) {
            (axes(&x, &y))
            @for line in lines {
                (drawn(line, &x, &y, buckets))
            }
        }
    }
}

/// Returns the grid and the labels of the axes.
pub(super) fn axes(x: &Scale, y: &Scale) -> Markup {
    let bottom = HEIGHT - BOTTOM;
    html! {
        @for value in y.ticks(4) {
            @let at = pixel(y.at(value));
            line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(at) y2=(at) {}
            text.tick x=(LEFT - 6.0) y=(at) dy="0.32em" text-anchor="end" { (tick(value)) }
        }
        line.axis x1=(LEFT) x2=(WIDTH - RIGHT) y1=(bottom) y2=(bottom) {}
        @for value in x.ticks(5) {
            text.tick x=(pixel(x.at(value))) y=(bottom + 15.0) text-anchor="middle" { (tick(value)) }
        }
    }
}

fn drawn(line: &Line<'_>, x: &Scale, y: &Scale, buckets: usize) -> Markup {
    let pieces = pieces(&line.series.points);
    let total: usize = pieces.iter().map(|piece| piece.len()).sum();
    let (mut path, mut steps, mut values) = (String::new(), String::new(), String::new());
    let mut single = Vec::new();
    for piece in pieces {
        let share = (buckets * piece.len()).div_ceil(total.max(1));
        let kept = reduced(piece, share.max(2));
        if let [point] = kept.as_slice() {
            single.push(*point);
        }
        for (index, (step, value)) in kept.into_iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{} {}", pixel(x.at(step)), pixel(y.at(value)));
            let _ = write!(steps, "{} ", significant(step));
            let _ = write!(values, "{} ", significant(value));
        }
    }
    let class = format!("line c{} {}", line.colour, line.style);
    let point = |(step, value): (f64, f64), class: &str| {
        html! { circle class=(class) cx=(pixel(x.at(step))) cy=(pixel(y.at(value))) r="2.5" {} }
    };
    html! {
        path class=(class.trim_end()) d=(path) data-name=(line.name) data-steps=(steps.trim_end()) data-values=(values.trim_end()) {}
        @for at in single {
            (point(at, &format!("point c{}", line.colour)))
        }
        @if let Some(at) = line.marked {
            (point(at, &format!("best c{}", line.colour)))
        }
    }
}

/// Formats a coordinate with a tenth of a unit.
pub(super) fn pixel(at: f64) -> String {
    let text = format!("{at:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Returns the parts of a line between values that are NaN or infinite, which leave a gap.
fn pieces(points: &[(f64, f64)]) -> Vec<&[(f64, f64)]> {
    points.split(|(_, value)| !value.is_finite()).filter(|piece| !piece.is_empty()).collect()
}

/// Returns the smallest and the largest value of each of at most `buckets` intervals of steps, and the first and the last point, so that
/// a line of any number of points looks the same.
fn reduced(points: &[(f64, f64)], buckets: usize) -> Vec<(f64, f64)> {
    if points.len() <= 2 * buckets {
        return points.to_vec();
    }
    let size = points.len().div_ceil(buckets);
    let mut kept = Vec::with_capacity(2 * buckets + 2);
    kept.push(0);
    for (index, bucket) in points.chunks(size).enumerate() {
        let by_value = |(_, a): &(usize, &(f64, f64)), (_, b): &(usize, &(f64, f64))| a.1.total_cmp(&b.1);
        let least = bucket.iter().enumerate().min_by(by_value).map_or(0, |(least, _)| least);
        let most = bucket.iter().enumerate().max_by(by_value).map_or(0, |(most, _)| most);
        kept.extend([index * size + least.min(most), index * size + least.max(most)]);
    }
    kept.push(points.len() - 1);
    kept.dedup();
    kept.into_iter().map(|index| points[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduced_points_keep_extremes_and_ends() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|step| (f64::from(step), f64::from(step % 7))).collect();
        points[54_321].1 = 1e3;
        points[54_322].1 = -1e3;
        let kept = reduced(&points, 300);
        assert!(kept.len() <= 602, "{}", kept.len());
        assert_eq!((kept[0], kept.last()), (points[0], points.last()));
        assert!(kept.contains(&points[54_321]) && kept.contains(&points[54_322]));
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn line_has_a_gap_where_a_value_is_not_finite() {
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.5), (3.0, 2.0), (4.0, f64::INFINITY)];
        assert_eq!(pieces(&points), [&points[..1], &points[2..4]]);
    }
}
