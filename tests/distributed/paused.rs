//! Processes that are stopped and continue, and those that lose rank 0.

use super::faults::FIT;
use super::processes::side_by_side;
use super::ranks::{Launcher, Ranks, signal};
use std::thread::sleep;
use std::time::Duration;

/// Two processes in training, which has 3 epochs of 16 steps, of 40 ms each.
fn in_training() -> Ranks {
    let mut ranks = Ranks::new(Launcher::Hand, 2).fault("none", "training", 1).with("SLOW", 40);
    ranks.start(FIT);
    ranks.wait_for_fault();
    ranks
}

fn pause(ranks: &Ranks, rank: usize, time: Duration) {
    signal(ranks.pid(rank), "-STOP");
    sleep(time);
    signal(ranks.pid(rank), "-CONT");
}

#[test]
fn process_that_is_stopped_for_less_than_the_timeout_continues_with_the_others() {
    side_by_side([0, 1], |rank| {
        let ranks = in_training();
        pause(&ranks, rank, Duration::from_secs(3));
        let ended = ranks.end(None);
        assert_eq!(ended.codes, [0, 0], "{rank}: {ended:#?}");
    });
}

#[test]
fn process_that_is_stopped_for_longer_is_named_by_all_when_it_continues() {
    // the longest first, so that none is left for the end
    let cases = [0, 1].into_iter().flat_map(|rank| [12, 9, 7].map(|seconds| (rank, seconds)));
    side_by_side(cases, |(rank, seconds)| {
        let ranks = in_training();
        pause(&ranks, rank, Duration::from_secs(seconds));
        let ended = ranks.end(None);
        assert_eq!(ended.codes, [1, 1], "{rank} for {seconds} s: {ended:#?}");
        let errors = ended.errors();
        println!("rank {rank} for {seconds} s: {errors:#?}");
        assert_eq!(errors.len(), 2, "{rank} for {seconds} s: {ended:#?}");
        for error in &errors {
            let ours = error.split(": [").next().unwrap();
            for raw in ["gloo", "pair.cc", "Connection closed"] {
                assert!(!ours.contains(raw), "{rank} for {seconds} s: {ended:#?}");
            }
        }
    });
}

#[test]
fn process_that_is_held_up_ends_after_rank_zero_was_killed() {
    let mut ranks = Ranks::new(Launcher::Hand, 2).fault("sleep", "training", 1);
    ranks.start(FIT);
    ranks.wait_for_fault();
    let at = signal(ranks.pid(0), "-KILL");
    let ended = ranks.end(Some(at));
    assert_eq!(ended.codes, [137, 1], "{ended:#?}");
    let said = "rank 0 on ";
    assert!(ended.errors()[0].contains(said) && ended.errors()[0].contains("does not respond"), "{ended:#?}");
    // the timeout of 5 s, and a time in which the process could have ended by itself
    assert!(ended.seconds < 15.0, "{ended:#?}");
}
