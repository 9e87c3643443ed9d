//! Connects this process to the others at the start of its first run.

use super::cores;
use super::ddp::Ddp;
use super::environment::{Environment, STARTED_BY_RANK_ZERO};
use super::introduction::{Introduction, this_host};
use super::launch;
use super::single_process::SingleProcess;
use super::world::World;
use super::{Collectives, Rank, Strategy, StrategyConfig, StrategyError};
use crate::counted::counted;
use crate::device::{Accelerator, Devices};
use crate::{messages, native};
use std::env;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;
use tch::Device;

/// What a configuration asks for.
pub(crate) struct Requested<'a> {
    pub(crate) strategy: &'a StrategyConfig,
    pub(crate) accelerator: Accelerator,
    pub(crate) devices: &'a Devices,
    pub(crate) num_nodes: usize,
    /// The name of the program, which all processes must have in common.
    pub(crate) program: &'a str,
    /// Returns the configuration that all processes must have in common.
    pub(crate) configuration: &'a dyn Fn() -> serde_json::Value,
}

/// The connection of this process, which is made by its first run and kept by later ones.
static WORLD: Mutex<Option<Arc<World>>> = Mutex::new(None);

/// Returns the strategy of a run of a verb. The first run with several processes connects them, and starts them if no launcher has.
pub(crate) fn connect(requested: &Requested<'_>, verb: &str) -> Result<Box<dyn Strategy>, StrategyError> {
    let Some(world) = world(requested)? else { return Ok(Box::new(SingleProcess)) };
    world.meet(&Introduction {
        host: this_host(),
        process: std::process::id(),
        cores: cores::of_this_process(),
        world_size: world.rank().world_size,
        program: requested.program.to_owned(),
        verb: verb.to_owned(),
        configuration: (requested.configuration)(),
    })?;
    Ok(Box::new(Ddp::new(world, requested.strategy.ddp())))
}

/// Returns the seed that rank 0 has drawn, before the first run, so that all ranks construct the same model and data.
pub(crate) fn seed_of_rank_zero(requested: &Requested<'_>, drawn: i64) -> Result<i64, StrategyError> {
    world(requested)?.map_or(Ok(drawn), |world| world.seed_of_rank_zero(drawn))
}

/// Returns the processes of a run, connected; `None` for one process.
fn world(requested: &Requested<'_>) -> Result<Option<Arc<World>>, StrategyError> {
    let mut connected = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let launched_by = Environment::detect()?;
    let world_size = requested.world_size(launched_by.as_ref().map(|environment| environment.rank))?;
    if world_size == 1 {
        warn_without_srun();
        return Ok(None);
    }
    let timeout = requested.strategy.ddp().timeout.0;
    let world = match &*connected {
        Some(world) => Arc::clone(world),
        None => {
            launch::follow_rank_zero();
            let world = match &launched_by {
                Some(environment) => World::join(environment, timeout)?,
                None => {
                    requested.refuse_missing_devices(world_size)?;
                    World::launch(world_size, timeout)?
                }
            };
            if !world.rank().is_global_zero() {
                messages::silence();
            }
            native::at_exit(end);
            native::on_mismatch(end_by_mismatch);
            Arc::clone(connected.insert(Arc::new(world)))
        }
    };
    if world.rank().world_size != world_size {
        return Err(StrategyError::Configuration(format!(
            "this run asks for {world_size} processes, but the program has {}, which its first run started",
            world.rank().world_size
        )));
    }
    Ok(Some(world))
}

/// Whether this process will be rank 0, or run alone, before it is connected: others do not print what all find.
pub(crate) fn is_to_be_rank_zero() -> bool {
    Environment::detect().is_ok_and(|launched_by| launched_by.is_none_or(|by| by.rank.is_global_zero()))
}

/// Returns the number of processes that a run would have, without starting any.
pub(crate) fn processes(requested: &Requested<'_>) -> Result<usize, StrategyError> {
    requested.world_size(Environment::detect()?.map(|environment| environment.rank))
}

/// Whether the error of this process is printed by rank 0 and by rank 1, which rank 0 has started as well: it is that of another rank, or of all.
pub(crate) fn is_printed_by_others() -> bool {
    let was_started_by_rank_zero = env::var_os(STARTED_BY_RANK_ZERO).is_some();
    was_started_by_rank_zero && connected().is_some_and(|world| world.rank().global > 1 && world.has_failed_by_others())
}

