//! The connection between the processes of a run.

use super::environment::{Environment, LOOPBACK};
use super::failure::{Failure, Heartbeat, without_heartbeat};
use super::launch::Launched;
use super::{Collectives, Rank, Reduce, StrategyError};
use crate::native::{NativeError, Network, ProcessGroup, ReduceOperation, Store};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tch::Tensor;

/// The processes of a run, of which this is one.
pub(crate) struct World {
    rank: Rank,
    store: Arc<Store>,
    /// The address of rank 0.
    address: String,
    /// The beginning of the keys in the store.
    prefix: String,
    timeout: Duration,
    meeting: Mutex<Meeting>,
    _heartbeat: Heartbeat,
    launched: Option<Launched>,
}

/// A connection of all processes, which ends with the first failure of one.
#[derive(Default)]
struct Meeting {
    /// The number of the meeting, from 1.
    number: usize,
    introductions: Vec<Introduction>,
    /// `None` after a failure.
    group: Option<Arc<ProcessGroup>>,
}

/// What a process tells the others about itself at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    pub(crate) host: String,
    pub(crate) process: u32,
    pub(crate) world_size: usize,
    /// What all processes have in common, by name: the program, its version and its configuration.
    pub(crate) common: serde_json::Map<String, serde_json::Value>,
}

impl World {
    /// Connects this process to the store of the others, which a launcher has started.
    pub(super) fn join(environment: &Environment, timeout: Duration) -> Result<Self, StrategyError> {
        let Environment { rank, address, port, has_store, attempt } = environment;
        let serves = rank.is_global_zero() && !has_store;
        let store = if serves {
            Store::serve(*port, timeout)?
        } else {
            Store::connect(address, *port, timeout).map_err(|source| {
                let address = address.clone();
                StrategyError::Unreachable { address, port: *port, source }
            })?
        };
        Self::around(*rank, store, None, (address, *port, attempt), timeout)
    }

    /// Starts the other ranks on this machine, whose first process is this one.
    pub(super) fn launch(processes: usize, timeout: Duration) -> Result<Self, StrategyError> {
        let store = Store::serve(0, timeout)?;
        let rank = Rank { global: 0, local: 0, node: 0, world_size: processes };
        let port = store.port();
        let launched = Launched::start(rank, port)?;
        Self::around(rank, store, Some(launched), (LOOPBACK, port, "/"), timeout)
    }

    fn around(
        rank: Rank,
        store: Store,
        launched: Option<Launched>,
        (address, port, attempt): (&str, u16, &str),
        timeout: Duration,
    ) -> Result<Self, StrategyError> {
        let prefix = format!("tch-lightning/{attempt}/");
        // a connection of its own, as the other one may be waiting
        let heartbeat = Heartbeat::start(&prefix, rank.global, Store::connect(address, port, timeout)?);
        let store = Arc::new(store);
        if let Some(launched) = &launched {
            launched.watch(&store, &prefix);
        }
        Ok(Self {
            rank,
            store,
            address: address.to_owned(),
            prefix,
            timeout,
            meeting: Mutex::default(),
            _heartbeat: heartbeat,
            launched,
        })
    }

    /// Connects the processes with one another, unless they are connected.
    pub(super) fn meet(&self, introduction: &Introduction) -> Result<(), StrategyError> {
        let mut meeting = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        if meeting.group.is_some() {
            return Ok(());
        }
        meeting.number += 1;
        let prefix = self.prefix_of(meeting.number);
        meeting.introductions = introduce(self.rank, &self.store, &prefix, introduction, self.timeout)?;
        let place = (self.rank.global, self.rank.world_size);
        let group = ProcessGroup::new(&self.store, &prefix, place, self.timeout, &network(&self.address))?;
        meeting.group = Some(Arc::new(group));
        Ok(())
    }

    fn prefix_of(&self, meeting: usize) -> String {
        format!("{}{meeting}/", self.prefix)
    }

    /// The beginning of the keys of the current meeting.
    fn prefix(&self) -> String {
        self.prefix_of(self.meeting.lock().unwrap_or_else(PoisonError::into_inner).number)
    }

    pub(super) fn rank(&self) -> Rank {
        self.rank
    }

    /// The name of the machine of a rank.
    pub(super) fn host(&self, rank: usize) -> String {
        let meeting = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        meeting.introductions.get(rank).map(|introduction| introduction.host.clone()).unwrap_or_default()
    }

    /// Runs an operation of all ranks. Its failure is explained by what the other ranks do.
    pub(super) fn run<T>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&ProcessGroup) -> Result<T, NativeError>,
    ) -> Result<T, StrategyError> {
        let group = self.meeting.lock().unwrap_or_else(PoisonError::into_inner).group.clone();
        let Some(group) = group else {
            let separated = "one of the processes has failed, so that they cannot continue together in this run";
            return Err(StrategyError::Configuration(separated.to_owned()));
        };
        call(&group).map_err(|source| self.explain(operation, source))
    }

    /// Returns the reason why an operation of all ranks has failed.
    pub(super) fn explain(&self, operation: &'static str, source: NativeError) -> StrategyError {
        let reported = || {
            let prefixes = [&self.prefix(), &self.prefix];
            prefixes.into_iter().find_map(|prefix| Failure::of_another(&self.store, prefix, self.rank.global))
        };
        if let Some(failure) = reported() {
            return failure.into();
        }
        let others = (0..self.rank.world_size).filter(|rank| *rank != self.rank.global);
        let silent: Vec<usize> = without_heartbeat(&self.store, &self.prefix, others);
        // one that has failed may need a moment to say so
        if let Some(failure) = reported() {
            return failure.into();
        }
        if silent.is_empty() {
            return StrategyError::Collective { operation, source };
        }
        let ranks = silent.into_iter().map(|rank| (rank, self.host(rank))).collect();
        StrategyError::Silent { ranks, operation }
    }

    /// As [`explain`](Self::explain), for an error that came to this place as a text; `None` if the other ranks are well.
    pub(super) fn explain_text(&self, operation: &'static str, message: &str) -> Option<StrategyError> {
        match self.explain(operation, NativeError::of(message)) {
            StrategyError::Collective { .. } => None,
            explained => Some(explained),
        }
    }

    /// Tells the other ranks that this one has failed, and disconnects from them.
    pub(super) fn fail(&self, error: &str) {
        let host = self.host(self.rank.global);
        Failure { rank: self.rank.global, host, cause: error.to_owned() }.report(&self.store, &self.prefix());
        self.leave();
    }

    /// Disconnects from the other ranks after one of them has failed.
    pub(super) fn leave(&self) {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner).group = None;
    }

    /// Waits for the processes that this one has started.
    pub(super) fn end(&self) {
        if let Some(launched) = &self.launched {
            launched.end();
        }
    }
}

