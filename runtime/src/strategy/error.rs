use crate::device::DeviceError;
use crate::native::NativeError;
use crate::signal::Signal;
use tch::TchError;

/// Several processes cannot run together, or one of them has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StrategyError {
    /// A launcher's environment variable is missing or invalid.
    #[error("the environment of this process{} is invalid: {mistake}", started_by(*launcher))]
    Environment {
        /// The launcher whose variables were found; `None` for variables that were set by hand.
        launcher: Option<&'static str>,
        /// The mistake, and how to correct it.
        mistake: String,
    },
    /// The configuration asks for processes that this run cannot have.
    #[error("{0}")]
    Configuration(String),
    /// The strategy cannot train on this device.
    #[error(
        "ddp trains on CPUs and on NVIDIA's GPUs, but this run is on {0:?}: set `accelerator` to cpu, or `devices` to 1"
    )]
    Device(tch::Device),
    /// NCCL, which connects GPUs, cannot be used.
    #[error("several processes on GPUs need NCCL: {0}")]
    Nccl(#[source] NativeError),
    /// The other processes of the run could not be started.
    #[error("cannot start the other processes of the run: {0}")]
    Launch(#[source] std::io::Error),
    /// `devices` cannot be used on this machine.
    #[error(transparent)]
    Devices(#[from] DeviceError),
    /// The other processes cannot connect to rank 0, which is this process.
    #[error(
        "rank 0 cannot wait for the others at port {port}: {reason}: set MASTER_PORT to a free port, for all processes"
    )]
    Listen {
        /// The port.
        port: u16,
        /// Why it cannot be used.
        reason: String,
    },
    /// The process with rank 0, which the others meet at, cannot be reached.
    #[error("rank 0 cannot be reached at {address}:{port}: {reason}")]
    Unreachable {
        /// The address of rank 0.
        address: String,
        /// Its port.
        port: u16,
        /// What was found there.
        reason: UnreachableReason,
    },
    /// Another process has taken the rank of this one.
    #[error("rank {rank} was started twice, on {host} (process {process}) too: give each process a rank of its own")]
    Twice {
        /// The rank.
        rank: usize,
        /// The machine of the other process.
        host: String,
        /// Its number in the operating system.
        process: u32,
    },
    /// This machine does not have the network that GLOO_SOCKET_IFNAME names.
    #[error(
        "GLOO_SOCKET_IFNAME is `{interface}`, but this machine has no network interface of that name with an address: it has {found}"
    )]
    Interface {
        /// The value of the variable.
        interface: String,
        /// The interfaces of this machine.
        found: String,
    },
    /// Some processes did not come to the start.
    #[error(
        "{} did not start within {seconds} s: see the output of {}",
        ranks(missing),
        if missing.len() == 1 { "its process" } else { "their processes" }
    )]
    Missing {
        /// The ranks.
        missing: Vec<usize>,
        /// The time that this process waited.
        seconds: u64,
    },
    /// A process differs from rank 0 in what all have in common.
    #[error("rank {rank} on {host} {difference}: start all processes with the same program and the same arguments")]
    Differs {
        /// The rank.
        rank: usize,
        /// The name of its machine.
        host: String,
        /// The difference.
        difference: String,
    },
    /// A process starts from another checkpoint than rank 0.
    #[error(
        "rank {rank} on {host} starts from {there}, and rank 0 from {here}: let all processes start from the same file, as on a disk that \
         all machines share"
    )]
    StartingPoint {
        /// The rank.
        rank: usize,
        /// The name of its machine.
        host: String,
        /// The checkpoint of rank 0, in words.
        here: String,
        /// Its checkpoint, in words.
        there: String,
    },
    /// A process has other optimizers or schedulers than rank 0.
    #[error(
        "rank {rank} on {host} has `{setting}` = {there} after `configure_optimizers`, and rank 0 has {here}, so that their parameters would \
         differ after a step: return the same optimizers and schedulers in all processes"
    )]
    Optimizers {
        /// The rank.
        rank: usize,
        /// The name of its machine.
        host: String,
        /// The name of the setting.
        setting: String,
        /// The value of rank 0.
        here: String,
        /// Its value.
        there: String,
    },
    /// A process has a loader of another size than rank 0, although the trainer divides the samples.
    #[error(
        "rank {rank} on {host} has {there} in `{dataloader}`, and rank 0 has {here}: return the same data and batch size in all processes, as \
         the trainer divides the samples among them, or set `use_distributed_sampler` to false if each is to have samples of its own"
    )]
    LoaderSizes {
        /// The rank.
        rank: usize,
        /// The name of its machine.
        host: String,
        /// The hook that returned the loader.
        dataloader: String,
        /// The size of rank 0's loader, in words.
        here: String,
        /// The size of its loader, in words.
        there: String,
    },
    /// A process has made another number of optimizer steps than rank 0.
    #[error(
        "rank {rank} on {host} has made {there} in this run, and rank 0 {here}, so that their parameters differ: step the optimizers in all \
         processes, or in none"
    )]
    Steps {
        /// The rank.
        rank: usize,
        /// The name of its machine.
        host: String,
        /// The number of steps of rank 0, in words.
        here: String,
        /// Its number of steps, in words.
        there: String,
    },
    /// The parameters of a process are not those of rank 0 any more.
    #[error(
        "the parameters of rank {rank} on {host} differ from rank 0's, first in `{parameter}`: change parameters in all processes alike; if \
         they may differ, write `strategy: {{name: ddp, compare_parameters: false}}`"
    )]
    Replicas {
        /// The rank.
        rank: usize,
        /// The name of its machine.
        host: String,
        /// The name of the first parameter that differs.
        parameter: String,
    },
    /// A process trains other parameters than rank 0.
    #[error(
        "`{parameter}` is frozen on {frozen}, but trained on {trained}: set `requires_grad` to the same in all processes"
    )]
    Frozen {
        /// The name of the parameter.
        parameter: String,
        /// The ranks with `requires_grad` false, in words.
        frozen: String,
        /// The other ranks, in words.
        trained: String,
    },
    /// Another process has failed.
    #[error("rank {rank} on {host} failed: {cause}")]
    Peer {
        /// The rank.
        rank: usize,
        /// The name of its machine.
        host: String,
        /// Its error.
        cause: String,
        /// The signal that ended its run.
        signal: Option<Signal>,
    },
    /// Other processes ended or stopped without an error of theirs.
    #[error(
        "{} not respond to this process, which waits in {operation}: {verb} killed or stopped, or the network between them is cut",
        do_not(ranks),
        verb = was(ranks)
    )]
    Silent {
        /// The ranks, with the names of their machines.
        ranks: Vec<(usize, String)>,
        /// What this process was waiting for.
        operation: String,
    },
    /// Other processes run, but did not come to an operation of all ranks in time.
    #[error(
        "{} did not take part within {seconds} s in {operation}: held up in {}, or not calling what the others call; a longer `timeout` of the \
         strategy waits for it",
        named(ranks),
        place.as_deref().unwrap_or("a hook or in its data")
    )]
    Absent {
        /// The ranks, with the names of their machines.
        ranks: Vec<(usize, String)>,
        /// What this process was waiting for.
        operation: String,
        /// The hook that the first of them is in, with its batch, if it is in one.
        place: Option<String>,
        /// The time that this process waited.
        seconds: u64,
    },
    /// The processes do not call the same operations, or call one with tensors of other shapes or dtypes.
    #[error("{0}")]
    Disagreement(String),
    /// The launcher has ended, without which the processes cannot find out about one another.
    #[error("the launcher, which kept the connection of the processes at {address}:{port}, has ended")]
    Launcher {
        /// The address of the launcher's store.
        address: String,
        /// Its port.
        port: u16,
    },
    /// An operation of all ranks failed, although all of them respond.
    #[error(
        "{operation} failed, although all processes respond: one of them may have been stopped for longer than `timeout`, or the network \
         between them interrupted: {source}"
    )]
    Collective {
        /// The operation.
        operation: String,
        /// The error.
        source: NativeError,
    },
    /// Parameters had no gradient in a step, so that the other ranks would wait for theirs.
    #[error(
        "{} no gradient in this step, for which the other ranks wait: write `strategy: ddp_find_unused_parameters_true` (`--strategy`) if \
         some steps do not use all parameters, as with `toggle_optimizer`; freeze parameters that no step uses with \
         `requires_grad_(false)` before training",
        unused(.0)
    )]
    UnusedParameters(Vec<String>),
    /// An optimizer of manual optimization would step with gradients that were not averaged.
    #[error(
        "the processes would differ after this step, as the gradients of the last backward passes are those of each process alone: call the \
         last `manual_backward` before `manual_step`, and `manual_step` itself, outside of `no_sync`"
    )]
    LocalGradients,
    /// The data of another rank cannot be read.
    #[error("the data of another rank cannot be read: {0}")]
    Data(#[from] serde_json::Error),
    /// libtorch's error.
    #[error(transparent)]
    Native(#[from] NativeError),
    /// libtorch's error.
    #[error(transparent)]
    Tch(#[from] TchError),
}

/// What was found where rank 0 should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreachableReason {
    /// The address has no meaning on this machine.
    #[error("no machine of that name is known here: set MASTER_ADDR to the address of the machine of rank 0")]
    UnknownAddress,
    /// No process waits at the port.
    #[error("no process waits there: start rank 0, or set MASTER_ADDR and MASTER_PORT to where it is")]
    Nobody,
    /// The machine does not answer.
    #[error(
        "no machine answers there: set MASTER_ADDR to the address of the machine of rank 0, and open the port in its firewall"
    )]
    NoAnswer,
    /// A program waits at the port, which does not answer as rank 0 would.
    #[error(
        "a program uses that port, but does not answer as rank 0: if it is another program, set MASTER_PORT to a free port, for all processes"
    )]
    AnotherProgram,
    /// Rank 0, or the launcher that keeps the connection, has ended.
    #[error("it has ended")]
    Ended,
}

