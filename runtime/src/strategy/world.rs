//! The connection between the processes of a run.

mod claim;
mod comparing;
mod connection;
mod meeting;
mod notice;

use super::call::Call;
use super::environment::{Environment, LOOPBACK};
use super::failure::{Cause, Failure};
use super::introduction::{Introduction, this_host, unknown_host};
use super::launch::{self, Launched};
use super::watch::{Verdict, Watch};
use super::{Collectives, Operation, Rank, ReduceOperation, StrategyError};
use crate::hook::Hook;
use crate::native::{self, NativeError, ProcessGroup, Store};
use crate::signal::{Caught, Signal};
use crate::terminal;
use connection::{connect, serve};
use notice::Notice;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tch::Tensor;

/// The processes of a run, of which this is one.
pub(crate) struct World {
    rank: Rank,
    store: Arc<Store>,
    /// Whether this process keeps the store, so that it must end last.
    serves: bool,
    /// Whether a launcher keeps the store.
    has_store_of_launcher: bool,
    /// The address of rank 0.
    address: String,
    port: u16,
    /// The beginning of the keys in the store.
    prefix: String,
    timeout: Duration,
    meeting: Mutex<Meeting>,
    watch: Arc<Watch>,
    launched: Option<Launched>,
    /// Whether a run uses this connection.
    is_in_run: AtomicBool,
    has_failed: AtomicBool,
    /// The number of seeds that rank 0 has drawn.
    drawn_seeds: AtomicUsize,
}

/// A connection of all processes, which ends with the first failure of one.
#[derive(Default)]
struct Meeting {
    /// The number of the meeting, from 1.
    number: usize,
    introductions: Vec<Introduction>,
    /// `None` after a failure.
    group: Option<Arc<ProcessGroup>>,
    /// Connections on which nothing but the calls of the user's program are compared, so that they meet no other operation.
    comparing: Option<Arc<ProcessGroup>>,
    /// Whether the group takes tensors on GPUs.
    has_gpus: bool,
    /// A failure that was found here, and need not be reported to the others.
    found: Option<Found>,
}

/// A failure that is known without a report.
#[derive(Clone)]
enum Found {
    /// These ranks do not respond during an operation.
    Silent { ranks: Vec<(usize, String)>, operation: String },
    /// These ranks live, but do not begin an operation in time, the first one as it is at a place.
    Absent { ranks: Vec<(usize, String)>, operation: String, place: Option<String> },
    /// The launcher has ended, with the store.
    Launcher,
    /// All ranks have found the same error.
    ByAll,
}

/// The cause of a failure that a rank cannot report itself.
const SILENT: &str = "it does not respond, as it was killed or stopped, or the network between them is cut";

impl World {
    /// Connects this process to the store of the others, which a launcher has started.
    pub(super) fn join(environment: &Environment, timeout: Duration) -> Result<Self, StrategyError> {
        let Environment { rank, address, port, has_store, attempt } = environment;
        let serves = rank.is_global_zero() && !has_store;
        let _notice = (!serves).then(|| {
            let line = format!("waiting for rank 0 of {} at {address}:{port} …", rank.world_size);
            Notice::after_a_while(|| line)
        });
        let store = if serves { serve(*port, timeout)? } else { connect(address, *port, timeout)? };
        Self::around(*rank, (store, serves, *has_store), None, (address, *port, attempt), timeout)
    }

    /// Starts the other ranks on this machine, whose first process is this one.
    pub(super) fn launch(processes: usize, timeout: Duration) -> Result<Self, StrategyError> {
        let store = Store::serve(0, timeout)?;
        let rank = Rank { global: 0, local: 0, node: 0, world_size: processes };
        let port = store.port();
        let launched = Launched::start(rank, port)?;
        Self::around(rank, (store, true, false), Some(launched), (LOOPBACK, port, "/"), timeout)
    }

    fn around(
        rank: Rank,
        (store, serves, has_store_of_launcher): (Store, bool, bool),
        launched: Option<Launched>,
        (address, port, attempt): (&str, u16, &str),
        timeout: Duration,
    ) -> Result<Self, StrategyError> {
        let prefix = format!("tch-lightning/{attempt}/");
        claim::take(&store, &prefix, rank)?;
        // a connection of its own, as the other one may be waiting
        let watch = Watch::start(&prefix, (rank.global, rank.world_size), timeout, connect(address, port, timeout)?);
        let watch = Arc::new(watch);
        if let Some(launched) = &launched {
            let watch = Arc::clone(&watch);
            launched.watch(move |rank, status| {
                let cause = format!("the process ended with {}", launch::in_words(status));
                // one that ends by a signal may not have reported it yet
                let signal = launch::signal(status).map(Signal::number);
                watch.report(Failure { signal, ..Failure::new(rank, this_host(), cause) }, true);
            });
        }
        Ok(Self {
            rank,
            store: Arc::new(store),
            serves,
            has_store_of_launcher,
            address: address.to_owned(),
            port,
            prefix,
            timeout,
            meeting: Mutex::default(),
            watch,
            launched,
            is_in_run: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            drawn_seeds: AtomicUsize::new(0),
        })
    }

