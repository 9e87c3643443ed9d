//! The environment variables by which launchers tell a process its place in a run.

mod launcher;
mod variables;

use super::{Rank, StrategyError};
use launcher::{Get, LAUNCHERS, TORCHRUN};
use variables::Variables;

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

/// Set in the processes that rank 0 has started itself.
pub(super) const STARTED_BY_RANK_ZERO: &str = "TCH_LIGHTNING_STARTED_BY_RANK_ZERO";

impl Environment {
    /// The variables by which torchrun is distinguished from a person, tells its attempts apart, and says that it keeps the store.
    pub(super) const OF_ATTEMPTS: [&str; 3] =
        ["TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_USE_AGENT_STORE"];

    /// Returns the environment of a launcher that has started several processes; `None` if there is none.
    pub(super) fn detect() -> Result<Option<Self>, StrategyError> {
        Self::of(&variable)
    }

    fn of(get: Get<'_>) -> Result<Option<Self>, StrategyError> {
        match LAUNCHERS.into_iter().find(|launcher| launcher.has_started_this(get)) {
            Some(launcher) => Variables { launcher, get }.environment(),
            None => Variables { launcher: &TORCHRUN, get }.refuse_without_rank().map(|()| None),
        }
    }

    /// Returns the number of tasks of SLURM's batch job, whose script has started this process alone.
    pub(super) fn tasks_without_srun() -> Option<usize> {
        launcher::tasks_without_srun(&variable)
    }

    /// The environment of the ranks after the first, which rank 0 starts on its machine.
    pub(super) fn variables_of(rank: Rank, port: u16) -> Vec<(&'static str, String)> {
        vec![
            ("RANK", rank.global.to_string()),
            ("WORLD_SIZE", rank.world_size.to_string()),
            ("LOCAL_RANK", rank.local.to_string()),
            ("LOCAL_WORLD_SIZE", rank.world_size.to_string()),
            ("GROUP_RANK", rank.node.to_string()),
            ("MASTER_ADDR", LOOPBACK.to_owned()),
            ("MASTER_PORT", port.to_string()),
            (STARTED_BY_RANK_ZERO, "1".to_owned()),
        ]
    }
}

/// Returns a variable of this process. One that is not Unicode is not a number either, and refused as such.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    (!value.trim().is_empty()).then_some(value)
}

/// The address of this machine for processes on it.
pub(super) const LOOPBACK: &str = "127.0.0.1";

