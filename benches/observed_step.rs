//! What loggers, the progress bar and the profiler add to a training step of a 32-64-2 MLP (batch 16, AdamW, one thread).

use benches::{BATCH, Mlp, Rows, SharedSteps, rows};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::stdio::{dup2_stderr, stderr};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::thread::{self, JoinHandle};
use tch_lightning::device::Accelerator;
use tch_lightning::prelude::*;
use tch_lightning::profiler::Profiler;
use tch_lightning::trainer::LoggerConfig;
use tch_lightning::{Loaders, seed_everything};

/// The steps of a turn, an epoch. It is long enough for the bar to be drawn several times.
const STEPS: usize = 4096;
const TURNS: usize = 31;

/// `cargo bench --bench observed_step -- 3 profiler` measures three turns of the peers whose names contain `profiler`.
fn main() -> Result<()> {
    let (turns, arguments) = benches::arguments(TURNS)?;
    let filter = arguments.first().map_or("", String::as_str);
    tch::set_num_threads(1);
    seed_everything(0);
    let rows = rows((STEPS * BATCH) as i64);
    let plain = || TrainerConfig::default().logger(false).enable_progress_bar(false);
    let peers = [
        Peer::new("the trainer alone", plain()),
        Peer::new("the same again", plain()),
        Peer::new("CSV logger", plain().logger(LoggerConfig::Csv { folder: None })),
        Peer::new("TensorBoard logger", plain().logger(LoggerConfig::TensorBoard { folder: None })),
        Peer::new("progress bar", plain().enable_progress_bar(true)),
        Peer::new("profiler simple", plain().profiler(Profiler::Simple)),
    ];
    let peers: Vec<Peer> = peers
        .into_iter()
        .enumerate()
        .filter(|(index, peer)| *index == 0 || peer.name.contains(filter))
        .map(|(_, peer)| peer)
        .collect();
    let terminal = Terminal::as_stderr()?;
    for turn in 0..turns {
        // each peer is at each place equally often
        for place in 0..peers.len() {
            peers[(turn + place) % peers.len()].fit(&rows)?;
        }
    }
    let bars = terminal.close()?;
    if bars < turns && peers.iter().any(|peer| peer.config.enable_progress_bar) {
        bail!("the progress bar was drawn only {bars} times");
    }
    println!(
        "a training step of a 32-64-2 MLP, batch {BATCH}, AdamW, one thread of the CPU, a row logged each 50 steps"
    );
    println!("{:22} {:>9} {:>11} {:>15}", "", "mean µs", "of the mean", "of the median");
    let alone = peers[0].steps.borrow();
    for peer in &peers {
        let steps = peer.steps.borrow();
        let [mean, median] = [steps.ratio_of_means(&alone), steps.ratio(&alone)];
        println!("{:22} {:9.1} {mean:11.3} {median:15.3}", peer.name, steps.mean());
    }
    Ok(())
}

/// A trainer's configuration, with its step times.
struct Peer {
    name: &'static str,
    config: TrainerConfig,
    steps: SharedSteps,
}

impl Peer {
    fn new(name: &'static str, config: TrainerConfig) -> Self {
        Self { name, config, steps: SharedSteps::default() }
    }

    /// Trains a new network for an epoch.
    fn fit(&self, (inputs, classes): &Rows) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let config = self.config.clone().accelerator(Accelerator::Cpu).max_epochs(1).enable_model_summary(false);
        let config = TrainerConfig { default_root_dir: folder.path().to_owned(), ..config };
        let dataset = TensorDataset::new((inputs.shallow_clone(), classes.shallow_clone()))?;
        let loader = DataLoader::new(dataset).batch_size(BATCH).shuffle(true);
        Trainer::new(config).fit(&mut Mlp::new(Device::Cpu, &self.steps), Loaders::train(loader))?;
        self.steps.borrow_mut().end_turn();
        Ok(())
    }
}

/// A terminal in place of stderr, as the progress bar is drawn only on one. Reads what is written to it.
struct Terminal {
    stderr: rustix::fd::OwnedFd,
    reader: JoinHandle<usize>,
}

impl Terminal {
    fn as_stderr() -> Result<Self> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        tcsetwinsize(&controller, Winsize { ws_row: 50, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 })?;
        let name = ptsname(&controller, Vec::new())?;
        let terminal = File::options().read(true).write(true).open(OsStr::from_bytes(name.to_bytes()))?;
        let stderr = stderr().try_clone_to_owned()?;
        dup2_stderr(&terminal)?;
        let reader = thread::spawn(move || {
            let (mut controller, mut bars, mut part) = (File::from(controller), 0, [0; 65_536]);
            // it fails when the terminal is closed
            while let Ok(length @ 1..) = controller.read(&mut part) {
                bars += String::from_utf8_lossy(&part[..length]).matches("epoch 0").count();
            }
            bars
        });
        Ok(Self { stderr, reader })
    }

    /// Restores stderr, and returns how often the bar was drawn.
    fn close(self) -> Result<usize> {
        dup2_stderr(&self.stderr)?;
        self.reader.join().map_err(|_| anyhow!("the reader of the terminal has panicked"))
    }
}