    /// Counts the beginning or the end of this rank's part in a backward pass of all.
    #[inline]
    pub(super) fn count_backward(&self) {
        self.watch.begin_operation(Operation::Gradients);
    }

    /// Takes the running hook and batch.
    pub(super) fn set_place(&self, hook: Option<Hook>, batch_idx: Option<usize>) {
        self.watch.set_place(hook, batch_idx);
    }

    fn meeting(&self) -> MutexGuard<'_, Meeting> {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prefix_of(&self, meeting: usize) -> String {
        format!("{}{meeting}/", self.prefix)
    }

    /// The name of the machine of a rank.
    pub(super) fn host(&self, rank: usize) -> String {
        let host = self.meeting().introductions.get(rank).map(|introduction| introduction.host.clone());
        host.unwrap_or_else(unknown_host)
    }

    /// Passes signals that another rank has caught on to a run of this process.
    pub(super) fn share_signals(&self, caught: Caught) {
        self.watch.share_signals(caught);
    }

    /// Returns the failure of another rank, which ends the run of this one too.
    #[inline]
    pub(super) fn failure(&self) -> Option<StrategyError> {
        self.watch
            .has_failure()
            .then(|| self.explain("looking for failures between two batches", NativeError::of("the store is gone")))
    }

    /// Returns the connections to the others, or the reason why they cannot be used.
    fn connection(
        &self,
        of: impl FnOnce(&Meeting) -> &Option<Arc<ProcessGroup>>,
    ) -> Result<Arc<ProcessGroup>, StrategyError> {
        if self.watch.has_failure()
            && let Some(disagreement) = self.watch.disagreement()
        {
            return Err(self.separated_by(disagreement));
        }
        of(&self.meeting()).clone().ok_or_else(|| {
            let separated = "one of the processes has failed, so that they cannot continue together in this run";
            StrategyError::Configuration(separated.to_owned())
        })
    }

    /// Runs an operation of all ranks. Its failure is explained by what the other ranks do.
    pub(super) fn run<T>(
        &self,
        operation: Operation,
        call: impl FnOnce(&ProcessGroup) -> Result<T, NativeError>,
    ) -> Result<T, StrategyError> {
        let group = self.connection(|meeting| &meeting.group)?;
        self.watch.begin_operation(operation);
        call(&group).map_err(|source| self.explain(operation.name(), source))
    }

    /// Returns the reason why an operation of all ranks has failed.
    pub(super) fn explain(&self, operation: &str, source: NativeError) -> StrategyError {
        let named = |ranks: Vec<usize>| ranks.into_iter().map(|rank| (rank, self.host(rank))).collect();
        let operation = operation.to_owned();
        let silent = match self.watch.verdict() {
            Verdict::Failed(failure) if matches!(failure.cause, Cause::Disagreement(_)) => {
                return self.separated_by(failure.into());
            }
            Verdict::Failed(failure) => return failure.into(),
            Verdict::Disagreement(disagreement) => {
                let rank = self.rank.global;
                let failure = Failure::of_disagreement(rank, self.host(rank), disagreement);
                return self.separated_by(self.watch.report(failure, false).into());
            }
            Verdict::Unknown => return StrategyError::Collective { operation, source },
            Verdict::StoreIsGone if self.has_store_of_launcher => {
                return self.found(Found::Launcher);
            }
            Verdict::StoreIsGone => vec![0],
            Verdict::Silent(silent) => silent,
            Verdict::Absent(absent, place) => {
                return self.found(Found::Absent { ranks: named(absent), operation, place });
            }
        };
        self.found(Found::Silent { ranks: named(silent), operation })
    }

    fn found(&self, found: Found) -> StrategyError {
        let first = self.meeting().found.get_or_insert(found).clone();
        match first {
            Found::Silent { ranks, operation } => StrategyError::Silent { ranks, operation },
            Found::Absent { ranks, operation, place } => {
                StrategyError::Absent { ranks, operation, place, seconds: self.timeout.as_secs() }
            }
            Found::Launcher | Found::ByAll => {
                StrategyError::Launcher { address: self.address.clone(), port: self.port }
            }
        }
    }

    /// Records that all ranks find the same error, so that none needs to report it.
    pub(super) fn all_find_the_same(&self) {
        self.meeting().found = Some(Found::ByAll);
    }

    /// As [`explain`](Self::explain), for an error that came to this place as a text; `None` if the other ranks are well.
    pub(super) fn explain_text(&self, operation: &str, message: &str) -> Option<StrategyError> {
        match self.explain(operation, NativeError::of(message)) {
            StrategyError::Collective { .. } => None,
            explained => Some(explained),
        }
    }

    /// Ends the operations with the other ranks after an error, and reports it to them. If another rank has failed first, its failure is
    /// returned.
    pub(super) fn fail(&self, error: &str, signal: Option<Signal>) -> Option<StrategyError> {
        self.has_failed.store(true, Ordering::SeqCst);
        self.watch.set_running(false);
        let found = self.meeting().found.clone();
        let first = match found {
            Some(Found::ByAll) => None,
            Some(found) => {
                let first = self.report_for_silent(&found);
                Some(first.unwrap_or_else(|| self.found(found)))
            }
            None => {
                let (rank, host) = (self.rank.global, self.host(self.rank.global));
                let signal = signal.map(Signal::number);
                let first = self.watch.report(Failure { signal, ..Failure::new(rank, host, error) }, false);
                (first.rank != rank).then(|| first.into())
            }
        };
        self.leave();
        first
    }

    /// Reports that a rank does not respond, in its place: others may wait for one that ends by this. Returns another failure that was reported
    /// first.
    fn report_for_silent(&self, found: &Found) -> Option<StrategyError> {
        let seconds = self.timeout.as_secs();
        let (ranks, cause) = match found {
            Found::Silent { ranks, .. } => (ranks, SILENT.to_owned()),
            Found::Absent { ranks, operation, place } => {
                let place = place.as_deref().unwrap_or("a hook or in its data");
                let held_up = format!("as it was held up in {place}");
                (ranks, format!("it did not take part within {seconds} s in {operation}, {held_up}"))
            }
            Found::Launcher | Found::ByAll => return None,
        };
        let (rank, host) = ranks.first()?.clone();
        let first = self.watch.report(Failure::new(rank, host, cause), false);
        (first.rank != rank).then(|| first.into())
    }

    /// Disconnects from the other ranks after one of them has failed.
    fn leave(&self) {
        let (group, comparing) = {
            let mut meeting = self.meeting();
            (meeting.group.take(), meeting.comparing.take())
        };
        drop(comparing);
        if let Some(group) = group {
            group.end_gpus(true);
        }
    }

    /// Whether the processes have failed together, by an error that is not this one's alone.
    pub(super) fn has_failed_by_others(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst) && !self.watch.is_first_to_fail()
    }

    /// Ends a run, after which this process may end.
    pub(super) fn end_run(&self) {
        self.is_in_run.store(false, Ordering::SeqCst);
        self.watch.set_running(false);
    }

    /// Ends the connection when this process ends. Returns the exit code that it should have in place of its own.
    pub(super) fn end(&self, code: Option<i32>) -> Option<i32> {
        let code = code.unwrap_or_default();
        if self.is_in_run.load(Ordering::SeqCst) {
            let (group, comparing) = {
                let mut meeting = self.meeting();
                (meeting.group.take(), meeting.comparing.take())
            };
            self.fail(&format!("the process ended with exit code {code} within the run"), None);
            // their operations do not wait for this process
            if let Some(comparing) = comparing {
                native::close_at_end(comparing);
            }
            if let Some(group) = group {
                group.end_gpus(true);
                native::close_at_end(group);
            }
        } else if let Some(group) = &self.meeting().group {
            group.end_gpus(false);
        }
        let has_failed = code != 0 || self.has_failed.load(Ordering::SeqCst) || self.watch.has_failure();
        if let Some(launched) = &self.launched {
            let silent = match &self.meeting().found {
                Some(Found::Silent { ranks, .. }) => ranks.iter().map(|(rank, _)| *rank).collect(),
                _ => Vec::new(),
            };
            let (rank, status) = launched.end(has_failed, &silent).filter(|_| code == 0)?;
            let after = if has_failed { "" } else { " after the run" };
            let (host, ended) = (self.host(rank), launch::in_words(status));
            terminal::say(format_args!("error: the process of rank {rank} on {host} ended with {ended}{after}"));
            return Some(launch::exit_code(status));
        }
        self.watch.say_end();
        if has_failed && self.serves {
            self.watch.wait_for_ends();
        }
        None
    }
}

impl Collectives for World {
    fn rank(&self) -> Rank {
        self.rank
    }

    fn compare(&self, call: Call) -> Result<Vec<Call>, StrategyError> {
        self.compare_calls(call)
    }

    fn all_reduce(
        &self,
        operation: Operation,
        tensor: &Tensor,
        reduction: ReduceOperation,
    ) -> Result<(), StrategyError> {
        self.run(operation, |group| group.all_reduce(tensor, reduction))
    }

    fn broadcast(&self, operation: Operation, tensors: &[&Tensor]) -> Result<(), StrategyError> {
        self.run(operation, |group| group.broadcast(tensors, 0))
    }

    fn all_gather(&self, operation: Operation, tensor: &Tensor) -> Result<Tensor, StrategyError> {
        self.run(operation, |group| group.all_gather(tensor))
    }

    fn barrier(&self, operation: Operation) -> Result<(), StrategyError> {
        self.run(operation, |group| group.barrier(self.timeout))
    }
}
