//! The tables of a page.

use super::super::run::LoggedRun;
use super::super::settings::{differs, names, shown};
use super::super::table::{best_title, has_one_monitor, row};
use super::swatch;
use crate::counted::{counted, grouped};
use crate::trainer::RunFile;
use maud::{Markup, html};

pub(super) fn runs(runs: &[LoggedRun]) -> Markup {
    let problems: Vec<&String> = runs.iter().flat_map(LoggedRun::problems).collect();
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th { "Run" } th { "Verb" } th { "State" } th.number { "Epochs" } th.number { "Steps" } th.number { "Time" }
                        th.number { (best_title(runs)) } th { "End" }
                    }
                }
                tbody {
                    @for (index, run) in runs.iter().enumerate() {
                        @let cells = row(run, has_one_monitor(runs));
                        tr {
                            td.name title=(run.folder().display()) { (swatch(index)) (cells[0]) }
                            td { (cells[1]) }
                            td class=(cells[2]) { (cells[2]) }
                            @for cell in &cells[3..] { td.number { (cell) } }
                            td.end { (run.end_reason().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
        @for problem in problems { p.problem { (problem) } }
    }
}

/// Returns the hyperparameters and the configuration, those in which runs differ first.
pub(super) fn settings(runs: &[LoggedRun]) -> Option<Markup> {
    let all = || runs.iter().map(|run| &run.settings);
    let names = names(all());
    let (differing, same): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| differs(name, all()));
    if differing.is_empty() && same.is_empty() {
        return None;
    }
    // few settings need no click
    let is_open = runs.len() == 1 || differing.is_empty();
    Some(html! {
        @if !differing.is_empty() {
            div.wide {
                table.settings {
                    thead { tr { th { "Differs" } @for (index, run) in runs.iter().enumerate() { th.name { (swatch(index)) (run.name()) } } } }
                    tbody {
                        @for name in &differing {
                            tr data-setting=(name) { th { (name) } @for settings in all() { td { (shown(settings.get(*name))) } } }
                        }
                    }
                }
            }
        }
        @if !same.is_empty() {
            details open[is_open] {
                summary { @if runs.len() > 1 { (same.len()) " settings are the same in all runs" } @else { (same.len()) " settings" } }
                div.columns {
                    @for name in &same {
                        div data-setting=(name) { span { (name) } code { (shown(runs[0].settings.get(*name))) } }
                    }
                }
            }
        }
    })
}

/// Calls a function with each run that has a file, once for runs with the same contents.
fn distinct<'a, T: PartialEq>(
    runs: &'a [LoggedRun],
    part: impl Fn(&'a RunFile) -> T,
    body: impl Fn(&T) -> Markup,
) -> Option<Markup> {
    let mut parts: Vec<(T, Vec<usize>)> = Vec::new();
    for (index, file) in runs.iter().enumerate().filter_map(|(index, run)| Some((index, run.file.as_ref()?))) {
        let part = part(file);
        match parts.iter_mut().find(|(known, _)| *known == part) {
            Some((_, indices)) => indices.push(index),
            None => parts.push((part, vec![index])),
        }
    }
    let several = parts.len() > 1;
    (!parts.is_empty()).then(|| {
        html! {
            @for (part, indices) in &parts {
                @if several { p.legend { @for index in indices { span { (swatch(*index)) (runs[*index].name()) } } } }
                (body(part))
            }
        }
    })
}

pub(super) fn model(runs: &[LoggedRun]) -> Option<Markup> {
    distinct(
        runs,
        |file| (&file.module, &file.layers, &file.training_step),
        |(module, layers, training_step)| {
            let of = |shape: &[i64]| shape.iter().product::<i64>().unsigned_abs();
            let tensors = || layers.iter().flat_map(|layer| &layer.tensors);
            let elements: u64 = tensors().map(|tensor| of(&tensor.shape)).sum();
            let trained: u64 = tensors().filter(|tensor| tensor.trained).map(|tensor| of(&tensor.shape)).sum();
            let bytes: u64 = tensors().map(|tensor| tensor.bytes).sum();
            let is_observed = layers.iter().any(|layer| layer.call.is_some());
            html! {
                p { code { (module) } ": " span.parameters { (grouped(elements)) } " parameters and buffers, " (grouped(trained))
                    " of them trained, " (format!("{:.2} MB", bytes as f64 / 1e6)) }
                @if let Some(step) = training_step {
                    p { span.flops { (grouped(step.flops)) } " floating-point operations in the forward and backward pass of a batch"
                        @if let Some(samples) = step.samples { " of " (counted(samples, "sample")) } }
                }
                div.wide {
                    table {
                        thead {
                            tr {
                                th { "Layer" } th { "Tensors" } th.number { "Elements" }
                                @if is_observed { th { "In" } th { "Out" } th.number { "FLOPs" } }
                            }
                        }
                        tbody {
                            @for layer in *layers {
                                tr data-layer=(layer.name) {
                                    td { (layer.name) @if let Some(call) = layer.call.as_ref().filter(|call| call.calls > 1) { " ×" (call.calls) } }
                                    td { @for tensor in &layer.tensors {
                                        span.tensor { (tensor.name) " " code { (format!("{:?} {}", tensor.shape, tensor.kind)) } } " "
                                    } }
                                    td.number { (grouped(layer.tensors.iter().map(|tensor| of(&tensor.shape)).sum())) }
                                    @if let Some(call) = &layer.call {
                                        td { code { (format!("{:?}", call.input)) } }
                                        td { @if let Some(output) = &call.output { code { (format!("{output:?}")) } } @else { "failed" } }
                                        td.number { (grouped(call.flops)) }
                                    } @else if is_observed { td {} td {} td {} }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

pub(super) fn hooks(runs: &[LoggedRun]) -> Option<Markup> {
    distinct(
        runs,
        |file| &file.hooks,
        |hooks| {
            html! {
                div.wide {
                    table {
                        thead { tr { th { "Hook of the module" } th { "Declared in" } th { "Written at" } } }
                        tbody {
                            @for hook in *hooks {
                                tr { td { code { (hook.name) } } td { (hook.declared_in) } td { (hook.at.as_deref().unwrap_or_default()) } }
                            }
                        }
                    }
                }
            }
        },
    )
}

pub(super) fn environment(runs: &[LoggedRun]) -> Option<Markup> {
    let host = |file: &RunFile| file.process.as_ref().map(|process| process.host.clone()).unwrap_or_default();
    distinct(
        runs,
        |file| (file.environment.clone(), host(file), file.command.join(" ")),
        |(environment, host, command)| {
            let rows = [
                ("command", command.clone()),
                ("git revision", environment.git_revision.clone().unwrap_or_default()),
                ("device", environment.device.clone()),
                ("threads", environment.threads.to_string()),
                ("libtorch", environment.libtorch.clone()),
                ("tch-lightning", environment.tch_lightning.clone()),
                ("machine", host.clone()),
                ("system", environment.system.clone()),
            ];
            html! {
                div.columns {
                    @for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
                        div { span { (name) } code { (value) } }
                    }
                }
            }
        },
    )
}
