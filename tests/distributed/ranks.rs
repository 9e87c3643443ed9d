//! Starts the program of `faulty.rs` in several processes, waits for the end of all of them, and says when it was.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The longest time for a run. Python needs most of it on a machine with other work.
const LONGEST: Duration = Duration::from_secs(120);

/// Who starts the processes.
#[derive(Clone, Copy, Debug)]
pub enum Launcher {
    /// Rank 0, which starts the others.
    Own,
    /// This test, with the variables of `torchrun` and a store at rank 0.
    Hand,
    /// This test, with the variables of SLURM's `srun`.
    Srun,
    /// This test, with the variables of Open MPI's `mpirun`.
    Mpirun,
    /// PyTorch's `torchrun`.
    Torchrun,
}

/// Several processes of the program, in an empty folder of their own.
pub struct Ranks {
    pub folder: TempDir,
    launcher: Launcher,
    program: &'static str,
    processes: usize,
    variables: Vec<(String, String)>,
    children: Vec<(Child, File)>,
    /// The ranks that are not started, by hand.
    missing: Vec<usize>,
    /// What rank 1 takes for the number of processes, by hand.
    world_size_of_rank_1: Option<usize>,
    /// A variable that they do not have.
    without: Option<&'static str>,
    /// A variable of rank 1 alone, by hand.
    of_rank_1: Option<(&'static str, String)>,
    /// The working directory of rank 1, by hand.
    folder_of_rank_1: Option<&'static str>,
    pub token: String,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit codes of the processes that the test has started, by rank; for a signal, 128 plus its number.
    pub codes: Vec<i32>,
    /// What they wrote, by rank.
    pub said: Vec<String>,
    /// The time from the fault until all others had ended, in seconds.
    pub seconds: f64,
}

impl Ranks {
    pub fn new(launcher: Launcher, processes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().display().to_string();
        let (variables, children, missing) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            folder,
            launcher,
            program: env!("CARGO_BIN_EXE_faulty_ranks"),
            processes,
            variables,
            children,
            missing,
            world_size_of_rank_1: None,
            without: None,
            of_rank_1: None,
            folder_of_rank_1: None,
            token,
        }
    }

