//! Connects this process to the others at the start of its first run.

use super::cores;
use super::ddp::Ddp;
use super::environment::Environment;
use super::introduction::{Introduction, this_host};
use super::launch;
use super::single_process::SingleProcess;
use super::world::World;
use super::{Collectives, Rank, Strategy, StrategyConfig, StrategyError};
use crate::{messages, native};
use std::sync::{Arc, Mutex, PoisonError};

/// What a configuration asks for.
pub(crate) struct Requested<'a> {
    pub(crate) strategy: &'a StrategyConfig,
    /// The number of devices on each machine, if it is given.
    pub(crate) devices: Option<usize>,
    pub(crate) num_nodes: usize,
    /// The name of the program, which all processes must have in common.
    pub(crate) program: &'a str,
    /// Returns the configuration that all processes must have in common.
    pub(crate) configuration: &'a dyn Fn() -> serde_json::Value,
}

/// The connection of this process, which is made by its first run and kept by later ones.
static WORLD: Mutex<Option<Arc<World>>> = Mutex::new(None);

/// Returns the strategy of a run. The first run with several processes connects them, and starts them if no launcher has.
pub(crate) fn connect(requested: &Requested<'_>) -> Result<Box<dyn Strategy>, StrategyError> {
    let Some(world) = world(requested)? else { return Ok(Box::new(SingleProcess)) };
    world.meet(&Introduction {
        host: this_host(),
        process: std::process::id(),
        cores: cores::of_this_process(),
        world_size: world.rank().world_size,
        program: requested.program.to_owned(),
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
        return Ok(None);
    }
    let timeout = requested.strategy.ddp().timeout.0;
    let world = match &*connected {
        Some(world) => Arc::clone(world),
        None => {
            launch::follow_rank_zero();
            let world = match &launched_by {
                Some(environment) => World::join(environment, timeout)?,
                None => World::launch(world_size, timeout)?,
            };
            if !world.rank().is_global_zero() {
                messages::silence();
            }
            native::at_exit(end);
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

/// Returns the number of processes that a run would have, without starting any.
pub(crate) fn processes(requested: &Requested<'_>) -> Result<usize, StrategyError> {
    requested.world_size(Environment::detect()?.map(|environment| environment.rank))
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

impl Requested<'_> {
    /// Returns the number of processes, of which a launcher may have started all.
    fn world_size(&self, launched: Option<Rank>) -> Result<usize, StrategyError> {
        let Self { devices, num_nodes, .. } = *self;
        match (launched, devices) {
            (Some(rank), Some(devices)) if devices * num_nodes != rank.world_size => {
                Err(StrategyError::Configuration(format!(
                    "`devices` is {devices} and `num_nodes` {num_nodes}, but {} processes were started: remove `devices` and `num_nodes`, or \
                     start {}",
                    rank.world_size,
                    devices * num_nodes
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
}
