//! The meeting of the processes at the start of a run.

use super::notice::{self, Notice};
use super::{Meeting, World};
use crate::messages::info;
use crate::native::{self, Network, ProcessGroup};
use crate::strategy::cores;
use crate::strategy::environment::LOOPBACK;
use crate::strategy::failure::Failure;
use crate::strategy::introduction::{Introduction, this_host};
use crate::strategy::{StrategyError, gather};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tch::Device;

impl World {
    /// Connects the processes with one another, unless they are connected.
    pub(in crate::strategy) fn meet(&self, introduction: &Introduction) -> Result<(), StrategyError> {
        let mut meeting = self.meeting();
        if meeting.group.is_none() {
            *meeting = Meeting { number: meeting.number + 1, ..Meeting::default() };
            let prefix = self.prefix_of(meeting.number);
            self.watch.begin_meeting(prefix.clone());
            let met = self.introduce(&prefix, introduction).and_then(|introductions| {
                cores::share(introduction, &introductions);
                if meeting.number == 1 {
                    info!("{}", notice::of_start(&introductions));
                }
                meeting.introductions = introductions;
                let place = (self.rank.global, self.rank.world_size);
                Ok(ProcessGroup::new(&self.store, &prefix, place, self.timeout, &network(&self.address))?)
            });
            let group = met.map_err(|error| self.fail_to_meet(error))?;
            meeting.group = Some(Arc::new(group));
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
        let seed = self.wait_for(&key, self.timeout)?;
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
        let kinds = gather(self, &kind.to_owned())?;
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
        if matches!(error, StrategyError::Peer { .. } | StrategyError::Differs { .. }) {
            return error;
        }
        let failure = Failure { rank: self.rank.global, host: this_host(), cause: error.to_string(), signal: None };
        let first = self.watch.report(failure, false);
        // those that miss the same ranks name them themselves
        if first.rank == self.rank.global || matches!(error, StrategyError::Missing { .. }) {
            return error;
        }
        first.into()
    }

    /// Tells the others about this process, and waits for what they tell.
    fn introduce(&self, prefix: &str, introduction: &Introduction) -> Result<Vec<Introduction>, StrategyError> {
        let key = |rank: usize| format!("{prefix}introduction/{rank}");
        self.store.set(&key(self.rank.global), &serde_json::to_vec(introduction)?)?;
        let begun = Instant::now();
        let mut introductions: Vec<Introduction> = Vec::new();
        let mut missing = Vec::new();
        let waited_for = Arc::new(AtomicUsize::new(0));
        let (rank, world_size, address, port) =
            (Arc::clone(&waited_for), self.rank.world_size, self.address.clone(), self.port);
        let _notice = Notice::after_a_while(move || {
            format!("waiting for rank {} of {world_size} at {address}:{port} …", rank.load(Ordering::Relaxed))
        });
        for other in 0..self.rank.world_size {
            let left = self.timeout.saturating_sub(begun.elapsed()).max(Duration::from_millis(100));
            waited_for.store(other, Ordering::Relaxed);
            let Some(bytes) = self.wait_for(&key(other), left)? else {
                missing.push(other);
                continue;
            };
            let other_introduction: Introduction = serde_json::from_slice(&bytes)?;
            let difference = introductions.first().and_then(|first| first.difference(&other_introduction));
            if let Some(difference) = difference {
                return Err(StrategyError::Differs { rank: other, host: other_introduction.host, difference });
            }
            introductions.push(other_introduction);
        }
        if missing.is_empty() {
            Ok(introductions)
        } else {
            Err(StrategyError::Missing { missing, seconds: self.timeout.as_secs() })
        }
    }

    /// Waits for a value, or for the failure of a rank.
    fn wait_for(&self, key: &str, timeout: Duration) -> Result<Option<Vec<u8>>, StrategyError> {
        let begun = Instant::now();
        loop {
            let left = timeout.saturating_sub(begun.elapsed());
            let look = left.min(Duration::from_millis(200)).max(Duration::from_millis(1));
            let value = self.store.get(key, look).map_err(|source| {
                let address = self.address.clone();
                StrategyError::Unreachable { address, port: self.port, source }
            })?;
            if value.is_some() {
                return Ok(value);
            }
            if let Some(failure) = self.watch.failure() {
                return Err(failure.into());
            }
            if begun.elapsed() >= timeout {
                return Ok(None);
            }
        }
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