    /// Runs another program.
    pub fn program(mut self, program: &'static str) -> Self {
        self.program = program;
        self
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn without(mut self, rank: usize) -> Self {
        self.missing.push(rank);
        self
    }

    pub fn world_size_of_rank_1(mut self, world_size: usize) -> Self {
        self.world_size_of_rank_1 = Some(world_size);
        self
    }

    pub fn with_on_rank_1(mut self, name: &'static str, value: impl ToString) -> Self {
        self.of_rank_1 = Some((name, value.to_string()));
        self
    }

    pub fn folder_of_rank_1(mut self, folder: &'static str) -> Self {
        self.folder_of_rank_1 = Some(folder);
        self
    }

    pub fn without_variable(mut self, name: &'static str) -> Self {
        self.without = Some(name);
        self
    }

    /// A fault of a rank at a place.
    pub fn fault(self, kind: &str, place: &str, rank: usize) -> Self {
        self.with("FAULT", kind).with("FAULT_AT", place).with("FAULT_RANK", rank)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the processes with these arguments. `STRATEGY` stands for `ddp` with a short timeout, and `LONG` for one with a long timeout.
    pub fn start(&mut self, arguments: &str) {
        self.start_each(arguments, arguments);
    }

    fn start_each(&mut self, arguments: &str, of_rank_1: &str) {
        let program = self.program;
        match self.launcher {
            Launcher::Own => {
                let devices = self.processes.to_string();
                let mut command = Command::new(program);
                command.args(split(arguments)).args(["--devices", &devices]);
                self.spawn(0, command);
            }
            Launcher::Hand | Launcher::Srun | Launcher::Mpirun => {
                let port = free_port();
                for rank in (0..self.processes).filter(|rank| !self.missing.contains(rank)).collect::<Vec<_>>() {
                    let mut command = Command::new(program);
                    command.args(split(if rank == 1 { of_rank_1 } else { arguments }));
                    command.envs(self.variables_of(rank)).env("MASTER_PORT", &port);
                    self.spawn(rank, command);
                }
            }
            Launcher::Torchrun => {
                let mut command = Command::new(python());
                command.args(["-m", "torch.distributed.run", "--no-python", "--nproc-per-node"]);
                command.arg(self.processes.to_string()).args(["--master-port", &free_port(), "--max-restarts"]);
                let restarts = self.variables.iter().any(|(name, _)| name == "FAULT_ONCE");
                command.args([if restarts { "1" } else { "0" }, program]).args(split(arguments));
                self.spawn(0, command);
            }
        }
    }

    /// Starts a process with the rank of another one, by hand. Its port is one of the variables.
    pub fn start_again(&mut self, rank: usize, arguments: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faulty_ranks"));
        command.args(split(arguments)).envs(self.variables_of(rank));
        self.spawn(self.children.len(), command);
    }

    fn variables_of(&self, rank: usize) -> Vec<(&'static str, String)> {
        let world_size = if rank == 1 { self.world_size_of_rank_1 } else { None };
        let (rank, size) = (rank.to_string(), world_size.unwrap_or(self.processes).to_string());
        match self.launcher {
            Launcher::Srun => vec![
                ("SLURM_PROCID", rank.clone()),
                ("SLURM_LOCALID", rank),
                ("SLURM_NTASKS", size),
                ("SLURM_NODEID", "0".to_owned()),
                ("SLURM_JOB_ID", "1".to_owned()),
                ("SLURM_JOB_NAME", "train".to_owned()),
                ("SLURM_STEP_NODELIST", "localhost".to_owned()),
            ],
            Launcher::Mpirun => vec![
                ("OMPI_COMM_WORLD_RANK", rank.clone()),
                ("OMPI_COMM_WORLD_LOCAL_RANK", rank),
                ("OMPI_COMM_WORLD_SIZE", size.clone()),
                ("OMPI_COMM_WORLD_LOCAL_SIZE", size),
            ],
            _ => vec![("RANK", rank), ("WORLD_SIZE", size), ("MASTER_ADDR", "127.0.0.1".to_owned())],
        }
    }

    pub fn spawn(&mut self, rank: usize, mut command: Command) {
        let said =
            File::options().read(true).append(true).create(true).open(self.path(&format!("said{rank}"))).unwrap();
        command.env("TOKEN_OF_TEST", &self.token).env("OMP_NUM_THREADS", "1").current_dir(&self.folder);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        self.without.iter().for_each(|name| _ = command.env_remove(name));
        if rank == 1 {
            command.envs(self.of_rank_1.clone());
            self.folder_of_rank_1.iter().for_each(|folder| _ = command.current_dir(self.folder.path().join(folder)));
        }
        // the test is not in the group of the processes
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said.try_clone().unwrap());
        self.children.push((command.spawn().unwrap(), said));
    }

    pub fn pid(&self, rank: usize) -> u32 {
        self.children[rank].0.id()
    }

    /// Waits until the fault has happened.
    pub fn wait_for_fault(&mut self) {
        let begun = Instant::now();
        while !self.path("fault").exists() {
            assert!(begun.elapsed() < LONGEST, "no fault");
            assert!(self.are_running(), "ended without a fault: {:?}", self.said());
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a process that the test has started has ended.
    pub fn wait_for(&mut self, process: usize) {
        let begun = Instant::now();
        while self.children[process].0.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < LONGEST, "process {process} did not end: {:?}", self.said());
            sleep(Duration::from_millis(5));
        }
    }

    /// Releases a process whose fault is `hold`.
    pub fn release(&self) {
        File::create(self.path("released")).unwrap();
    }

    /// What the processes have written.
    pub fn said(&mut self) -> Vec<String> {
        self.children
            .iter_mut()
            .map(|(_, said)| {
                let mut text = Vec::new();
                said.rewind().unwrap();
                said.read_to_end(&mut text).unwrap();
                String::from_utf8_lossy(&text).into_owned()
            })
            .collect()
    }

    /// Writes a checkpoint into the folder, by one process.
    pub fn trained(self) -> Self {
        self.trained_in("", 1)
    }

    /// As [`trained`](Self::trained), in a folder within that of the processes.
    pub fn trained_in(self, folder: &str, epochs: usize) -> Self {
        fs::create_dir_all(self.path(folder)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_faulty_ranks"));
        command
            .args(["fit", "--data.samples", "4", "--max-epochs", &epochs.to_string()])
            .current_dir(self.path(folder));
        assert!(command.output().unwrap().status.success());
        self
    }

    /// Starts the processes, and waits for their end.
    pub fn run(mut self, arguments: &str) -> Ended {
        self.start(arguments);
        self.end(None)
    }

    /// As [`run`](Self::run), with other arguments for rank 1.
    pub fn run_each(mut self, arguments: &str, of_rank_1: &str) -> Ended {
        self.start_each(arguments, of_rank_1);
        self.end(None)
    }

    /// Waits for the end of all processes but those that are stopped, which are killed. The time counts from `fault`, or else from the fault
    /// of the program.
    ///
    /// # Panics
    /// If one does not end.
    pub fn end(mut self, fault: Option<SystemTime>) -> Ended {
        let begun = Instant::now();
        while self.are_running() {
            if begun.elapsed() > LONGEST {
                let left = processes(&self.token);
                left.iter().for_each(|process| kill(process.0));
                panic!("{left:?} did not end: {:#?}", self.said());
            }
            sleep(Duration::from_millis(10));
        }
        let ended = SystemTime::now();
        processes(&self.token).iter().for_each(|process| kill(process.0));
        let said = self.said();
        let codes = self.children.iter_mut().map(|(child, _)| code(child)).collect();
        let fault = fault.or_else(|| {
            let text = fs::read_to_string(self.path("fault")).ok()?;
            let milliseconds: u64 = text.lines().last()?.parse().ok()?;
            Some(UNIX_EPOCH + Duration::from_millis(milliseconds))
        });
        let seconds = fault.map_or(0.0, |fault| ended.duration_since(fault).unwrap_or_default().as_secs_f64());
        let was_killed = self.variables.iter().any(|(_, value)| value == "kill" || value == "abort");
        let half_written =
            files(self.folder.path()).into_iter().find(|path| path.to_string_lossy().contains("/.incoming-"));
        assert!(half_written.is_none() || was_killed, "{half_written:?} {said:#?}");
        Ended { codes, said, seconds }
    }

    /// Whether a process runs, in any state but stopped. Those that the test has started are asked first, as the others are looked for among
    /// all processes of the machine.
    fn are_running(&mut self) -> bool {
        let runs = |state: char| !"TZX".contains(state);
        let mut children = self.children.iter_mut().map(|(child, _)| child);
        children.any(|child| child.try_wait().unwrap().is_none() && state(child.id()).is_some_and(runs))
            || processes(&self.token).into_iter().any(|(_, state)| runs(state))
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        processes(&self.token).iter().for_each(|process| kill(process.0));
        self.children.iter_mut().for_each(|(child, _)| _ = child.wait());
    }
}

impl Ended {
    /// All that was written.
    pub fn all(&self) -> String {
        self.said.concat()
    }

    /// The errors with which the processes ended.
    pub fn errors(&self) -> Vec<String> {
        let all = self.all();
        let errors = all.lines().filter_map(|line| {
            line.strip_prefix("[rank ").map_or(Some(line), |line| line.split_once("] ").map(|(_, line)| line))
        });
        errors.filter_map(|line| line.strip_prefix("error: ")).map(str::to_owned).collect()
    }
}

/// Returns arguments, in which `STRATEGY` stands for `ddp` with a short timeout.
fn split(arguments: &str) -> Vec<String> {
    let strategy = |argument| match argument {
        "STRATEGY" => "{name: ddp, timeout: 5s}",
        "LONG" => "{name: ddp, timeout: 50s}",
        "DIFFERING" => "{name: ddp, compare_parameters: false}",
        _ => argument,
    };
    arguments.split_whitespace().map(strategy).map(str::to_owned).collect()
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

pub fn python() -> PathBuf {
    let home = std::env::var("HOME").unwrap();
    Path::new(&home).join(".cache/tch-lightning/python-2.13.0-cpu/bin/python")
}

pub fn signal(pid: u32, name: &str) -> SystemTime {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
    SystemTime::now()
}

/// Sends a signal to the process group that this process leads.
pub fn signal_group(pid: u32, name: &str) -> SystemTime {
    assert!(Command::new("kill").args([name, "--", &format!("-{pid}")]).status().unwrap().success());
    SystemTime::now()
}

fn kill(pid: u32) {
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
}

fn code(child: &mut Child) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    let status = child.wait().unwrap();
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// The processes with the token in their environment, and their states.
pub fn processes(token: &str) -> Vec<(u32, char)> {
    let entries =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let token = format!("TOKEN_OF_TEST={token}");
    let with_token = entries.filter_map(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        environment.split(|byte| *byte == 0).any(|variable| variable == token.as_bytes()).then_some(())?;
        Some((pid, state(pid)?))
    });
    with_token.collect()
}

/// The state of a process, such as `R`.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
