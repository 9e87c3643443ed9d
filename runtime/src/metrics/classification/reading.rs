use tch::Tensor;

use crate::metrics::error::{Refusal, require_option};
use crate::metrics::inputs::{
    is_floating, require, require_labels, require_real, require_same_device, require_same_shape,
};

/// How predictions and targets are to be read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) question: Question,
    /// Where the decision is by a threshold.
    pub(super) threshold: f64,
    /// Where the decision is among classes: of so many classes with the highest scores, the target is enough.
    pub(super) top_k: i64,
    pub(super) ignore_index: Option<i64>,
}

/// What is asked of every element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Binary,
    /// Which of so many classes it has.
    Multiclass(i64),
    /// Which of so many labels it has.
    Multilabel(i64),
}

impl Reading {
    pub(super) fn binary() -> Self {
        Self::of(Question::Binary)
    }

    pub(super) fn multiclass(num_classes: i64) -> Self {
        Self::of(Question::Multiclass(num_classes))
    }

    pub(super) fn multilabel(num_labels: i64) -> Self {
        Self::of(Question::Multilabel(num_labels))
    }

    fn of(question: Question) -> Self {
        Self { question, threshold: 0.5, top_k: 1, ignore_index: None }
    }

    /// How many values there are before they are averaged.
    pub(super) fn columns(&self) -> i64 {
        match self.question {
            Question::Binary => 1,
            Question::Multiclass(columns) | Question::Multilabel(columns) => columns,
        }
    }

    pub(super) fn is_multiclass(&self) -> bool {
        matches!(self.question, Question::Multiclass(_))
    }

    pub(super) fn validate(&self) -> Result<(), Refusal> {
        match self.question {
            Question::Binary => {}
            Question::Multiclass(classes) => {
                require_option(classes >= 2, || format!("num_classes must be 2 or more, but it is {classes}"))?;
                require_option((1..=classes).contains(&self.top_k), || {
                    format!("top_k must be from 1 to the number of classes, {classes}, but it is {}", self.top_k)
                })?;
            }
            Question::Multilabel(labels) => {
                require_option(labels >= 2, || format!("num_labels must be 2 or more, but it is {labels}"))?;
            }
        }
        require_option((0.0..=1.0).contains(&self.threshold), || {
            format!("threshold must be from 0 to 1, but it is {}", self.threshold)
        })
    }

    /// The labels that targets may have, for a sentence.
    pub(super) fn range(&self) -> String {
        match self.question {
            Question::Binary | Question::Multilabel(_) => "0 or 1".to_owned(),
            Question::Multiclass(classes) => format!("among 0 to {}", classes - 1),
        }
    }

    /// Checks sizes, dtypes and devices of a batch.
    pub(super) fn check(&self, preds: &Tensor, target: &Tensor) -> Result<(), Refusal> {
        require_labels("targets", target)?;
        require_real("predictions", preds)?;
        require_same_device(preds, target)?;
        match self.question {
            Question::Binary => require_same_shape(preds, target),
            Question::Multiclass(classes) => self.check_multiclass(preds, target, classes),
            Question::Multilabel(labels) => {
                require_same_shape(preds, target)?;
                let shape = preds.size();
                require(shape.get(1) == Some(&labels), || {
                    format!("its shape is {shape:?}, but with {labels} labels it must be [batch, {labels}, …]")
                })
            }
        }
    }

    fn check_multiclass(&self, preds: &Tensor, target: &Tensor, classes: i64) -> Result<(), Refusal> {
        let (of_preds, of_target) = (preds.size(), target.size());
        if is_floating(preds) {
            let fits = of_preds.get(1) == Some(&classes)
                && of_preds[..1] == of_target[..of_target.len().min(1)]
                && of_preds[2..] == of_target[of_target.len().min(1)..];
            return require(fits, || {
                format!(
                    "the scores have the shape {of_preds:?} and the targets {of_target:?}, but with {classes} classes they \
                     must be [batch, {classes}, …] and [batch, …]"
                )
            });
        }
        require_same_shape(preds, target)?;
        require(self.top_k == 1, || {
            format!("the predictions are labels, but a top_k of {} needs the scores of all classes", self.top_k)
        })
    }
}
