//! The meeting of the processes at the start of a run.

use super::notice::{self, Notice};
use super::{Meeting, World};
use crate::messages::info;
use crate::native::{self, Network, ProcessGroup};
use crate::strategy::cores;
use crate::strategy::environment::{LOOPBACK, is_loopback};
use crate::strategy::failure::Failure;
use crate::strategy::introduction::{Introduction, this_host};
use crate::strategy::launch;
use crate::strategy::within::within;
use crate::strategy::{Operation, StrategyError, UnreachableReason, gather};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use sysinfo::Networks;
use tch::Device;

impl World {
    /// Connects the processes with one another, unless they are connected.
    pub(in crate::strategy) fn meet(&self, introduction: &Introduction) -> Result<(), StrategyError> {
        let mut meeting = self.meeting();
        if meeting.group.is_none() {
            *meeting = Meeting { number: meeting.number + 1, ..Meeting::default() };
            let prefix = self.prefix_of(meeting.number);
            self.watch.begin_meeting(prefix.clone());
            let met = network(&self.address).and_then(|network| {
                let introductions = self.introduce(&prefix, introduction)?;
                cores::share(introduction, &introductions);
                if meeting.number == 1 {
                    info!("{}", notice::of_start(&introductions));
                }
                self.watch.set_without_store(self.without_store(&introductions[0].host));
                meeting.introductions = introductions;
                Ok((self.group(&prefix, network.clone())?, self.group(&format!("{prefix}comparing/"), network)?))
            });
            let (group, comparing) = met.map_err(|error| self.fail_to_meet(error))?;
            let (group, comparing) = (Arc::new(group), Arc::new(comparing));
            self.watch.set_connections(&group, &comparing);
            (meeting.group, meeting.comparing) = (Some(group), Some(comparing));
        }
        self.is_in_run.store(true, Ordering::SeqCst);
        self.watch.set_running(true);
        Ok(())
    }

    /// Returns the seed that rank 0 has drawn, which may be before the first meeting.
    pub(in crate::strategy) fn seed_of_rank_zero(&self, drawn: i64) -> Result<i64, StrategyError> {
        let key = format!("{}seed/{}", self.prefix, self.drawn_seeds.fetch_add(1, Ordering::SeqCst));
        if self.rank.is_global_zero() {
            self.store.set(&key, &serde_json::to_vec(&drawn)?)?;
            return Ok(drawn);
        }
        let seed = self.wait_for(&key, 0, self.timeout)?;
        let seed = seed.ok_or_else(|| StrategyError::Missing { missing: vec![0], seconds: self.timeout.as_secs() })?;
        Ok(serde_json::from_slice(&seed)?)
    }

    /// Prepares for tensors on this device, whose kind is that of all ranks.
    pub(in crate::strategy) fn place(&self, device: Device) -> Result<(), StrategyError> {
        let kind = match device {
            Device::Cpu => "the CPU",
            Device::Cuda(_) => "a GPU",
            other => return Err(StrategyError::Device(other)),
        };
        let kinds = gather(self, Operation::Devices, &kind.to_owned())?;
        if let Some(rank) = kinds.iter().position(|other| *other != kinds[0]) {
            let difference = format!("computes on {}, and rank 0 on {}", kinds[rank], kinds[0]);
            self.all_find_the_same();
            return Err(StrategyError::Differs { rank, host: self.host(rank), difference });
        }
        if device == Device::Cpu {
            return Ok(());
        }
        native::set_current_device(device)?;
        let mut meeting = self.meeting();
        let prefix = self.prefix_of(meeting.number);
        if let Some(group) = meeting.group.as_ref().filter(|_| !meeting.has_gpus) {
            let place = (self.rank.global, self.rank.world_size);
            // c10d ends the process when an operation on a GPU takes longer; those of Gloo explain the failure before that
            let timeout = self.timeout * 2;
            group.add_gpus(&self.store, &prefix, place, timeout).map_err(StrategyError::Nccl)?;
            meeting.has_gpus = true;
        }
        Ok(())
    }

    /// Reports an error at the start that the others do not find themselves, and returns the first one.
    fn fail_to_meet(&self, error: StrategyError) -> StrategyError {
        self.has_failed.store(true, Ordering::SeqCst);
        let is_known_to_all = matches!(error, StrategyError::Peer { .. } | StrategyError::Differs { .. });
        // without a store there is nothing to report by
        let has_no_store = matches!(error, StrategyError::Silent { .. } | StrategyError::Launcher { .. });
        if is_known_to_all || has_no_store {
            if self.serves && matches!(error, StrategyError::Differs { .. }) {
                // the others still read from the store of this process by what they differ
                self.watch.let_others_see();
            }
            return error;
        }
        let failure = Failure::new(self.rank.global, this_host(), error.to_string());
        let first = self.watch.report(failure, false);
        // those that miss the same ranks name them themselves
        if first.rank == self.rank.global || matches!(error, StrategyError::Missing { .. }) {
            return error;
        }
        first.into()
    }

    /// The error of a process that loses the store, which ends with the process that keeps it.
    fn without_store(&self, host: &str) -> String {
        let (address, port) = (self.address.clone(), self.port);
        let error = match self.has_store_of_launcher {
            true => StrategyError::Launcher { address, port },
            false => StrategyError::Silent { ranks: vec![(0, host.to_owned())], operation: "the run".to_owned() },
        };
        error.to_string()
    }

