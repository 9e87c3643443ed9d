//! Kills a training again and again, at random instants: `kill_test --kills 40 --seed 1`. It is resumed each time, and must end with
//! the weights and the rows of one that nobody disturbed, bit for bit.

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Parser, Subcommand};
use rustix::process::{Pid, Signal};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tch_lightning::{Every, checkpoint::Checkpoint};
use tests::resume::{Trace, Training, checkpoints};

const SEED_OF_TRAINING: i64 = 5;
const EPOCHS: i64 = 30;
/// What a child says when its training begins.
const BEGUN: &str = "training";

#[derive(Parser)]
struct Arguments {
    /// How often to kill
    #[arg(long, default_value_t = 40)]
    kills: usize,
    /// What decides the instants
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Train with stochastic weight averaging and an exponential moving average too
    #[arg(long)]
    averages: bool,
    /// Train with this number of processes, of which a random one is killed, or all, or the first gets SIGTERM
    #[arg(long, default_value_t = 1)]
    devices: usize,
    #[command(subcommand)]
    child: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Trains, in the folder given
    Train { folder: PathBuf },
}

fn main() -> Result<()> {
    tch_lightning::__testing::skip_static_destructors();
    let arguments = Arguments::parse();
    match arguments.child {
        Some(Role::Train { folder }) => train(&folder, arguments.averages, arguments.devices),
        None => {
            kill(arguments.kills, arguments.seed, &Kind { averages: arguments.averages, devices: arguments.devices })
        }
    }
}

/// What is trained.
struct Kind {
    averages: bool,
    devices: usize,
}

/// Trains, or resumes from the newest checkpoint in the folder, and writes the weights there.
fn train(folder: &Path, averages: bool, devices: usize) -> Result<()> {
    tch_lightning::prelude::tch::set_num_threads(1);
    let kept = folder.join("checkpoints");
    let newest = newest(&kept)?;
    let begun = newest.as_ref().map_or(0, |(batch, _)| *batch);
    println!("{BEGUN} {begun}");
    std::io::stdout().flush()?;
    let weights = Training {
        seed: SEED_OF_TRAINING + begun,
        epochs: EPOCHS,
        trace: &Trace::with_rows(&folder.join("rows"))?,
        checkpoints: checkpoints(&kept).every(Every::Batches(4)).save_top_k(1),
        // by turns
        async_checkpointing: begun % 8 == 0,
        averages,
        after: newest.as_ref().map(|(_, path)| path.as_path()),
        devices,
    }
    .run()?;
    // the file of rank 0 is `weights`
    let rank = std::env::var("RANK").ok().filter(|rank| rank != "0");
    let name = rank.map_or("weights".to_owned(), |rank| format!("weights-of-{rank}"));
    Ok(fs::write(folder.join(name), format!("{weights:?}"))?)
}

/// The checkpoint of the latest batch, with the number of that batch.
fn newest(folder: &Path) -> Result<Option<(i64, PathBuf)>> {
    let Ok(files) = fs::read_dir(folder) else { return Ok(None) };
    let mut found = Vec::new();
    for file in files {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some((_, batch)) = name.split_once("batch=").filter(|_| !name.starts_with('.')) {
            // a damaged checkpoint is what must never be found
            Checkpoint::verify(&path)?;
            found.push((batch.parse::<f64>()? as i64, path));
        }
    }
    Ok(found.into_iter().max())
}

struct Running {
    child: Child,
    /// The batch after which it goes on.
    begun: String,
}

fn start(folder: &Path, kind: &Kind) -> Result<Running> {
    fs::create_dir_all(folder)?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(kind.averages.then_some("--averages"))
        .args(["--devices", &kind.devices.to_string()])
        .arg("train")
        .arg(folder)
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut line = String::new();
    let output = child.stdout.take().context("a child without an output")?;
    BufReader::new(output).read_line(&mut line)?;
    match line.trim().strip_prefix(BEGUN) {
        Some(begun) => Ok(Running { child, begun: begun.trim().to_owned() }),
        None => bail!("a training could not begin: {}", child.wait()?),
    }
}

