//! The launchers, and the variables by which each tells a process its place.

/// Returns a variable of the environment; `None` if it is not set or empty.
pub(super) type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A launcher: the variables by which it is recognized, and how they are read.
pub(super) struct Launcher {
    pub(super) name: &'static str,
    pub(super) rank: &'static str,
    pub(super) world_size: &'static str,
    pub(super) local_rank: &'static str,
    pub(super) local_world_size: Option<&'static str>,
    pub(super) node: Option<&'static str>,
}

/// The variables of `torchrun`, which are also those that a person sets.
pub(super) const TORCHRUN: Launcher = Launcher {
    name: "torchrun",
    rank: "RANK",
    world_size: "WORLD_SIZE",
    local_rank: "LOCAL_RANK",
    local_world_size: Some("LOCAL_WORLD_SIZE"),
    node: Some("GROUP_RANK"),
};

const SRUN: Launcher = Launcher {
    name: "srun",
    rank: "SLURM_PROCID",
    world_size: "SLURM_NTASKS",
    local_rank: "SLURM_LOCALID",
    local_world_size: None,
    node: Some("SLURM_NODEID"),
};

const MPIRUN: Launcher = Launcher {
    name: "mpirun",
    rank: "OMPI_COMM_WORLD_RANK",
    world_size: "OMPI_COMM_WORLD_SIZE",
    local_rank: "OMPI_COMM_WORLD_LOCAL_RANK",
    local_world_size: Some("OMPI_COMM_WORLD_LOCAL_SIZE"),
    node: None,
};

const MPIEXEC: Launcher = Launcher {
    name: "mpiexec",
    rank: "PMI_RANK",
    world_size: "PMI_SIZE",
    local_rank: "MPI_LOCALRANKID",
    local_world_size: Some("MPI_LOCALNRANKS"),
    node: None,
};

/// The launchers, in the order in which they are tried: `torchrun` may have been started by one of the others, and those of MPI by SLURM,
/// whose variables their processes inherit.
pub(super) const LAUNCHERS: [&Launcher; 4] = [&TORCHRUN, &MPIRUN, &MPIEXEC, &SRUN];

impl Launcher {
    /// Whether it has started this process.
    pub(super) fn has_started_this(&self, get: Get<'_>) -> bool {
        get(self.rank).is_some()
            && match self.name {
                "srun" => get(self.world_size).is_some() && !is_shell_of_slurm(get) && !is_batch_script(get),
                // `srun` sets PMI_RANK as well
                "mpiexec" => get(self.local_rank).is_some() || get(SRUN.rank).is_none(),
                _ => true,
            }
    }
}

/// Whether this process runs in an interactive job, by the names that Lightning and `salloc` know.
fn is_shell_of_slurm(get: Get<'_>) -> bool {
    matches!(get("SLURM_JOB_NAME").as_deref(), Some("bash" | "interactive"))
}

/// Whether this process was started by a script of `sbatch` without `srun`, which starts a step.
fn is_batch_script(get: Get<'_>) -> bool {
    get("ENVIRONMENT").as_deref() == Some("BATCH") && get("SLURM_STEP_ID").is_none()
}

/// Returns the number of tasks of a batch job whose script has started this process without `srun`, if there are several.
pub(super) fn tasks_without_srun(get: Get<'_>) -> Option<usize> {
    let tasks = get(SRUN.world_size)?.trim().parse().ok()?;
    let is_alone = LAUNCHERS.iter().all(|launcher| !launcher.has_started_this(get));
    (tasks > 1 && is_alone && is_batch_script(get) && !is_shell_of_slurm(get)).then_some(tasks)
}