fn started_by(launcher: Option<&str>) -> String {
    launcher.map_or_else(String::new, |launcher| format!(", which {launcher} started,"))
}

fn unused(parameters: &[String]) -> String {
    const MOST: usize = 5;
    let named: Vec<String> = parameters.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = parameters.len().saturating_sub(MOST);
    let named = named.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the {} {named} had", if parameters.len() == 1 { "parameter" } else { "parameters" })
}

/// Names ranks in ascending order, those that follow one another by the first and the last.
fn ranks(ranks: &[usize]) -> String {
    const MOST: usize = 5;
    let runs = ranks.chunk_by(|rank, next| rank + 1 == *next).flat_map(|run| match run {
        [first, _, .., last] => vec![(1 + last - first, format!("{first} to {last}"))],
        few => few.iter().map(|rank| (1, rank.to_string())).collect(),
    });
    let runs: Vec<(usize, String)> = runs.collect();
    let more: usize = runs.iter().skip(MOST).map(|(count, _)| count).sum();
    let mut named: Vec<String> = runs.into_iter().take(MOST).map(|(_, run)| run).collect();
    named.extend((more > 0).then(|| format!("{more} more")));
    let last = named.pop().unwrap_or_default();
    let named = if named.is_empty() { last } else { format!("{} and {last}", named.join(", ")) };
    format!("{} {named}", if ranks.len() == 1 { "rank" } else { "ranks" })
}

