//! The page about one or several runs.

// The page is a `maud` template in each room: `curves` draws what was logged, `media` shows it, and `tables` has the rest.

mod curves;
mod media;
mod tables;

use super::media::Budget;
use super::run::LoggedRun;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The size of all images of a page before they are encoded.
const IMAGES: usize = 2 << 20;
/// The number of runs whose names are in the page's title.
const NAMED: usize = 3;

/// Returns the page: one HTML file that refers to nothing else.
pub(super) fn page(runs: &[LoggedRun]) -> Markup {
    let names: Vec<String> = runs.iter().map(LoggedRun::name).collect();
    let title = if runs.len() <= NAMED { names.join(", ") } else { format!("{} runs", runs.len()) };
    let mut budget = Budget(IMAGES);
    let sections = [
        ("runs", "Runs", Some(tables::runs(runs))),
        ("metrics", "Metrics", curves::metrics(runs)),
        ("learning-rates", "Learning rates", curves::learning_rates(runs)),
        ("throughput", "Throughput and device", Some(curves::throughput(runs))),
        ("histograms", "Histograms", curves::histograms(runs)),
        ("images", "Images", media::images(runs, &mut budget)),
        ("tables", "Tables and texts", media::tables_and_texts(runs)),
        ("settings", "Hyperparameters and configuration", tables::settings(runs)),
        ("model", "Model", tables::model(runs)),
        ("hooks", "Hooks", tables::hooks(runs)),
        ("environment", "Environment", tables::environment(runs)),
    ];
    let sections: Vec<_> = sections.into_iter().filter_map(|(id, name, body)| Some((id, name, body?))).collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    nav { @for (id, name, _) in &sections { a href=(format!("#{id}")) { (name) } } }
                }
                main {
                    @for (id, name, body) in &sections {
                        section id=(id) { h2 { (name) } (body) }
                    }
                }
                div #at hidden {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Returns the swatch of a colour.
fn swatch(colour: usize) -> Markup {
    html! { span class=(format!("swatch c{}", colour % COLOURS)) {} }
}

/// The number of colours in the style sheet. More runs share them.
const COLOURS: usize = 10;
