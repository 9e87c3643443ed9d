//! Reads the variables of a launcher, and refuses those that contradict one another.

use super::super::{Rank, StrategyError};
use super::launcher::{Get, LAUNCHERS, Launcher, TORCHRUN};
use super::{Environment, LOOPBACK, is_loopback};
use std::ops::RangeInclusive;

/// The largest number of processes of a run: each has a connection to every other one.
const MOST_PROCESSES: usize = 1 << 14;

/// The variables of a launcher.
pub(super) struct Variables<'a> {
    pub(super) launcher: &'a Launcher,
    pub(super) get: Get<'a>,
}

impl Variables<'_> {
    /// Returns the place of this process; `None` if it is the only one.
    pub(super) fn environment(&self) -> Result<Option<Environment>, StrategyError> {
        let Launcher { rank, world_size, .. } = *self.launcher;
        let global = self.number(rank)?.unwrap_or_default();
        let Some(size) = self.number_in(world_size, 1..=MOST_PROCESSES)? else {
            return Err(self.mistake(format!(
                "{rank} is {global}, but {world_size} is not set: set {world_size} to the number of processes, or remove {rank}"
            )));
        };
        if global >= size {
            return Err(self.mistake(format!(
                "{rank} is {global}, but {world_size} is {size}: ranks are counted from 0, so that the largest is {}",
                size - 1
            )));
        }
        let local = self.local_rank(global)?;
        self.refuse_contradictions(global, size)?;
        if size == 1 {
            return Ok(None);
        }
        let (address, local) = self.address_and_local_rank(local, global, size)?;
        let [run, restarts, keeps_store] = Environment::OF_ATTEMPTS;
        let attempt = [run, restarts].map(|name| (self.get)(name).unwrap_or_default());
        let is = |name: &str| (self.get)(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1");
        Ok(Some(Environment {
            rank: Rank { global, local, node: self.node()?, world_size: size },
            address,
            port: self.port()?,
            has_store: is(keeps_store),
            attempt: attempt.join("/"),
        }))
    }

    fn local_rank(&self, global: usize) -> Result<Option<usize>, StrategyError> {
        let Launcher { rank, local_rank, local_world_size, .. } = *self.launcher;
        let Some(local) = self.number(local_rank)? else { return Ok(None) };
        if let Some(name) = local_world_size
            && let Some(size) = self.number_in(name, 1..=MOST_PROCESSES)?
            && local >= size
        {
            return Err(self.mistake(format!(
                "{local_rank} is {local}, but {name} is {size}: the processes of a machine are counted from 0, so that the largest is {}",
                size - 1
            )));
        }
        if local > global {
            return Err(self.mistake(format!(
                "{local_rank} is {local}, but {rank} is {global}: {local_rank} counts the processes of this machine alone, in the order of \
                 their ranks, so that it is at most {global}"
            )));
        }
        Ok(Some(local))
    }

    fn node(&self) -> Result<usize, StrategyError> {
        let of_launcher = self.launcher.node.map_or(Ok(None), |node| self.number(node))?;
        Ok(of_launcher.map_or_else(|| self.number("NODE_RANK"), |node| Ok(Some(node)))?.unwrap_or_default())
    }

    /// Fails if another launcher has given this process another place among as many.
    fn refuse_contradictions(&self, global: usize, size: usize) -> Result<(), StrategyError> {
        let Launcher { rank, world_size, .. } = *self.launcher;
        if self.launcher.name != TORCHRUN.name {
            let by_hand = self.number_in(TORCHRUN.world_size, 1..=MOST_PROCESSES)?;
            return match by_hand.filter(|by_hand| *by_hand != size) {
                Some(by_hand) => Err(self.mistake(format!(
                    "WORLD_SIZE is {by_hand}, but {world_size} is {size}: remove WORLD_SIZE, or start {by_hand} processes"
                ))),
                None => Ok(()),
            };
        }
        if !self.is_by_hand() || size == 1 {
            return Ok(());
        }
        for other in
            LAUNCHERS.into_iter().filter(|other| other.name != TORCHRUN.name && other.has_started_this(self.get))
        {
            let (other_rank, other_size) = (self.number(other.rank)?, self.number(other.world_size)?);
            if let Some(other_rank) = other_rank.filter(|other| *other != global && other_size == Some(size)) {
                return Err(self.mistake(format!(
                    "{rank} is {global}, but {} is {other_rank}, each of {size} processes: remove {rank} and {world_size}, so that those of \
                     {} count",
                    other.rank, other.name
                )));
            }
        }
        Ok(())
    }

    /// Returns the machine of rank 0, and the number of this process on its own machine.
    fn address_and_local_rank(
        &self,
        local: Option<usize>,
        global: usize,
        world_size: usize,
    ) -> Result<(String, usize), StrategyError> {
        let address = self.address(local.unwrap_or(global), global, world_size)?;
        match local {
            Some(local) => Ok((address, local)),
            // the processes are all on this machine
            None if is_loopback(&address) => Ok((address, global)),
            None => Err(self.mistake(format!(
                "MASTER_ADDR is {address}, but {} is not set: set it to the number of this process among those of its machine, from 0",
                self.launcher.local_rank
            ))),
        }
    }

    fn address(&self, local: usize, global: usize, world_size: usize) -> Result<String, StrategyError> {
        if let Some(address) = (self.get)("MASTER_ADDR") {
            return Ok(address);
        }
        let nodes = ["SLURM_STEP_NODELIST", "SLURM_NODELIST", "SLURM_JOB_NODELIST"];
        let nodes = if self.launcher.name == "srun" { nodes.iter().find_map(|name| (self.get)(name)) } else { None };
        if let Some(first) = nodes.as_deref().and_then(first_node) {
            return Ok(first);
        }
        let on_this_machine = self.launcher.local_world_size.map_or(Ok(None), |name| self.number(name))?;
        match on_this_machine {
            Some(count) if count == world_size => Ok(LOOPBACK.to_owned()),
            None if local == global => Ok(LOOPBACK.to_owned()),
            _ => Err(self.mistake(
                "MASTER_ADDR is not set: set it to the address of the machine of rank 0, for all processes".to_owned(),
            )),
        }
    }

    fn port(&self) -> Result<u16, StrategyError> {
        if let Some(port) = (self.get)("MASTER_PORT") {
            return match port.trim().parse() {
                Ok(0) | Err(_) => {
                    Err(self.mistake(format!("MASTER_PORT is `{port}`, but a port is a number from 1 to 65535")))
                }
                Ok(port) => Ok(port),
            };
        }
        match (self.launcher.name, (self.get)("SLURM_JOB_ID").and_then(|job| job.parse::<u64>().ok())) {
            // jobs on one machine have different ports, as in Lightning
            ("srun", Some(job)) => Ok(15_000 + u16::try_from(job % 10_000).unwrap_or_default()),
            ("torchrun", _) => Err(self.mistake(
                "MASTER_PORT is not set: set it to a free port of the machine of rank 0, for all processes".to_owned(),
            )),
            _ => Ok(29_500),
        }
    }

    fn number(&self, name: &str) -> Result<Option<usize>, StrategyError> {
        self.number_in(name, 0..=usize::MAX)
    }

    fn number_in(&self, name: &str, range: RangeInclusive<usize>) -> Result<Option<usize>, StrategyError> {
        let Some(value) = (self.get)(name) else { return Ok(None) };
        let number = value.trim().parse().ok().filter(|number| range.contains(number));
        let must = match (range.start(), *range.end()) {
            (least, usize::MAX) => format!("from {least}"),
            (least, most) => format!("from {least} to {most}"),
        };
        number.map(Some).ok_or_else(|| self.mistake(format!("{name} is `{value}`, but it must be a number {must}")))
    }

    /// Fails if some variables of several processes are set, but not the rank: alone this process would train on all samples, as another run.
    pub(super) fn refuse_without_rank(&self) -> Result<(), StrategyError> {
        let Launcher { rank, world_size, local_rank, .. } = *self.launcher;
        if let Some(size) = self.number_in(world_size, 1..=MOST_PROCESSES)?.filter(|size| *size > 1) {
            return Err(self.mistake(format!(
                "{world_size} is {size}, but {rank} is not set: set {rank} to the number of this process, from 0, or remove {world_size}"
            )));
        }
        match self.number(local_rank)? {
            None | Some(0) => Ok(()),
            Some(local) => Err(self.mistake(format!(
                "{local_rank} is {local}, but {rank} is not set: set {rank} and {world_size} as well, or remove {local_rank}"
            ))),
        }
    }

    /// Whether a person has set the variables, not `torchrun`.
    fn is_by_hand(&self) -> bool {
        let [run, ..] = Environment::OF_ATTEMPTS;
        self.launcher.name == TORCHRUN.name && (self.get)(run).is_none()
    }

    fn mistake(&self, mistake: String) -> StrategyError {
        StrategyError::Environment { launcher: (!self.is_by_hand()).then_some(self.launcher.name), mistake }
    }
}

/// The first machine of a list such as `node[03-05,9],other`, as SLURM writes it.
fn first_node(list: &str) -> Option<String> {
    let end = list.find([',', '[']).unwrap_or(list.len());
    let head = &list[..end];
    let first = match list[end..].strip_prefix('[') {
        None => head.to_owned(),
        Some(numbers) => {
            let (numbers, rest) = numbers.split_once(']')?;
            let first = numbers.split([',', '-']).next()?;
            let suffix = rest.split(',').next().unwrap_or_default();
            format!("{head}{first}{suffix}")
        }
    };
    (!first.is_empty()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_node_of_a_list_is_found() {
        for (list, first) in
            [("alone", "alone"), ("a,b", "a"), ("node[03-05,9],other", "node03"), ("rack2-[1,4]-gpu,x", "rack2-1-gpu")]
        {
            assert_eq!(first_node(list).as_deref(), Some(first), "{list}");
        }
    }
}
