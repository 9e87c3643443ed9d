//! The tasks of classification, as types that determine the options of a metric.

/// Two classes, of which every element has one: predictions and targets `[batch, …]`.
///
/// Predictions are labels 0 and 1 of an integer dtype, or probabilities or logits of a floating-point one.
#[derive(Debug)]
pub enum Binary {}

/// Several classes, of which every element has one: targets `[batch, …]`.
///
/// Predictions are labels `[batch, …]` of an integer dtype, or scores `[batch, classes, …]` of a floating-point one, of
/// which the highest is the predicted class.
#[derive(Debug)]
pub enum Multiclass {}

/// Several labels, of which every element may have any: predictions and targets `[batch, labels, …]`.
///
/// Predictions are labels 0 and 1 of an integer dtype, or probabilities or logits of a floating-point one.
#[derive(Debug)]
pub enum Multilabel {}

mod sealed {
    pub trait Sealed {}
}

/// A task: [`Binary`], [`Multiclass`] or [`Multilabel`]. Targets are class indices of an integer dtype, such as Int64.
pub trait Task: sealed::Sealed + 'static {}

/// A task with a value for each class or label, which are averaged.
pub trait Averaged: Task {}

/// A task that predicts a label if its probability is above a threshold.
pub trait Thresholded: Task {}

impl sealed::Sealed for Binary {}
impl sealed::Sealed for Multiclass {}
impl sealed::Sealed for Multilabel {}

impl Task for Binary {}
impl Task for Multiclass {}
impl Task for Multilabel {}

impl Averaged for Multiclass {}
impl Averaged for Multilabel {}

impl Thresholded for Binary {}
impl Thresholded for Multilabel {}