/// Tells the others about this process, and waits for what they tell.
fn introduce(
    rank: Rank,
    store: &Store,
    prefix: &str,
    introduction: &Introduction,
    timeout: Duration,
) -> Result<Vec<Introduction>, StrategyError> {
    let key = |rank: usize| format!("{prefix}introduction/{rank}");
    store.set(&key(rank.global), &serde_json::to_vec(introduction)?)?;
    let begun = Instant::now();
    let mut introductions: Vec<Introduction> = Vec::new();
    let mut missing = Vec::new();
    for other in 0..rank.world_size {
        // those that failed at the start say so
        let left = timeout.saturating_sub(begun.elapsed()).max(Duration::from_millis(100));
        let Some(bytes) = wait_for(store, prefix, &key(other), rank.global, left)? else {
            missing.push(other);
            continue;
        };
        let other_introduction: Introduction = serde_json::from_slice(&bytes)?;
        let first = introductions.first().unwrap_or(introduction);
        if let Some(difference) =
            first.difference(&other_introduction).or_else(|| introduction.world_size_of(&other_introduction))
        {
            let host = other_introduction.host;
            return Err(StrategyError::Differs { rank: other, host, difference });
        }
        introductions.push(other_introduction);
    }
    if missing.is_empty() {
        Ok(introductions)
    } else {
        Err(StrategyError::Missing { missing, seconds: timeout.as_secs() })
    }
}

/// Waits for a value, or for the failure of a rank.
fn wait_for(
    store: &Store,
    prefix: &str,
    key: &str,
    own: usize,
    timeout: Duration,
) -> Result<Option<Vec<u8>>, StrategyError> {
    let begun = Instant::now();
    loop {
        let left = timeout.saturating_sub(begun.elapsed());
        if let Some(bytes) = store.get(key, left.min(Duration::from_secs(1)))? {
            return Ok(Some(bytes));
        }
        if let Some(failure) = Failure::of_another(store, prefix, own) {
            return Err(failure.into());
        }
        if begun.elapsed() >= timeout {
            return Ok(None);
        }
    }
}

impl Introduction {
    /// What another process has otherwise than this one, in words.
    fn difference(&self, other: &Self) -> Option<String> {
        let differs = |(name, value): (&String, &serde_json::Value)| {
            let there = other.common.get(name).cloned().unwrap_or_default();
            (there != *value).then(|| match name.as_str() {
                "program" => "runs another program than rank 0".to_owned(),
                _ => format!("has `{name}` = {there}, and rank 0 has {value}"),
            })
        };
        self.world_size_of(other).or_else(|| self.common.iter().find_map(differs))
    }

    fn world_size_of(&self, other: &Self) -> Option<String> {
        (self.world_size != other.world_size)
            .then(|| format!("was started as one of {} processes, and not of {}", other.world_size, self.world_size))
    }
}

/// The network on which this process talks to the others: that of the variable which Gloo is known for, or that of rank 0 on this machine.
fn network(address: &str) -> Network {
    if let Some(interface) = std::env::var("GLOO_SOCKET_IFNAME").ok().filter(|name| !name.is_empty()) {
        return Network::Interface(interface);
    }
    let is_loopback = address == "localhost" || address == "::1" || address.starts_with("127.");
    if is_loopback { Network::Address(LOOPBACK.to_owned()) } else { Network::Default }
}

impl Collectives for World {
    fn own_rank(&self) -> usize {
        self.rank.global
    }

    fn world_size(&self) -> usize {
        self.rank.world_size
    }

    fn all_reduce(&self, tensors: &[&Tensor], reduce: Reduce) -> Result<(), StrategyError> {
        let operation = match reduce {
            Reduce::Sum => ReduceOperation::Sum,
            Reduce::Min => ReduceOperation::Min,
            Reduce::Max => ReduceOperation::Max,
        };
        self.run("reducing values", |group| group.all_reduce(tensors, operation))
    }

    fn broadcast(&self, tensors: &[&Tensor]) -> Result<(), StrategyError> {
        self.run("sending tensors", |group| group.broadcast(tensors, 0))
    }

    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor, StrategyError> {
        self.run("gathering tensors", |group| group.all_gather(tensor))
    }

    fn barrier(&self) -> Result<(), StrategyError> {
        self.run("waiting for all ranks", |group| group.barrier(self.timeout))
    }
}

/// The name of this machine.
pub(super) fn this_host() -> String {
    sysinfo::System::host_name().unwrap_or_else(|| "an unknown host".to_owned())
}
