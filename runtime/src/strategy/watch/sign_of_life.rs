//! What a rank tells the others about itself while it runs.

use crate::strategy::call::Call;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// A sign of life of a rank: where it is in the order of the operations of all ranks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::strategy) struct SignOfLife {
    /// Distinguishes it from the one before.
    pub(super) beat: u64,
    /// The beginning of the keys of its meeting: the positions of two meetings cannot be compared.
    pub(super) meeting: String,
    /// The number of the trainer's own operations that it has begun, with both ends of a backward pass.
    pub(super) operations: u64,
    /// The last ones of these, of which the first is the newest.
    pub(super) recent: Vec<String>,
    /// The number of operations of the user's program that it has begun, read after `operations`.
    pub(super) calls: u64,
    /// The one of these that it is in.
    pub(super) call: Option<Call>,
    /// The hook and the batch that it is in, in words.
    pub(super) place: Option<String>,
}

impl SignOfLife {
    /// Returns what each of the two ranks does if they call different operations, or in another order: for certain, whenever each of the two
    /// signs was given.
    pub(in crate::strategy) fn difference(&self, other: &Self) -> Option<[String; 2]> {
        if self.meeting != other.meeting {
            return None;
        }
        let Some(call) = &self.call else { return self.difference_of_operations(other) };
        let differs = match &other.call {
            Some(of_other) if call.number == of_other.number => !call.is_same(of_other),
            // the other one has begun an operation of the trainer that comes after the call
            _ => other.calls < call.number && other.operations > call.after,
        };
        differs.then(|| [self.in_words(), other.in_words()])
    }

    /// Returns the first operations of the trainer with the same number that are not the same.
    fn difference_of_operations(&self, other: &Self) -> Option<[String; 2]> {
        let last = self.operations.min(other.operations);
        let numbers = (1..=last).rev().map_while(|number| Some([self.operation(number)?, other.operation(number)?]));
        let [own, of_other] = numbers.filter(|[own, of_other]| own != of_other).last()?;
        Some([own, of_other].map(|operation| format!("was {operation}")))
    }

    /// The operation of the trainer with a number, from 1, if it is a recent one.
    fn operation(&self, number: u64) -> Option<&String> {
        self.recent.get(usize::try_from(self.operations.checked_sub(number)?).ok()?)
    }

    /// Whether this rank has begun fewer operations than the other.
    pub(super) fn is_behind(&self, other: &Self) -> bool {
        self.operations + self.calls < other.operations + other.calls
    }

    /// What the rank does.
    fn in_words(&self) -> String {
        match (&self.call, self.recent.first()) {
            (Some(call), _) => format!("called {}", call.in_words()),
            (None, Some(operation)) => format!("was {operation}"),
            (None, None) => "was starting the run".to_owned(),
        }
    }
}

/// What is known of another rank that is being looked at.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) sign: Option<SignOfLife>,
    /// When the last sign was first seen.
    pub(super) since: Option<Instant>,
    pub(super) has_changed: bool,
    /// The number of operations that it had begun at first.
    at_first: Option<u64>,
    pub(super) has_ended: bool,
}

impl Seen {
    pub(super) fn see(&mut self, sign: Option<SignOfLife>, has_ended: bool) {
        self.has_ended = has_ended;
        if let Some(sign) = &sign {
            self.at_first.get_or_insert(sign.operations + sign.calls);
        }
        if self.since.is_none() {
            (self.sign, self.since) = (sign, Some(Instant::now()));
        } else if sign != self.sign {
            self.has_changed = sign.is_some();
            (self.sign, self.since) = (sign, Some(Instant::now()));
        }
    }

    /// Whether it lives, but has not begun an operation that this rank, with its `own` sign of life, waits in.
    pub(super) fn is_absent(&self, own: &SignOfLife) -> bool {
        let has_not_moved =
            |sign: &SignOfLife| self.at_first == Some(sign.operations + sign.calls) && sign.is_behind(own);
        self.sign.as_ref().is_some_and(has_not_moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(operations: u64, recent: &[&str], calls: u64) -> SignOfLife {
        let recent = recent.iter().map(|operation| (*operation).to_owned()).collect();
        SignOfLife { operations, recent, calls, meeting: "1/".to_owned(), ..SignOfLife::default() }
    }

    fn in_call(operations: u64, number: u64, name: &str) -> SignOfLife {
        let call = Call::of_program(name).at(operations, number);
        SignOfLife { call: Some(call), ..sign(operations, &["averaging gradients"], number) }
    }

    #[test]
    fn rank_that_passed_a_call_of_another_is_out_of_step() {
        let waiting = in_call(4, 1, "barrier");
        let passed = sign(5, &["joining metrics"], 0);
        let said = ["called `barrier`", "was joining metrics"].map(str::to_owned);
        assert_eq!(waiting.difference(&passed), Some(said));
        assert!(waiting.difference(&in_call(4, 1, "all_gather")).is_some());
        for in_step in [
            // before the call
            sign(3, &["averaging gradients"], 0),
            sign(4, &["averaging gradients"], 0),
            // in the call, or after it
            in_call(4, 1, "barrier"),
            sign(5, &["an operation of all processes"], 1),
            sign(7, &["joining metrics"], 1),
            in_call(6, 2, "all_gather"),
            // of another meeting
            SignOfLife { meeting: "2/".to_owned(), ..passed },
        ] {
            assert_eq!(waiting.difference(&in_step), None, "{in_step:?}");
            assert_eq!(in_step.difference(&waiting), None, "{in_step:?}");
        }
    }

    #[test]
    fn ranks_in_other_operations_of_the_same_number_are_out_of_step() {
        let averaging = sign(5, &["averaging gradients", "sending buffers"], 1);
        let said = ["was averaging gradients", "was joining metrics"].map(str::to_owned);
        assert_eq!(averaging.difference(&sign(5, &["joining metrics"], 1)), Some(said.clone()));
        // of which one has begun a further one
        let further = sign(6, &["joining metrics", "joining metrics", "sending buffers"], 1);
        assert_eq!(averaging.difference(&further), Some(said));
        for in_step in [
            averaging.clone(),
            sign(6, &["joining metrics"], 1),
            sign(6, &["joining metrics", "averaging gradients", "sending buffers"], 1),
            sign(4, &["sending buffers"], 1),
        ] {
            assert_eq!(averaging.difference(&in_step), None, "{in_step:?}");
        }
    }
}
