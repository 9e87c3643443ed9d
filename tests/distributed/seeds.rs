//! The seed of all processes, by which their samples are divided.

use super::ranks::{Launcher, Ranks, python};
use std::fs;

/// The samples that a rank trained on, in order.
fn samples(said: &str, rank: usize) -> Vec<usize> {
    let mark = format!("samples on rank {rank}: ");
    let lines = said.lines().filter_map(|line| line.split_once(&mark));
    lines.flat_map(|(_, samples)| samples.split(' ').map(|sample| sample.parse().unwrap())).collect()
}

fn of_both(said: &str) -> [Vec<usize>; 2] {
    [0, 1].map(|rank| samples(said, rank))
}

const FIT: &str = "fit --strategy STRATEGY --max-epochs 1 --data.samples 52";

#[test]
fn random_seed_is_that_of_all_ranks() {
    for launcher in [Launcher::Own, Launcher::Hand, Launcher::Torchrun] {
        if matches!(launcher, Launcher::Torchrun) && !python().exists() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let run = |arguments: &str| {
            let arguments = format!("{arguments} --default-root-dir {}", folder.path().display());
            let ended = Ranks::new(launcher, 2).with("SHOW_SAMPLES", 1).run(&arguments);
            assert!(ended.codes.iter().all(|code| *code == 0), "{launcher:?} {ended:#?}");
            of_both(&ended.all())
        };
        let order = run(&format!("{FIT} --seed-everything random"));
        let mut all = order.concat();
        all.sort_unstable();
        assert_eq!(all, (0..52).collect::<Vec<_>>(), "{launcher:?} {order:?}");
        // the saved file has the number, and so repeats the run
        let saved = folder.path().join("lightning_logs/version_0/config.yaml");
        let text = fs::read_to_string(&saved).unwrap();
        assert!(text.starts_with("seed_everything: ") && !text.starts_with("seed_everything: random"), "{text}");
        // torchrun starts as many processes, and the file names none
        assert_eq!(run(&format!("fit --config {}", saved.display())), order, "{launcher:?}");
    }
}

/// Loaders that the trainer does not divide take the order of rank 0 too, in which a sampler of the user may divide them.
#[test]
fn runs_without_a_seed_have_one_order_on_all_ranks() {
    let run = |seeds: &str| {
        let ended = Ranks::new(Launcher::Own, 2).with("SHOW_SAMPLES", 1).with("FAULT", seeds).run("");
        assert_eq!(ended.codes, [0], "{ended:#?}");
        of_both(&ended.all())
    };
    let [first, second] = run("unseeded");
    assert_eq!(first.len(), 16);
    assert_eq!(first, second);
    assert_ne!(run("unseeded")[0], first, "a run without a seed has a random order");
    let [first, second] = run("seed_of_each_rank");
    assert_eq!(first, second);
}