/// Whether an address is that of this machine for processes on it.
pub(super) fn is_loopback(address: &str) -> bool {
    address == "localhost" || address == "::1" || address.starts_with("127.")
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
        let mpi = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ];
        assert_eq!(detected(&mpi).unwrap(), Some(environment(1, 1, 0, 2, "127.0.0.1", 29_500)));
    }

    #[test]
    fn processes_of_mpi_within_a_job_of_slurm_have_the_ranks_of_mpi() {
        // a batch script is itself process 0, of as many tasks as the job has
        let batch = [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "2"), ("SLURM_LOCALID", "0")];
        let mpirun = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ];
        let mpiexec = [("PMI_RANK", "1"), ("PMI_SIZE", "2"), ("MPI_LOCALRANKID", "1"), ("MPI_LOCALNRANKS", "2")];
        for mpi in [mpirun, mpiexec] {
            let rank = detected(&[&batch[..], &mpi].concat()).unwrap();
            assert_eq!(rank, Some(environment(1, 1, 0, 2, "127.0.0.1", 29_500)));
        }
        // `srun --mpi=pmi2`
        let pmi = [
            ("SLURM_PROCID", "1"),
            ("SLURM_NTASKS", "2"),
            ("SLURM_LOCALID", "1"),
            ("PMI_RANK", "1"),
            ("PMI_SIZE", "2"),
        ];
        assert_eq!(detected(&pmi).unwrap(), Some(environment(1, 1, 0, 2, "127.0.0.1", 29_500)));
    }

    #[test]
    fn shell_or_script_within_a_job_of_slurm_runs_alone() {
        let (id, tasks) = (("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4"));
        for variables in [
            // `salloc`, whose shell is on the login node
            &[tasks][..],
            &[id, tasks, ("SLURM_STEP_ID", "4294967290"), ("SLURM_JOB_NAME", "interactive")],
            &[id, tasks, ("SLURM_STEP_ID", "0"), ("SLURM_JOB_NAME", "bash"), ("PMI_RANK", "0"), ("PMI_SIZE", "4")],
            // `sbatch`, with and without `--ntasks`
            &[id, tasks, ("ENVIRONMENT", "BATCH")],
            &[id, ("ENVIRONMENT", "BATCH")],
            // `WORLD_SIZE` of a script that then calls `srun`
            &[id, tasks, ("ENVIRONMENT", "BATCH"), ("WORLD_SIZE", "1")],
        ] {
            assert_eq!(detected(variables).unwrap(), None, "{variables:?}");
        }
        let step = [id, tasks, ("ENVIRONMENT", "BATCH"), ("SLURM_STEP_ID", "0")];
        assert_eq!(detected(&step).unwrap(), Some(environment(0, 0, 0, 4, "127.0.0.1", 29_500)));
        let without_srun = |variables: &[(&str, &str)]| {
            let variables: HashMap<&str, &str> = variables.iter().copied().collect();
            launcher::tasks_without_srun(&|name| variables.get(name).map(|value| (*value).to_owned()))
        };
        assert_eq!(without_srun(&step), None);
        assert_eq!(without_srun(&[id, tasks, ("ENVIRONMENT", "BATCH")]), Some(4));
        assert_eq!(without_srun(&[id, ("SLURM_NTASKS", "1"), ("ENVIRONMENT", "BATCH")]), None);
        let by_mpirun = [("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "4")];
        assert_eq!(without_srun(&[&[id, tasks, ("ENVIRONMENT", "BATCH")][..], &by_mpirun].concat()), None);
    }

    #[test]
    fn environment_that_is_invalid_names_the_variable_and_its_value() {
        const OF_TWO: (&str, &str) = ("WORLD_SIZE", "2");
        for (variables, said) in [
            (
                &[("RANK", "1")][..],
                "RANK is 1, but WORLD_SIZE is not set: set WORLD_SIZE to the number of processes, or remove RANK",
            ),
            (
                &[OF_TWO],
                "WORLD_SIZE is 2, but RANK is not set: set RANK to the number of this process, from 0, or remove WORLD_SIZE",
            ),
            (&[("WORLD_SIZE", "0")], "WORLD_SIZE is `0`, but it must be a number from 1 to 16384"),
            (&[("WORLD_SIZE", "abc")], "WORLD_SIZE is `abc`, but it must be a number from 1 to 16384"),
            (&[("RANK", "0"), ("WORLD_SIZE", "-1")], "WORLD_SIZE is `-1`, but it must be a number from 1 to 16384"),
            (
                &[("RANK", "0"), ("WORLD_SIZE", "4000000000")],
                "WORLD_SIZE is `4000000000`, but it must be a number from 1 to 16384",
            ),
            (
                &[("LOCAL_RANK", "1")],
                "LOCAL_RANK is 1, but RANK is not set: set RANK and WORLD_SIZE as well, or remove LOCAL_RANK",
            ),
            (&[("RANK", "one"), OF_TWO], "RANK is `one`, but it must be a number from 0"),
            (
                &[("RANK", "3"), ("WORLD_SIZE", "1")],
                "RANK is 3, but WORLD_SIZE is 1: ranks are counted from 0, so that the largest is 0",
            ),
            (
                &[("RANK", "2"), OF_TWO],
                "RANK is 2, but WORLD_SIZE is 2: ranks are counted from 0, so that the largest is 1",
            ),
            (
                &[("RANK", "0"), OF_TWO, ("LOCAL_RANK", "1")],
                "LOCAL_RANK is 1, but RANK is 0: LOCAL_RANK counts the processes of this machine alone, in the order of their ranks, so that \
                 it is at most 0",
            ),
            (
                &[("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "3"), ("LOCAL_WORLD_SIZE", "2")],
                "LOCAL_RANK is 3, but LOCAL_WORLD_SIZE is 2: the processes of a machine are counted from 0, so that the largest is 1",
            ),
            (
                &[("RANK", "1"), OF_TWO, ("MASTER_ADDR", "node1"), ("MASTER_PORT", "29500")],
                "MASTER_ADDR is node1, but LOCAL_RANK is not set: set it to the number of this process among those of its machine, from 0",
            ),
            (
                &[("RANK", "1"), OF_TWO],
                "MASTER_PORT is not set: set it to a free port of the machine of rank 0, for all processes",
            ),
            (
                &[("RANK", "1"), OF_TWO, ("LOCAL_RANK", "0"), ("MASTER_PORT", "29500")],
                "MASTER_ADDR is not set: set it to the address of the machine of rank 0, for all processes",
            ),
            (
                &[("RANK", "1"), OF_TWO, ("MASTER_PORT", "99999")],
                "MASTER_PORT is `99999`, but a port is a number from 1 to 65535",
            ),
        ] {
            let error = |variables: &[(&str, &str)]| detected(variables).unwrap_err().to_string();
            assert_eq!(error(variables), format!("the environment of this process is invalid: {said}"));
            let by_torchrun = [variables, &[("TORCHELASTIC_RUN_ID", "none")]].concat();
            assert_eq!(
                error(&by_torchrun),
                format!("the environment of this process, which torchrun started, is invalid: {said}")
            );
        }
        let srun = detected(&[("SLURM_PROCID", "one"), ("SLURM_NTASKS", "2")]).unwrap_err().to_string();
        assert!(srun.starts_with("the environment of this process, which srun started, is invalid: "), "{srun}");
        assert_eq!(detected(&[("WORLD_SIZE", "1")]).unwrap(), None);
        assert_eq!(detected(&[("LOCAL_RANK", "0")]).unwrap(), None);
    }

    #[test]
    fn places_of_two_launchers_that_contradict_are_refused() {
        let srun = [("SLURM_PROCID", "1"), ("SLURM_NTASKS", "2"), ("SLURM_LOCALID", "1"), ("SLURM_STEP_ID", "0")];
        let by_hand = [("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_PORT", "29500")];
        assert_eq!(
            detected(&[&srun[..], &by_hand].concat()).unwrap_err().to_string(),
            "the environment of this process is invalid: RANK is 0, but SLURM_PROCID is 1, each of 2 processes: remove RANK and WORLD_SIZE, \
             so that those of srun count"
        );
        // torchrun, started by srun on two machines
        let torchrun = [&by_hand[..], &[("TORCHELASTIC_RUN_ID", "none"), ("LOCAL_RANK", "0")]].concat();
        assert!(detected(&[&srun[..], &torchrun].concat()).unwrap().is_some());
        assert_eq!(
            detected(&[&srun[..], &[("WORLD_SIZE", "8")]].concat()).unwrap_err().to_string(),
            "the environment of this process, which srun started, is invalid: WORLD_SIZE is 8, but SLURM_NTASKS is 2: remove WORLD_SIZE, or \
             start 8 processes"
        );
        assert!(detected(&[&srun[..], &[("WORLD_SIZE", "2")]].concat()).unwrap().is_some());
    }
}
