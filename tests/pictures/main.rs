//! Makes the pictures of the terminal in `docs`: trains the example `digits` in a pseudo-terminal, and draws the screen.
//!
//! `cargo run -p tests --bin pictures`, or `… -- watch` for one of them, needs the program next to it, `cargo build -p examples --bin digits`, and Chromium.

mod svg;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tests::pseudo_terminal::PseudoTerminal;

/// How long a program may take to show a text.
const PATIENCE: Duration = Duration::from_secs(180);

/// A picture in `docs`.
struct Picture {
    name: &'static str,
    columns: u16,
    rows: u16,
    /// The arguments of a run that ends before.
    before: Option<&'static str>,
    arguments: &'static str,
    /// The texts on the screen at which the picture is taken, after a moment.
    at: [&'static str; 2],
    moment: Duration,
}

const PICTURES: [Picture; 3] = [
    Picture {
        name: "progress_bar",
        columns: 110,
        rows: 6,
        before: None,
        arguments: "fit --max-epochs 5 --batch-size 8 --enable-model-summary false",
        at: ["epoch 3/4", "validation ━━━"],
        moment: Duration::ZERO,
    },
    Picture {
        name: "dashboard",
        columns: 120,
        rows: 34,
        before: None,
        arguments: "fit --dashboard --max-epochs 12 --batch-size 32 --log-every-n-steps 2 --lr-monitor",
        at: [" 8/11", "val_acc"],
        moment: Duration::from_millis(700),
    },
    Picture {
        name: "watch",
        columns: 120,
        rows: 34,
        before: Some("fit --max-epochs 8 --batch-size 32 --log-every-n-steps 2 --lr-monitor"),
        arguments: "watch lightning_logs/version_0",
        at: ["finished", "lr-AdamW"],
        moment: Duration::from_millis(700),
    },
];

fn main() -> Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the package is in a workspace")?.join("docs");
    let program = std::env::current_exe()?.with_file_name("digits");
    ensure!(program.exists(), "{} is missing: run cargo build -p examples --bin digits", program.display());
    let names: Vec<String> = std::env::args().skip(1).collect();
    for picture in PICTURES.iter().filter(|picture| names.is_empty() || names.iter().any(|name| name == picture.name)) {
        let screen = picture.take(&program)?;
        let svg = svg::drawn(&screen);
        let path = docs.join(picture.name).with_extension("png");
        render(&svg, &path)?;
        println!("{}, {} kB", path.display(), fs::metadata(&path)?.len() / 1000);
    }
    Ok(())
}

impl Picture {
    /// Runs the program, and returns its screen.
    fn take(&self, program: &Path) -> Result<vt100::Screen> {
        let folder = tempfile::tempdir()?;
        let command = |arguments: &str| {
            let mut command = Command::new(program);
            command.args(arguments.split_whitespace()).current_dir(&folder);
            command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
            command
        };
        if let Some(before) = self.before {
            let output = command(before).output()?;
            ensure!(output.status.success(), "{before}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let command = command(self.arguments);
        let terminal = PseudoTerminal::start(command, self.rows, self.columns);
        terminal.wait_for(self.name, |text| text.contains(self.at[0]));
        wait_in_slow_motion(&terminal, self.at[1])?;
        sleep(self.moment);
        Ok(terminal.screen())
    }
}

/// Waits until the screen shows a text, while the program runs for a millisecond at a time: on a fast machine, the text is there for a
/// few milliseconds only, and a bar is not even drawn so often.
fn wait_in_slow_motion(terminal: &PseudoTerminal, wanted: &str) -> Result<()> {
    let program = Pid::from_raw(i32::try_from(terminal.id())?).context("a process")?;
    let since = Instant::now();
    while !terminal.text().contains(wanted) {
        ensure!(since.elapsed() < PATIENCE, "the screen does not show `{wanted}`:\n{}", terminal.text());
        kill_process(program, Signal::CONT)?;
        sleep(Duration::from_millis(1));
        kill_process(program, Signal::STOP)?;
        // a bar is drawn ten times a second at most
        sleep(Duration::from_millis(20));
    }
    Ok(kill_process(program, Signal::CONT)?)
}

/// Renders a drawing by Chromium.
fn render(svg: &svg::Drawing, path: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let page: PathBuf = folder.path().join("page.html");
    let body = &svg.text;
    fs::write(&page, format!("<!doctype html><meta charset=utf-8><body style=\"margin:0;background:#fff\">{body}"))?;
    let status = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1.25"])
        .arg(format!("--window-size={},{}", svg.width, svg.height))
        .arg(format!("--screenshot={}", path.display()))
        .arg(format!("file://{}", page.display()))
        .stderr(std::process::Stdio::null())
        .status()
        .context("cannot run chromium")?;
    if !status.success() {
        bail!("chromium failed: {status}");
    }
    Ok(())
}