/// Returns the processes of the run; `None` if this one runs alone.
pub(super) fn connected() -> Option<Arc<World>> {
    WORLD.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Ends the connection before the process ends, and waits for the processes that this one has started.
fn end(code: Option<i32>) {
    // a process that ends while it connects has nothing to end
    let Ok(connected) = WORLD.try_lock() else { return };
    let code = connected.as_ref().and_then(|world| world.end(code));
    if let Some(code) = code {
        native::exit_at_once(code);
    }
}

/// Ends the process, which C++ would abort, after another rank has sent something else than this one takes.
fn end_by_mismatch(message: &str) {
    let Ok(connected) = WORLD.try_lock() else { return };
    if let Some(world) = &*connected {
        world.end_by_mismatch(message);
    }
}

impl Requested<'_> {
    /// Returns the number of processes, of which a launcher may have started all.
    fn world_size(&self, launched: Option<Rank>) -> Result<usize, StrategyError> {
        let (devices, num_nodes) = (self.devices.count(), self.num_nodes);
        match (launched, devices) {
            (Some(rank), Some(devices)) if devices.checked_mul(num_nodes) != Some(rank.world_size) => {
                Err(StrategyError::Configuration(format!(
                    "`devices` is {devices} and `num_nodes` {num_nodes}, but {} processes were started: remove `devices` and `num_nodes`, or \
                     start {}",
                    rank.world_size,
                    devices as u128 * num_nodes as u128
                )))
            }
            (Some(rank), _) => Ok(rank.world_size),
            (None, _) if num_nodes > 1 => Err(StrategyError::Configuration(format!(
                "`num_nodes` is {num_nodes}, but no launcher has started this process: start the program on each machine with torchrun \
                 --no-python, or with srun"
            ))),
            (None, devices) => Ok(devices.unwrap_or(1)),
        }
    }

    /// Fails if this machine does not have a device for each process, before any is started. The CPU has a number of processes for each core.
    fn refuse_missing_devices(&self, processes: usize) -> Result<(), StrategyError> {
        let first = self.accelerator.device_of(self.devices, 0)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let most = cores * PROCESSES_OF_A_CORE;
        if first == Device::Cpu && processes > most {
            return Err(StrategyError::Configuration(format!(
                "`devices` is {processes}, but this machine has {}, for each of which at most {PROCESSES_OF_A_CORE} processes are started: \
                 set `devices` to {most} or less",
                counted(cores, "core")
            )));
        }
        (1..processes).try_for_each(|process| Ok(self.accelerator.device_of(self.devices, process).map(drop)?))
    }
}

/// The largest number of processes for each core. More would have no advantage, and might use up the memory of the machine.
const PROCESSES_OF_A_CORE: usize = 16;

/// Warns of a batch job of SLURM with several tasks whose script does not start them, as Lightning does.
fn warn_without_srun() {
    static ONCE: Once = Once::new();
    if let Some(tasks) = Environment::tasks_without_srun() {
        ONCE.call_once(|| {
            messages::warning!(
                "this run has one process, but SLURM's job has {tasks} tasks: start the program with srun, as in `srun PROGRAM fit`, to use all"
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(devices: &Devices, num_nodes: usize) -> Requested<'_> {
        let strategy = &StrategyConfig::Auto;
        let configuration = &serde_json::Value::default;
        Requested { strategy, accelerator: Accelerator::Cpu, devices, num_nodes, program: "", configuration }
    }

    #[test]
    fn devices_that_a_machine_does_not_have_are_refused() {
        let refused = |devices: Devices| {
            let processes = devices.count().unwrap();
            requested(&devices, 1).refuse_missing_devices(processes).err().map(|error| error.to_string())
        };
        let cores = thread::available_parallelism().unwrap().get();
        assert_eq!(refused(Devices::Count(16 * cores)), None);
        let said = refused(Devices::Count(999_999)).unwrap();
        assert!(said.starts_with(&format!("`devices` is 999999, but this machine has {cores} core")), "{said}");
        assert!(said.ends_with(&format!("set `devices` to {} or less", 16 * cores)), "{said}");
        let indices = Devices::Indices(vec![0, 1]);
        assert_eq!(
            refused(indices).as_deref(),
            Some("the accelerator cpu does not have the device 1: it has 1, counted from 0")
        );
    }

    #[test]
    fn product_of_devices_and_nodes_does_not_overflow() {
        let devices = Devices::Count(usize::MAX);
        let launched = Rank { world_size: 2, ..Rank::ALONE };
        let error = requested(&devices, usize::MAX).world_size(Some(launched)).unwrap_err().to_string();
        // the square of 2^64 - 1
        assert!(error.ends_with("or start 340282366920938463426481119284349108225"), "{error}");
    }
}
