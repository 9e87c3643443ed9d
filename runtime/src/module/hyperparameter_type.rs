//! A type of hyperparameters as a value, so that the code that merges flags, files and checkpoints is compiled once, in this crate,
//! and not in each program for each of its types.

use super::Hyperparameters;
use crate::json::{Filler, Shape};
use clap::{ArgMatches, Command};
use serde_json::Value;
use std::any::Any;
use std::collections::BTreeMap;

/// Hyperparameters of any type.
pub(crate) trait AnyHyperparameters {
    /// [`Hyperparameters::update_from_arg_matches`].
    fn update(&mut self, matches: &ArgMatches) -> Result<(), clap::Error>;

    /// [`Hyperparameters::to_json`].
    fn json(&self) -> serde_json::Result<Value>;

    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<H: Hyperparameters> AnyHyperparameters for H {
    fn update(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.update_from_arg_matches(matches)
    }

    fn json(&self) -> serde_json::Result<Value> {
        self.to_json()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// The functions of [`Hyperparameters`] for one type.
#[derive(Clone, Copy)]
pub(crate) struct HyperparameterType {
    pub(crate) augment_args: fn(Command) -> Command,
    pub(crate) shape: fn(&Value, &BTreeMap<String, String>) -> Shape,
    pub(crate) from_arg_matches: fn(&ArgMatches) -> Result<Box<dyn AnyHyperparameters>, clap::Error>,
    pub(crate) from_json: fn(Value) -> serde_json::Result<Box<dyn AnyHyperparameters>>,
    pub(crate) fill: fn(&Value, Filler<'_>, &Shape) -> serde_json::Result<Box<dyn AnyHyperparameters>>,
}

impl HyperparameterType {
    pub(crate) fn of<H: Hyperparameters>() -> Self {
        Self {
            augment_args: H::augment_args,
            shape: H::shape,
            from_arg_matches: |matches| Ok(Box::new(H::from_arg_matches(matches)?)),
            from_json: |json| Ok(Box::new(H::from_json(json)?)),
            fill: |json, filler, shape| Ok(Box::new(H::fill(json, filler, shape)?)),
        }
    }
}

/// Returns hyperparameters of the type with whose [`HyperparameterType`] they were read.
pub(crate) fn of_type<H: Hyperparameters>(hparams: Box<dyn AnyHyperparameters>) -> H {
    *hparams.into_any().downcast().expect("hyperparameters have the type with which they were read")
}
