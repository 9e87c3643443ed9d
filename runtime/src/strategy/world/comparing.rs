//! What the processes do where they do not call the same operations.

use super::World;
use crate::native;
use crate::strategy::StrategyError;
use crate::strategy::call::Call;
use crate::strategy::disagreement::Disagreement;
use crate::strategy::failure::{Cause, Failure};
use crate::strategy::watch::Verdict;
use crate::terminal;
use tch::Tensor;

impl World {
    /// Compares a call of the user's program with those of the other ranks. Returns the calls of all, by rank.
    pub(super) fn compare_calls(&self, call: Call) -> Result<Vec<Call>, StrategyError> {
        let comparing = self.connection(|meeting| &meeting.comparing)?;
        let call = self.watch.begin_call(call);
        let own = Tensor::f_from_slice(&call.to_bytes()?)?;
        let all = comparing.all_gather(&own).map_err(|source| self.explain(&call.in_words(), source))?;
        self.watch.end_call();
        Call::compared(&Vec::<u8>::try_from(&all.f_flatten(0, -1)?)?).map_err(|error| match error {
            StrategyError::Disagreement(text) => {
                let rank = self.rank.global;
                // for those that may lose the connection before they have compared
                let failure = Failure { cause: Cause::Disagreement(text), ..Failure::new(rank, self.host(rank), "") };
                self.separated_by(self.watch.report(failure, false).into())
            }
            other => other,
        })
    }

    /// Ends the connections after a disagreement, which all ranks find, and returns it.
    pub(super) fn separated_by(&self, disagreement: StrategyError) -> StrategyError {
        self.all_find_the_same();
        self.leave();
        disagreement
    }

    /// Ends the process after another rank has sent something else than this one takes: C++ would abort it.
    pub(in crate::strategy) fn end_by_mismatch(&self, message: &str) -> ! {
        let (rank, host) = (self.rank.global, self.host(self.rank.global));
        let failure = match self.watch.verdict() {
            Verdict::Failed(failure) => failure,
            Verdict::Disagreement(disagreement) => {
                self.watch.report(Failure::of_disagreement(rank, host, disagreement), false)
            }
            _ => self.watch.report(Failure::of_disagreement(rank, host, Disagreement::of_sizes(message)), false),
        };
        terminal::say(format_args!("error: {}", StrategyError::from(failure)));
        // the others learn of it from the store, which may end with this process
        self.watch.let_others_see();
        native::exit_at_once(1);
    }
}
