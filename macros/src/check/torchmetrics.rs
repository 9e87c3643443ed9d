//! Constructors of torchmetrics' classes that have another name here, such as `MulticlassAccuracy::new(10)`.

use super::tokens::{are_arguments, is};
use crate::catalogue::{self, Diagnostic};
use crate::source_file::SourceFile;
use proc_macro2::{Span, TokenStream, TokenTree};

/// The metrics of one of the tasks, each with its name here.
const OF_TASKS: [(&str, &str); 9] = [
    ("AUROC", "Auroc"),
    ("Accuracy", "Accuracy"),
    ("AveragePrecision", "AveragePrecision"),
    ("ConfusionMatrix", "ConfusionMatrix"),
    ("F1Score", "F1Score"),
    ("MatthewsCorrCoef", "MatthewsCorrCoef"),
    ("Precision", "Precision"),
    ("Recall", "Recall"),
    ("Specificity", "Specificity"),
];

/// The tasks, each with the call of its constructor.
const TASKS: [(&str, &str); 3] =
    [("Binary", "binary()"), ("Multiclass", "multiclass(10)"), ("Multilabel", "multilabel(10)")];

/// Other metrics, each with the call of its constructor.
const OTHERS: [(&str, &str); 7] = [
    ("AUROC", "Auroc::multiclass(10)"),
    ("BLEUScore", "BleuScore::new()"),
    ("MaxMetric", "Max::new()"),
    ("MeanMetric", "Mean::new()"),
    ("MinMetric", "Min::new()"),
    ("ROUGEScore", "RougeScore::new()"),
    ("SumMetric", "Sum::new()"),
];

/// Returns the call that begins at this token, if it is of such a constructor.
pub(super) fn mistake(tokens: &[TokenTree], place: usize) -> Option<(TokenStream, Diagnostic)> {
    let [TokenTree::Ident(class), one, other, TokenTree::Ident(_), TokenTree::Group(_), ..] = &tokens[place..] else {
        return None;
    };
    if !is(one, ':') || !is(other, ':') || !are_arguments(tokens.get(place + 4)) {
        return None;
    }
    let class = class.to_string();
    let (form, ty) = meant(&class)?;
    let is_meant = SourceFile::of(Span::call_site()).is_some_and(|file| !file.has_another_type(&class));
    let wrong = tokens[place..place + 5].iter().cloned().collect();
    is_meant.then(|| (wrong, catalogue::metric_of_torchmetrics(class, form, ty)))
}

/// Returns the call that makes the metric of this class, and its type.
fn meant(class: &str) -> Option<(String, String)> {
    if let Some((_, form)) = OTHERS.iter().find(|(other, _)| *other == class) {
        return Some(((*form).to_owned(), form.split("::").next()?.to_owned()));
    }
    TASKS.iter().find_map(|(task, call)| {
        let metric = class.strip_prefix(task)?;
        let (_, metric) = OF_TASKS.iter().find(|(name, _)| *name == metric)?;
        Some((format!("{metric}::{call}"), format!("{metric}<{task}>")))
    })
}
