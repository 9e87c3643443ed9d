//! Operations of all ranks that the user's program calls. The ranks compare their calls before each operation: those that differ would wait
//! for one another, or take the values of one operation for those of another.

use super::StrategyError;
use super::disagreement::Disagreement;
use crate::hook::Hook;
use crate::users_line;
use serde::{Deserialize, Serialize};
use std::panic::Location;
use tch::{Device, Tensor};

/// A call of an operation of all ranks by the user's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    /// The name of the operation, such as `barrier`.
    name: String,
    /// The hook that calls it, if one is running.
    hook: Option<String>,
    /// The line of the user's program.
    line: Option<String>,
    /// What else must be the same on all ranks, in words.
    with: String,
    /// The number of bytes that this rank contributes, which may differ.
    length: usize,
    /// The number of the trainer's own operations before it.
    pub(super) after: u64,
    /// The number of the call, from 1.
    pub(super) number: u64,
}

/// The size of a call that is sent to the others, which is that of all.
const SIZE: usize = 512;

/// What the description of a tensor begins with.
const TENSOR: &str = "a tensor";

impl Call {
    pub(crate) fn new(name: &str, hook: Option<Hook>, at: &Location<'_>) -> Self {
        // the trainer's callbacks call operations as well
        let line = (!users_line::is_foreign(at.file())).then(|| format!("{}:{}", at.file(), at.line()));
        let hook = hook.map(|hook| hook.name().to_owned());
        Self { name: name.to_owned(), hook, line, with: String::new(), length: 0, after: 0, number: 0 }
    }

    /// Returns the call of a verb, or another one outside of hooks.
    pub(crate) fn of_program(name: &str) -> Self {
        Self { name: name.to_owned(), hook: None, line: None, with: String::new(), length: 0, after: 0, number: 0 }
    }

    /// Returns the call with what else must be the same on all ranks.
    pub(crate) fn with(self, with: impl Into<String>) -> Self {
        Self { with: with.into(), ..self }
    }

    /// Returns the call with a tensor, whose shape, dtype and kind of device must be the same on all ranks.
    pub(crate) fn with_tensor(self, tensor: &Tensor) -> Self {
        let place = if tensor.device() == Device::Cpu { "" } else { " on a GPU" };
        self.with(format!("{TENSOR} {:?} {:?}{place}", tensor.kind(), tensor.size()))
    }

    pub(super) fn has_tensor(&self) -> bool {
        self.with.starts_with(TENSOR)
    }

    /// Returns the call with a number of bytes, which may differ.
    pub(crate) fn with_length(self, length: usize) -> Self {
        Self { length, ..self }
    }

    /// Returns the call with its place in the order of all operations.
    pub(super) fn at(self, after: u64, number: u64) -> Self {
        Self { after, number, ..self }
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Returns the call as the others get it.
    pub(super) fn to_bytes(&self) -> Result<[u8; SIZE], StrategyError> {
        let mut bytes = [0; SIZE];
        let mut own = serde_json::to_vec(self)?;
        if own.len() > SIZE {
            let with = self.with.chars().take(SIZE / 4).collect();
            own = serde_json::to_vec(&Self { line: None, with, ..self.clone() })?;
        }
        let length = own.len().min(SIZE);
        bytes[..length].copy_from_slice(&own[..length]);
        Ok(bytes)
    }

    /// Returns the calls of all ranks, from their bytes.
    ///
    /// # Errors
    /// If they are not calls of one operation.
    pub(super) fn compared(all: &[u8]) -> Result<Vec<Self>, StrategyError> {
        let text = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let calls = all.chunks_exact(SIZE).map(|bytes| serde_json::from_slice(&bytes[..text(bytes)]));
        let calls = calls.collect::<Result<Vec<Self>, _>>()?;
        match Disagreement::of_calls(&calls) {
            None => Ok(calls),
            Some(disagreement) => Err(disagreement.into()),
        }
    }

    /// Whether both are calls of one operation, apart from what it is called with.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.hook, self.after, self.number) == (&other.name, &other.hook, other.after, other.number)
    }

    /// Whether both are called with the same, as far as it must be.
    pub(super) fn has_same(&self, other: &Self) -> bool {
        self.with == other.with
    }

    /// The operation and its place in the program: `barrier` in `on_train_epoch_end` (src/model.rs:42).
    pub(super) fn in_words(&self) -> String {
        let hook = self.hook.as_ref().map_or_else(String::new, |hook| format!(" in `{hook}`"));
        let line = self.line.as_ref().map_or_else(String::new, |line| format!(" ({line})"));
        format!("`{}`{hook}{line}", self.name)
    }

    /// As [`in_words`](Self::in_words), with what it is called with.
    pub(super) fn with_in_words(&self) -> String {
        let with = if self.with.is_empty() { String::new() } else { format!(" with {}", self.with) };
        format!("{}{with}", self.in_words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    fn call(name: &str) -> Call {
        Call {
            hook: Some("on_train_epoch_end".to_owned()),
            line: Some("src/model.rs:42".to_owned()),
            ..Call::of_program(name)
        }
    }

    fn compared(calls: &[Call]) -> Result<Vec<Call>, String> {
        let bytes: Vec<u8> = calls.iter().flat_map(|call| call.to_bytes().unwrap()).collect();
        Call::compared(&bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn calls_of_one_operation_are_returned() {
        let calls = [call("gather").with_length(7), call("gather").with_length(1_000)];
        assert_eq!(compared(&calls).unwrap(), calls);
        let elsewhere = Call { line: Some("src/model.rs:50".to_owned()), ..call("barrier") };
        assert!(compared(&[call("barrier"), elsewhere]).is_ok());
    }

    #[test]
    fn tensors_of_other_shapes_are_an_error_that_names_both() {
        let tensor = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
        let of = |size: &[i64]| call("all_gather").with_tensor(&tensor(size));
        assert!(compared(&[of(&[2, 3]), of(&[2, 3])]).is_ok());
        let said = compared(&[of(&[2, 3]), of(&[2, 4]), of(&[2, 3])]).unwrap_err();
        assert_eq!(
            said,
            "ranks 0 and 2 called `all_gather` in `on_train_epoch_end` (src/model.rs:42) with a tensor Float [2, 3], and rank 1 with a tensor \
             Float [2, 4]: all processes must call it with a tensor of the same shape and dtype"
        );
    }

    #[test]
    fn call_that_is_too_long_is_sent_without_its_line() {
        let long = Call { line: Some("x".repeat(600)), ..call("barrier") };
        let calls = compared(&[long.clone(), long]).unwrap();
        assert_eq!(calls[0], Call { line: None, ..call("barrier") });
    }
}
