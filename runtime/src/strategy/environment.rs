//! The environment variables by which launchers tell a process its place in a run.

use super::{Rank, StrategyError};

/// The place of this process, and where rank 0 is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) rank: Rank,
    /// The address of the machine of rank 0.
    pub(super) address: String,
    pub(super) port: u16,
    /// Whether the launcher keeps the store, so that every rank connects to it.
    pub(super) has_store: bool,
    /// Distinguishes the attempts of a launcher that restarts failed processes.
    pub(super) attempt: String,
}

/// The variable by which `torchrun` is distinguished from other programs, or a person, that set the same variables.
const TORCHRUN: &str = "TORCHELASTIC_RUN_ID";

/// A launcher: the variables by which it is recognized, and how they are read.
struct Launcher {
    name: &'static str,
    rank: &'static str,
    world_size: &'static str,
    local_rank: &'static str,
    node: Option<&'static str>,
}

/// The launchers, in the order in which they are tried: `torchrun` may itself have been started by one of the others.
const LAUNCHERS: [Launcher; 4] = [
    Launcher {
        name: "torchrun",
        rank: "RANK",
        world_size: "WORLD_SIZE",
        local_rank: "LOCAL_RANK",
        node: Some("GROUP_RANK"),
    },
    Launcher {
        name: "srun",
        rank: "SLURM_PROCID",
        world_size: "SLURM_NTASKS",
        local_rank: "SLURM_LOCALID",
        node: Some("SLURM_NODEID"),
    },
    Launcher {
        name: "mpirun",
        rank: "OMPI_COMM_WORLD_RANK",
        world_size: "OMPI_COMM_WORLD_SIZE",
        local_rank: "OMPI_COMM_WORLD_LOCAL_RANK",
        node: None,
    },
    Launcher { name: "mpiexec", rank: "PMI_RANK", world_size: "PMI_SIZE", local_rank: "MPI_LOCALRANKID", node: None },
];

/// Set in the processes that rank 0 has started itself.
pub(super) const STARTED_BY_RANK_ZERO: &str = "TCH_LIGHTNING_STARTED_BY_RANK_ZERO";

impl Environment {
    /// The variables by which torchrun tells its attempts apart, and that it keeps the store.
    pub(super) const OF_ATTEMPTS: [&str; 3] = [TORCHRUN, "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_USE_AGENT_STORE"];

    /// Returns the environment of a launcher that has started several processes; `None` if there is none.
    pub(super) fn detect() -> Result<Option<Self>, StrategyError> {
        Self::of(&|name| std::env::var(name).ok())
    }

    fn of(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, StrategyError> {
        for launcher in &LAUNCHERS {
            let variables = Variables { launcher, get };
            if get(launcher.rank).is_none() || !variables.is_parallel_job() {
                continue;
            }
            let Some(world_size) = variables.number(launcher.world_size)? else {
                return Err(variables.mistake(format!("{} is set, but {} is not", launcher.rank, launcher.world_size)));
            };
            return if world_size > 1 { variables.environment(world_size).map(Some) } else { Ok(None) };
        }
        let world_size = get("WORLD_SIZE").and_then(|size| size.trim().parse::<usize>().ok());
        match world_size {
            // alone it would train on all samples, as another run
            Some(2..) => {
                let variables = Variables { launcher: &LAUNCHERS[0], get };
                Err(variables.mistake(
                    "WORLD_SIZE is set, but RANK is not: set RANK to the number of this process, from 0, or remove WORLD_SIZE"
                        .to_owned(),
                ))
            }
            _ => Ok(None),
        }
    }

    /// The environment of the ranks after the first, which rank 0 starts on its machine.
    pub(super) fn variables_of(rank: Rank, port: u16) -> Vec<(&'static str, String)> {
        vec![
            ("RANK", rank.global.to_string()),
            ("WORLD_SIZE", rank.world_size.to_string()),
            ("LOCAL_RANK", rank.local.to_string()),
            ("GROUP_RANK", rank.node.to_string()),
            ("MASTER_ADDR", LOOPBACK.to_owned()),
            ("MASTER_PORT", port.to_string()),
            (STARTED_BY_RANK_ZERO, "1".to_owned()),
        ]
    }
}

/// The address of this machine for processes on it.
pub(super) const LOOPBACK: &str = "127.0.0.1";

struct Variables<'a> {
    launcher: &'a Launcher,
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl Variables<'_> {
    /// Whether the variables belong to a job that starts a program in several processes, not to a shell within one.
    fn is_parallel_job(&self) -> bool {
        let job = if self.launcher.name == "srun" { (self.get)("SLURM_JOB_NAME") } else { None };
        !matches!(job.as_deref(), Some("bash" | "interactive"))
    }