/// The processes that a process has started.
fn started_by(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn signal(pids: &[u32], signal: Signal) {
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)) {
        // one that has just ended needs none
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Ends a training in a random way, and waits for the end of all its processes. Returns what was done.
fn disturb(mut child: Child, random: &mut fastrand::Rng) -> Result<&'static str> {
    let (first, others) = (child.id(), started_by(child.id()));
    let way = if others.is_empty() { 0 } else { random.usize(0..4) };
    let done = match way {
        0 => {
            child.kill()?;
            "SIGKILL"
        }
        1 => {
            signal(&others, Signal::KILL);
            "SIGKILL of the other rank"
        }
        2 => {
            signal(&[&[first], others.as_slice()].concat(), Signal::KILL);
            "SIGKILL of both ranks"
        }
        _ => {
            signal(&[first], Signal::TERM);
            "SIGTERM"
        }
    };
    child.wait()?;
    let begun = Instant::now();
    while others.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
        ensure!(begun.elapsed() < Duration::from_secs(30), "a process does not end after {done}");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(done)
}

/// What a finished training has left: its weights, and each of its rows.
fn left_in(folder: &Path, kind: &Kind) -> Result<(String, BTreeSet<String>)> {
    let mut weights = fs::read_to_string(folder.join("weights"))?;
    // their parameters are the same, but each rank has its own running means
    for rank in 1..kind.devices {
        weights += &fs::read_to_string(folder.join(format!("weights-of-{rank}")))?;
    }
    let rows = fs::read_to_string(folder.join("rows"))?;
    Ok((weights, rows.lines().map(str::to_owned).collect()))
}

fn kill(kills: usize, seed: u64, kind: &Kind) -> Result<()> {
    let start_in = |folder: &Path| start(folder, kind);
    let processes = kind.devices;
    println!("seed {seed}: {kills} kills of a training of {EPOCHS} epochs, in {processes} processes");
    let folder = tempfile::tempdir()?;
    let undisturbed = folder.path().join("undisturbed");
    let whole = start_in(&undisturbed)?;
    let begun = Instant::now();
    finish(whole)?;
    // a killed training has most of its way still before it, and some are not killed before their end
    let latest = begun.elapsed().mul_f64(0.6);
    let expected = left_in(&undisturbed, kind)?;
    let mut instants = fastrand::Rng::with_seed(seed);
    let (mut killed, mut round) = (0, 0);
    while killed < kills {
        round += 1;
        let disturbed = folder.path().join(format!("round-{round}"));
        while killed < kills {
            let mut running = start_in(&disturbed)?;
            let instant = latest.mul_f64(instants.f64());
            thread::sleep(instant);
            if let Some(status) = running.child.try_wait()? {
                ensure!(status.success(), "a training that went on after batch {} failed: {status}", running.begun);
                break;
            }
            let done = disturb(running.child, &mut instants)?;
            killed += 1;
            println!("kill {killed}: {done}, {} ms after resuming from batch {}", instant.as_millis(), running.begun);
        }
        if !disturbed.join("weights").exists() {
            finish(start_in(&disturbed)?)?;
        }
        let found = left_in(&disturbed, kind)?;
        ensure!(found.0 == expected.0, "round {round}: the weights differ");
        ensure!(
            found.1 == expected.1,
            "round {round}: the rows differ, as {:?}",
            found.1.symmetric_difference(&expected.1).next()
        );
    }
    println!("{killed} of {kills} kills survived");
    Ok(())
}

fn finish(mut running: Running) -> Result<()> {
    let status = running.child.wait()?;
    ensure!(status.success(), "a training that went on after batch {} failed: {status}", running.begun);
    Ok(())
}
