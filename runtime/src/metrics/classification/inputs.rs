use tch::Tensor;

use crate::metrics::error::{Refusal, require_option};
use crate::metrics::inputs::{
    is_floating, require, require_labels, require_real, require_same_device, require_same_shape,
};

/// The interpretation of predictions and targets.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    pub(super) task: TaskKind,
    /// The threshold of the binary and the multilabel task.
    pub(super) threshold: f64,
    /// For the multiclass task: a prediction is correct if the target is among this number of classes with the highest scores.
    pub(super) top_k: i64,
    pub(super) ignore_index: Option<i64>,
}

/// The task and its number of classes or labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskKind {
    Binary,
    /// One of this number of classes.
    Multiclass(i64),
    /// Any of this number of labels.
    Multilabel(i64),
}

impl Inputs {
    pub(super) fn binary() -> Self {
        Self::of(TaskKind::Binary)
    }

    pub(super) fn multiclass(num_classes: i64) -> Self {
        Self::of(TaskKind::Multiclass(num_classes))
    }

    pub(super) fn multilabel(num_labels: i64) -> Self {
        Self::of(TaskKind::Multilabel(num_labels))
    }

    fn of(task: TaskKind) -> Self {
        Self { task, threshold: 0.5, top_k: 1, ignore_index: None }
    }

    /// The number of values before they are averaged.
    pub(super) fn columns(&self) -> i64 {
        match self.task {
            TaskKind::Binary => 1,
            TaskKind::Multiclass(columns) | TaskKind::Multilabel(columns) => columns,
        }
    }

    pub(super) fn is_multiclass(&self) -> bool {
        matches!(self.task, TaskKind::Multiclass(_))
    }

    pub(super) fn validate(&self) -> Result<(), Refusal> {
        match self.task {
            TaskKind::Binary => {}
            TaskKind::Multiclass(classes) => {
                require_option(classes >= 2, || format!("num_classes must be 2 or more, but it is {classes}"))?;
                require_option((1..=classes).contains(&self.top_k), || {
                    format!("top_k must be from 1 to the number of classes, {classes}, but it is {}", self.top_k)
                })?;
            }
            TaskKind::Multilabel(labels) => {
                require_option(labels >= 2, || format!("num_labels must be 2 or more, but it is {labels}"))?;
            }
        }
        require_option((0.0..=1.0).contains(&self.threshold), || {
            format!("threshold must be from 0 to 1, but it is {}", self.threshold)
        })
    }

    /// Describes the valid labels of targets, for a message.
    pub(super) fn range(&self) -> String {
        match self.task {
            TaskKind::Binary | TaskKind::Multilabel(_) => "0 or 1".to_owned(),
            TaskKind::Multiclass(classes) => format!("among 0 to {}", classes - 1),
        }
    }

    /// Checks the sizes, dtypes and devices of a batch.
    pub(super) fn check(&self, preds: &Tensor, target: &Tensor) -> Result<(), Refusal> {
        require_labels("targets", target)?;
        require_real("predictions", preds)?;
        require_same_device(preds, target)?;
        match self.task {
            TaskKind::Binary => require_same_shape(preds, target),
            TaskKind::Multiclass(classes) => self.check_multiclass(preds, target, classes),
            TaskKind::Multilabel(labels) => {
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
            format!("the predictions are labels, but a top_k of {} requires the scores of all classes", self.top_k)
        })
    }
}
