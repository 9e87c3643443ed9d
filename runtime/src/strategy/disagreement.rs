//! Ranks that do not call the same operations in the same order, so that they would wait for one another without end.

use super::call::Call;
use super::watch::SignOfLife;
use super::{StrategyError, ranks_in_words};

/// What the ranks do instead of the same, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disagreement(String);

/// What all ranks must do.
const SAME_OPERATIONS: &str = "all processes must call the same operations in the same order";

impl Disagreement {
    /// Returns how calls differ that are to be those of one operation, by rank.
    pub(super) fn of_calls(calls: &[Call]) -> Option<Self> {
        let [first, others @ ..] = calls else { return None };
        if others.iter().any(|other| !other.is_same(first)) {
            let has_same_words = others.iter().all(|other| other.in_words() == first.in_words());
            let called = |call: &Call| match has_same_words {
                true => format!("called {} after {} operations of the trainer", call.in_words(), call.after),
                false => format!("called {}", call.in_words()),
            };
            let each: Vec<(usize, String)> = calls.iter().map(called).enumerate().collect();
            return Some(Self::of_ranks(&each));
        }
        if others.iter().all(|other| other.has_same(first)) {
            return None;
        }
        let each: Vec<(usize, String)> = calls.iter().map(Call::with_in_words).enumerate().collect();
        let mut groups = grouped(&each);
        let (some, with) = groups.remove(0);
        let place = first.in_words();
        let others = groups.into_iter().map(|(ranks, with)| {
            // the operation and its place are named once
            let with = with.strip_prefix(&place).unwrap_or(&with).trim_start().to_owned();
            format!("{} {with}", ranks_in_words(&ranks))
        });
        let others = others.collect::<Vec<_>>().join(", and ");
        let same = if first.has_tensor() { "a tensor of the same shape and dtype" } else { "the same arguments" };
        Some(Self(format!(
            "{} called {with}, and {others}: all processes must call it with {same}",
            ranks_in_words(&some)
        )))
    }

    /// Returns how ranks differ for certain, by their signs of life. Each is of one moment, and none need be of the same moment.
    pub(super) fn of_signs(signs: &[(usize, SignOfLife)]) -> Option<Self> {
        let mut pairs = signs.iter().flat_map(|one| signs.iter().map(move |other| (one, other)));
        let differing = |((one, of_one), (other, of_other)): (&(usize, SignOfLife), &(usize, SignOfLife))| {
            let [does, other_does] = of_one.difference(of_other)?;
            Some([(*one, does), (*other, other_does)])
        };
        let mut each = pairs.find_map(differing)?;
        each.sort();
        Some(Self::of_ranks(&each))
    }

    /// Returns that ranks have sent tensors of different sizes in one operation, with the message of Gloo, where nothing else is known.
    pub(super) fn of_sizes(message: &str) -> Self {
        Self(format!("two processes have sent tensors of different sizes to one another: {SAME_OPERATIONS}: {message}"))
    }

    fn of_ranks(each: &[(usize, String)]) -> Self {
        let groups: Vec<String> =
            grouped(each).into_iter().map(|(ranks, what)| format!("{} {what}", ranks_in_words(&ranks))).collect();
        Self(format!("{}: {SAME_OPERATIONS}", groups.join(", while ")))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// The ranks that do the same, in their order.
fn grouped(each: &[(usize, String)]) -> Vec<(Vec<usize>, String)> {
    let mut groups: Vec<(Vec<usize>, String)> = Vec::new();
    for (rank, what) in each {
        match groups.iter_mut().find(|(_, other)| other == what) {
            Some((ranks, _)) => ranks.push(*rank),
            None => groups.push((vec![*rank], what.clone())),
        }
    }
    groups
}

impl From<Disagreement> for StrategyError {
    fn from(disagreement: Disagreement) -> Self {
        Self::Disagreement(disagreement.0)
    }
}