    /// Tells the others about this process, and waits for what they tell.
    fn introduce(&self, prefix: &str, introduction: &Introduction) -> Result<Vec<Introduction>, StrategyError> {
        self.store.set(&key(prefix, self.rank.global), &serde_json::to_vec(introduction)?)?;
        let begun = Instant::now();
        let mut introductions: Vec<Introduction> = Vec::new();
        let waited_for = Arc::new(AtomicUsize::new(0));
        let (rank, world_size, address, port) =
            (Arc::clone(&waited_for), self.rank.world_size, self.address.clone(), self.port);
        let _notice = Notice::after_a_while(move || {
            format!("waiting for rank {} of {world_size} at {address}:{port} …", rank.load(Ordering::Relaxed))
        });
        for other in 0..self.rank.world_size {
            let left = self.timeout.saturating_sub(begun.elapsed());
            waited_for.store(other, Ordering::Relaxed);
            let Some(bytes) = self.wait_for(&key(prefix, other), other, left)? else {
                let missing = self.missing(prefix, other)?;
                return Err(StrategyError::Missing { missing, seconds: self.timeout.as_secs() });
            };
            let other_introduction: Introduction = serde_json::from_slice(&bytes)?;
            let difference = introductions.first().and_then(|first| first.difference(&other_introduction));
            if let Some(difference) = difference {
                return Err(StrategyError::Differs { rank: other, host: other_introduction.host, difference });
            }
            introductions.push(other_introduction);
        }
        Ok(introductions)
    }

    /// Returns the ranks that have not told about themselves: `first`, and others after it.
    fn missing(&self, prefix: &str, first: usize) -> Result<Vec<usize>, StrategyError> {
        let (store, prefix) = (Arc::clone(&self.store), prefix.to_owned());
        let others = first + 1..self.rank.world_size;
        let limit = ANSWER + Duration::from_millis(others.len() as u64);
        let is_missing =
            move |other: &usize| store.get(&key(&prefix, *other), Duration::ZERO).is_ok_and(|value| value.is_none());
        let missing = within(limit, move || std::iter::once(first).chain(others.filter(is_missing)).collect());
        missing.ok_or_else(|| self.store_is_silent())
    }

    /// Connects the processes with one another, each with all.
    fn group(&self, prefix: &str, network: Network) -> Result<ProcessGroup, StrategyError> {
        let (store, prefix, timeout) = (Arc::clone(&self.store), prefix.to_owned(), self.timeout);
        let place = (self.rank.global, self.rank.world_size);
        let group = within(timeout * 2, move || ProcessGroup::new(&store, &prefix, place, timeout, &network));
        group.ok_or_else(|| self.store_is_silent())?.map_err(|source| StrategyError::Collective {
            operation: "connecting the processes with one another".to_owned(),
            source,
        })
    }

    /// Waits for a value of a rank, or for the failure of one. Without a time it looks once.
    fn wait_for(&self, key: &str, rank: usize, timeout: Duration) -> Result<Option<Vec<u8>>, StrategyError> {
        const LOOK: Duration = Duration::from_millis(200);
        let begun = Instant::now();
        loop {
            let has_ended = self.launched.as_ref().and_then(|launched| launched.end_of(rank));
            let left = timeout.saturating_sub(begun.elapsed());
            let (store, key) = (Arc::clone(&self.store), key.to_owned());
            // a store whose process is stopped does not answer
            let value = within(left + ANSWER, move || store.get(&key, left.min(LOOK)));
            let value = value.ok_or_else(|| self.store_is_silent())?.map_err(|_| StrategyError::Unreachable {
                address: self.address.clone(),
                port: self.port,
                reason: UnreachableReason::Ended,
            })?;
            if value.is_some() {
                return Ok(value);
            }
            if let Some(failure) = self.watch.failure() {
                return Err(failure.into());
            }
            if let Some(status) = has_ended {
                let cause = format!("the process ended with {} before it came to the run", launch::in_words(status));
                return Err(StrategyError::Peer { rank, host: this_host(), cause, signal: None });
            }
            if begun.elapsed() >= timeout {
                return Ok(None);
            }
        }
    }

    /// The error where the process that keeps the store does not answer.
    fn store_is_silent(&self) -> StrategyError {
        if self.has_store_of_launcher {
            return StrategyError::Launcher { address: self.address.clone(), port: self.port };
        }
        StrategyError::Silent { ranks: vec![(0, self.address.clone())], operation: Operation::Start.name().to_owned() }
    }
}

/// The key of what a rank tells about itself.
fn key(prefix: &str, rank: usize) -> String {
    format!("{prefix}introduction/{rank}")
}

/// The longest time in which a store answers that does not wait for a value.
const ANSWER: Duration = Duration::from_secs(2);

/// The network on which this process talks to the others: that of the variable which Gloo is known for, or that of rank 0 on this machine.
fn network(address: &str) -> Result<Network, StrategyError> {
    let Some(interface) = std::env::var("GLOO_SOCKET_IFNAME").ok().filter(|name| !name.is_empty()) else {
        let of_machine = Network::Address(LOOPBACK.to_owned());
        return Ok(if is_loopback(address) { of_machine } else { Network::Default });
    };
    let networks = Networks::new_with_refreshed_list();
    let mut found: Vec<&str> =
        networks.iter().filter(|(_, data)| !data.ip_networks().is_empty()).map(|(name, _)| name.as_str()).collect();
    if found.contains(&interface.as_str()) {
        return Ok(Network::Interface(interface));
    }
    found.sort_unstable();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    Err(StrategyError::Interface { interface, found })
}
