//! The distributions of tensors over the steps of a run.

use super::chart::{BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, axes, pixel};
use super::metrics::for_each_line;
use super::scale::Scale;
use indexmap::IndexMap;
use maud::{Markup, html};
use serde::Deserialize;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// The number of steps of a chart.
const STEPS: usize = 200;

/// The parts of the values at the edges of the bands: the median, and one, one and a half and two standard deviations of a normal
/// distribution around it, as in TensorBoard's distributions.
const QUANTILES: [f64; 7] = [0.067, 0.159, 0.309, 0.5, 0.691, 0.841, 0.933];
const MEDIAN: usize = QUANTILES.len() / 2;

/// A distribution at a step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Distribution {
    pub(super) step: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) quantiles: [f64; QUANTILES.len()],
}

#[derive(Deserialize)]
struct Line {
    step: f64,
    #[serde(flatten)]
    logged: Option<Logged>,
    histogram: Option<Logged>,
}

#[derive(Deserialize)]
struct Logged {
    name: String,
    min: Option<f64>,
    max: Option<f64>,
    edges: Vec<f64>,
    counts: Vec<f64>,
}

/// Reads the histograms in a file by name: lines of JSON of which each is one, or has one in the field `histogram`.
pub(super) fn read(path: &Path) -> io::Result<IndexMap<String, Vec<Distribution>>> {
    let mut all: IndexMap<String, Vec<Distribution>> = IndexMap::new();
    for_each_line(path, |line| {
        let Ok(Line { step, logged, histogram }) = serde_json::from_slice(line) else { return };
        let Some(logged) = histogram.or(logged) else { return };
        if let Some(distribution) = distribution(step, &logged) {
            all.entry(logged.name).or_default().push(distribution);
        }
    })?;
    Ok(all)
}

fn distribution(step: f64, logged: &Logged) -> Option<Distribution> {
    let (min, max) = (logged.min?, logged.max?);
    let total: f64 = logged.counts.iter().sum();
    if total <= 0.0 || logged.edges.len() != logged.counts.len() + 1 {
        return None;
    }
    let quantile = |part: f64| {
        let mut left = part * total;
        for (count, edges) in logged.counts.iter().zip(logged.edges.windows(2)) {
            if left <= *count && *count > 0.0 {
                return (edges[0] + (edges[1] - edges[0]) * left / count).clamp(min, max);
            }
            left -= count;
        }
        max
    };
    Some(Distribution { step, min, max, quantiles: QUANTILES.map(quantile) })
}

/// Returns the chart of distributions over steps: bands around the median.
pub(super) fn chart(distributions: &[Distribution], colour: usize) -> Markup {
    let every = distributions.len().div_ceil(STEPS).max(1);
    let shown: Vec<&Distribution> = distributions.iter().step_by(every).collect();
    let x = Scale::of(shown.iter().map(|at| at.step), (LEFT, WIDTH - RIGHT), false);
    let y = Scale::of(shown.iter().flat_map(|at| [at.min, at.max]), (HEIGHT - BOTTOM, TOP), false);
    let line = |value: &dyn Fn(&Distribution) -> f64, is_reversed: bool| {
        let mut path = String::new();
        let mut add = |at: &Distribution| {
            let command = if path.is_empty() && !is_reversed { 'M' } else { 'L' };
            let _ = write!(path, "{command}{} {}", pixel(x.at(at.step)), pixel(y.at(value(at))));
        };
        if is_reversed {
            shown.iter().rev().for_each(|at| add(at));
        } else {
            shown.iter().for_each(|at| add(at));
        }
        path
    };
    let band = |low: &dyn Fn(&Distribution) -> f64, high: &dyn Fn(&Distribution) -> f64| {
        format!("{}{}Z", line(low, false), line(high, true))
    };
    let class = format!("band c{colour}");
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" {
            (axes(&x, &y))
            path class=(class) d=(band(&|at| at.min, &|at| at.max)) {}
            @for index in 0..MEDIAN {
                path class=(class) d=(band(&|at| at.quantiles[index], &|at| at.quantiles[QUANTILES.len() - 1 - index])) {}
            }
            path class=(format!("line c{colour}")) d=(line(&|at| at.quantiles[MEDIAN], false)) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distribution_has_the_quantiles_of_its_bins() {
        let logged = Logged {
            name: String::new(),
            min: Some(0.0),
            max: Some(9.5),
            edges: vec![0.0, 5.0, 10.0],
            counts: vec![50.0, 50.0],
        };
        let found = distribution(3.0, &logged).unwrap();
        assert_eq!((found.quantiles[MEDIAN], found.step), (5.0, 3.0));
        assert!((found.quantiles[1] - 1.59).abs() < 1e-9 && (found.quantiles[6] - 9.33).abs() < 1e-9);
        assert_eq!(distribution(0.0, &Logged { counts: vec![0.0, 0.0], ..logged }), None);
    }
}