    fn environment(&self, world_size: usize) -> Result<Environment, StrategyError> {
        let Launcher { rank, local_rank, node, .. } = *self.launcher;
        let global = self.number(rank)?.unwrap_or_default();
        if global >= world_size {
            return Err(self.mistake(format!("{rank} is {global}, but there are {world_size} ranks, counted from 0")));
        }
        // set by hand, the processes are all on this machine
        let local = self.number(local_rank)?.unwrap_or(global);
        let node = node.map_or(Ok(None), |node| self.number(node))?;
        let node = node.map_or_else(|| self.number("NODE_RANK"), |node| Ok(Some(node)))?.unwrap_or_default();
        let is = |name: &str| (self.get)(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1");
        let [run, restarts, keeps_store] = Environment::OF_ATTEMPTS;
        let attempt = [run, restarts].map(|name| (self.get)(name).unwrap_or_default());
        Ok(Environment {
            rank: Rank { global, local, node, world_size },
            address: self.address(local, global, world_size)?,
            port: self.port()?,
            has_store: is(keeps_store),
            attempt: attempt.join("/"),
        })
    }

    /// The machine of rank 0.
    fn address(&self, local: usize, global: usize, world_size: usize) -> Result<String, StrategyError> {
        if let Some(address) = (self.get)("MASTER_ADDR").filter(|address| !address.is_empty()) {
            return Ok(address);
        }
        let nodes = ["SLURM_STEP_NODELIST", "SLURM_NODELIST", "SLURM_JOB_NODELIST"];
        let nodes = if self.launcher.name == "srun" { nodes.iter().find_map(|name| (self.get)(name)) } else { None };
        if let Some(first) = nodes.as_deref().and_then(first_node) {
            return Ok(first);
        }
        let on_this_machine = (self.get)("LOCAL_WORLD_SIZE").or_else(|| (self.get)("OMPI_COMM_WORLD_LOCAL_SIZE"));
        match on_this_machine.and_then(|count| count.parse::<usize>().ok()) {
            Some(count) if count == world_size => Ok(LOOPBACK.to_owned()),
            None if local == global => Ok(LOOPBACK.to_owned()),
            _ => Err(self.mistake("set MASTER_ADDR to the address of the machine of rank 0".to_owned())),
        }
    }

    fn port(&self) -> Result<u16, StrategyError> {
        if let Some(port) = (self.get)("MASTER_PORT") {
            return match port.parse() {
                Ok(0) | Err(_) => {
                    Err(self.mistake(format!("MASTER_PORT is `{port}`, but a port is a number from 1 to 65535")))
                }
                Ok(port) => Ok(port),
            };
        }
        match (self.launcher.name, (self.get)("SLURM_JOB_ID").and_then(|job| job.parse::<u64>().ok())) {
            // jobs on one machine have different ports, as in Lightning
            ("srun", Some(job)) => Ok(15_000 + u16::try_from(job % 10_000).unwrap_or_default()),
            ("torchrun", _) => Err(self.mistake("set MASTER_PORT to a free port of the machine of rank 0".to_owned())),
            _ => Ok(29_500),
        }
    }

    fn number(&self, name: &str) -> Result<Option<usize>, StrategyError> {
        let Some(value) = (self.get)(name) else { return Ok(None) };
        let number = value.trim().parse();
        number.map(Some).map_err(|_| self.mistake(format!("{name} is `{value}`, but it must be a number from 0")))
    }

    fn mistake(&self, mistake: String) -> StrategyError {
        let is_by_hand = self.launcher.name == "torchrun" && (self.get)(TORCHRUN).is_none();
        StrategyError::Environment { launcher: (!is_by_hand).then_some(self.launcher.name), mistake }
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
    use std::collections::HashMap;

    fn detected(variables: &[(&str, &str)]) -> Result<Option<Environment>, StrategyError> {
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        Environment::of(&|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    fn environment(
        global: usize,
        local: usize,
        node: usize,
        world_size: usize,
        address: &str,
        port: u16,
    ) -> Environment {
        let rank = Rank { global, local, node, world_size };
        Environment { rank, address: address.to_owned(), port, has_store: false, attempt: "/".to_owned() }
    }

    #[test]
    fn environment_of_each_launcher_is_read() {
        assert_eq!(detected(&[]).unwrap(), None);
        assert_eq!(detected(&[("RANK", "0"), ("WORLD_SIZE", "1")]).unwrap(), None);
        let torchrun = [
            ("RANK", "5"),
            ("WORLD_SIZE", "8"),
            ("LOCAL_RANK", "1"),
            ("GROUP_RANK", "1"),
            ("MASTER_ADDR", "10.0.0.1"),
            ("MASTER_PORT", "2950"),
            ("TORCHELASTIC_RUN_ID", "none"),
            ("TORCHELASTIC_RESTART_COUNT", "2"),
            ("TORCHELASTIC_USE_AGENT_STORE", "True"),
        ];
        let expected =
            Environment { has_store: true, attempt: "none/2".to_owned(), ..environment(5, 1, 1, 8, "10.0.0.1", 2950) };
        assert_eq!(detected(&torchrun).unwrap(), Some(expected));
        let slurm = [
            ("SLURM_PROCID", "3"),
            ("SLURM_NTASKS", "4"),
            ("SLURM_LOCALID", "1"),
            ("SLURM_NODEID", "1"),
            ("SLURM_JOB_ID", "123456"),
            ("SLURM_NODELIST", "gpu[07-08]"),
        ];
        assert_eq!(detected(&slurm).unwrap(), Some(environment(3, 1, 1, 4, "gpu07", 18_456)));
        assert_eq!(detected(&[&slurm[..], &[("SLURM_JOB_NAME", "bash")]].concat()).unwrap(), None);
        let mpi = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ];
        assert_eq!(detected(&mpi).unwrap(), Some(environment(1, 1, 0, 2, "127.0.0.1", 29_500)));
    }

    #[test]
    fn environment_that_is_incomplete_names_the_variable() {
        for (variables, said) in [
            (&[("RANK", "1")][..], "RANK is set, but WORLD_SIZE is not"),
            (
                &[("WORLD_SIZE", "2")],
                "WORLD_SIZE is set, but RANK is not: set RANK to the number of this process, from 0, or remove WORLD_SIZE",
            ),
            (&[("RANK", "1"), ("WORLD_SIZE", "2")], "set MASTER_PORT to a free port of the machine of rank 0"),
            (&[("RANK", "2"), ("WORLD_SIZE", "2")], "RANK is 2, but there are 2 ranks, counted from 0"),
            (&[("RANK", "one"), ("WORLD_SIZE", "2")], "RANK is `one`, but it must be a number from 0"),
            (
                &[("RANK", "1"), ("WORLD_SIZE", "2"), ("MASTER_PORT", "99999")],
                "MASTER_PORT is `99999`, but a port is a number from 1 to 65535",
            ),
        ] {
            let error = |variables: &[(&str, &str)]| detected(variables).unwrap_err().to_string();
            assert_eq!(error(variables), format!("the environment of this process is incomplete: {said}"));
            let by_torchrun = [variables, &[("TORCHELASTIC_RUN_ID", "none")]].concat();
            assert_eq!(
                error(&by_torchrun),
                format!("the environment of this process, which torchrun started, is incomplete: {said}")
            );
        }
        let srun = detected(&[("SLURM_PROCID", "one"), ("SLURM_NTASKS", "2")]).unwrap_err().to_string();
        assert!(srun.starts_with("the environment of this process, which srun started, is incomplete: "), "{srun}");
        assert_eq!(detected(&[("WORLD_SIZE", "1")]).unwrap(), None);
    }

    #[test]
    fn first_node_of_a_list_is_found() {
        for (list, first) in
            [("alone", "alone"), ("a,b", "a"), ("node[03-05,9],other", "node03"), ("rack2-[1,4]-gpu,x", "rack2-1-gpu")]
        {
            assert_eq!(first_node(list).as_deref(), Some(first), "{list}");
        }
    }
}
