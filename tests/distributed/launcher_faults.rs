//! Faults of what has started the processes, and signals to it: no process is left.

use super::faults::FIT;
use super::ranks::{Ended, Launcher, Ranks, processes, python, signal, signal_group};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// What happens to a launcher.
pub struct LauncherFault {
    pub name: &'static str,
    pub launcher: Launcher,
    act: fn(&Ranks) -> SystemTime,
    /// The exit code of the launcher.
    code: i32,
    /// What all remaining processes say.
    said: &'static str,
}

pub const LAUNCHER_FAULTS: [LauncherFault; 3] = [
    LauncherFault {
        name: "SIGKILL of rank 0, which started the others",
        launcher: Launcher::Own,
        act: |ranks| signal(ranks.pid(0), "-KILL"),
        code: 137,
        said: "",
    },
    LauncherFault {
        name: "Ctrl-C to the process group",
        launcher: Launcher::Own,
        act: |ranks| signal_group(ranks.pid(0), "-INT"),
        code: 130,
        said: "interrupted by SIGINT",
    },
    LauncherFault {
        name: "SIGKILL of torchrun",
        launcher: Launcher::Torchrun,
        act: |ranks| signal(ranks.pid(0), "-KILL"),
        code: 137,
        said: "the launcher, which kept the connection of the processes at 127.0.0.1",
    },
];

/// A run in which nothing happens by itself.
fn slow_run(launcher: Launcher, place: &str) -> Ranks {
    // the file of the fault shows that the run has come to its place
    let mut ranks =
        Ranks::new(launcher, 2).trained().fault("none", place, 1).with("SLOW", 20).with("SLOW_VALIDATION", 50);
    ranks.start(if place == "prediction" { "predict --strategy STRATEGY --data.samples 800" } else { FIT });
    ranks.wait_for_fault();
    ranks
}

#[test]
fn signal_to_the_launcher_ends_all() {
    for place in ["training", "validation", "prediction"] {
        for (name, code, said) in [("-TERM", 143, "interrupted by SIGTERM"), ("-INT", 130, "interrupted by SIGINT")] {
            let ranks = slow_run(Launcher::Own, place);
            let at = signal(ranks.pid(0), name);
            let ended = ranks.end(Some(at));
            assert_eq!(ended.codes, [code], "{place} {ended:#?}");
            assert_eq!(ended.errors().iter().filter(|error| error.contains(said)).count(), 2, "{place} {ended:#?}");
            let advice = ended.errors().iter().filter(|error| error.contains("no checkpoint was written")).count();
            assert_eq!(advice, usize::from(place != "prediction"), "{place} {ended:#?}");
            assert!(ended.seconds < 10.0, "{ended:#?}");
        }
    }
}

#[test]
fn killed_launcher_leaves_no_process() {
    for place in ["training", "validation", "prediction"] {
        let ranks = slow_run(Launcher::Own, place);
        let at = signal(ranks.pid(0), "-KILL");
        let ended = ranks.end(Some(at));
        assert_eq!(ended.codes, [137]);
        assert!(ended.seconds < 10.0, "{ended:#?}");
    }
    // a process that waits for nothing
    let mut ranks = Ranks::new(Launcher::Own, 2).fault("sleep", "training", 1);
    ranks.start(FIT);
    ranks.wait_for_fault();
    let at = signal(ranks.pid(0), "-KILL");
    assert!(ranks.end(Some(at)).seconds < 10.0);
}

#[test]
fn killed_launcher_leaves_no_stopped_process() {
    let mut ranks = Ranks::new(Launcher::Own, 2).fault("stop", "training", 1);
    ranks.start(FIT);
    ranks.wait_for_fault();
    let states = || -> Vec<char> { processes(&ranks.token).into_iter().map(|(_, state)| state).collect() };
    let begun = Instant::now();
    while !states().contains(&'T') {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", states());
        sleep(Duration::from_millis(10));
    }
    signal(ranks.pid(0), "-KILL");
    let begun = Instant::now();
    // that of the launcher is left until it is waited for
    while states().iter().any(|state| !"ZX".contains(*state)) {
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", states());
        sleep(Duration::from_millis(10));
    }
}

/// Does it to a run, and fails unless all processes end as they should.
pub fn run(fault: &LauncherFault) -> Ended {
    let ranks = slow_run(fault.launcher, "training");
    let at = (fault.act)(&ranks);
    let ended = ranks.end(Some(at));
    let context = format!("{}: {ended:#?}", fault.name);
    assert_eq!(ended.codes, [fault.code], "{context}");
    let errors = ended.errors();
    // nobody reads what the others write if rank 0 has started them and is gone
    let said = if fault.said.is_empty() { 0 } else { 2 };
    assert_eq!(errors.iter().filter(|error| error.contains(fault.said)).count(), said, "{context}");
    assert!(ended.seconds < 10.0, "{context}");
    ended
}

#[test]
fn launcher_that_fails_leaves_no_process() {
    for fault in LAUNCHER_FAULTS.iter().filter(|fault| fault.code != 137 || python().exists()) {
        run(fault);
    }
}