/// The ranks without their hosts: `rank 1`, or `ranks 0, 1 and 3`.
pub(super) fn ranks_in_words(ranks: &[usize]) -> String {
    let numbers: Vec<String> = ranks.iter().map(usize::to_string).collect();
    match numbers.as_slice() {
        [one] => format!("rank {one}"),
        [first @ .., last] => format!("ranks {} and {last}", first.join(", ")),
        [] => String::new(),
    }
}

fn named(ranks: &[(usize, String)]) -> String {
    let named: Vec<String> = ranks.iter().map(|(rank, host)| format!("rank {rank} on {host}")).collect();
    named.join(" and ")
}

fn do_not(ranks: &[(usize, String)]) -> String {
    format!("{} {}", named(ranks), if ranks.len() == 1 { "does" } else { "do" })
}

fn was(ranks: &[(usize, String)]) -> &'static str {
    if ranks.len() == 1 { "it was" } else { "they were" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_ranks_are_a_short_list() {
        for (missing, said) in [
            (vec![1], "rank 1"),
            (vec![1, 2], "ranks 1 and 2"),
            ((2..2_000).collect(), "ranks 2 to 1999"),
            (vec![1, 3, 4, 5, 7], "ranks 1, 3 to 5 and 7"),
            ((1..20).step_by(2).collect(), "ranks 1, 3, 5, 7, 9 and 5 more"),
        ] {
            assert_eq!(ranks(&missing), said);
        }
        let said = |missing: Vec<usize>| StrategyError::Missing { missing, seconds: 5 }.to_string();
        assert_eq!(said(vec![3]), "rank 3 did not start within 5 s: see the output of its process");
        assert_eq!(said(vec![1, 2, 3]), "ranks 1 to 3 did not start within 5 s: see the output of their processes");
    }
}
