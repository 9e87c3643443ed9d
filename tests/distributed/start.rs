//! Mistakes and faults at the start of several processes: each is one sentence within the time, and no process is left.

use super::ranks::{Ended, Launcher, Ranks, signal};
use std::net::TcpListener;
use std::thread::sleep;
use std::time::{Duration, Instant};

const FIT: &str = "fit --strategy STRATEGY --max-epochs 1";

/// As [`FIT`], where ranks wait for the test.
const FIT_WITH_TIME: &str = "fit --strategy LONG --max-epochs 1";

/// What a run may need more than its `timeout` of 5 seconds, on a machine with other work: to begin, to find out who is missing, and to tell the
/// others.
const MORE: Duration = Duration::from_secs(20);

/// Runs ranks, which must end soon after the `timeout`.
fn run(ranks: Ranks, arguments: &str) -> Ended {
    run_each(ranks, arguments, arguments)
}

fn run_each(ranks: Ranks, arguments: &str, of_rank_1: &str) -> Ended {
    let begun = Instant::now();
    let ended = ranks.run_each(arguments, of_rank_1);
    assert!(begun.elapsed() < Duration::from_secs(5) + MORE, "{:?} {ended:#?}", begun.elapsed());
    ended
}

fn by_hand(processes: usize) -> Ranks {
    Ranks::new(Launcher::Hand, processes)
}

/// Fails unless all processes ended with code 1 and one of these errors each, in the order of the ranks.
fn check(ended: &Ended, errors: &[&str]) {
    assert!(ended.codes.iter().all(|code| *code == 1), "{ended:#?}");
    assert_eq!(ended.errors(), errors, "{ended:#?}");
}

#[test]
fn port_of_another_program_is_named() {
    // the system accepts connections for it, and it never answers
    let program = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = program.local_addr().unwrap().port();
    check(
        &run(by_hand(2).with("MASTER_PORT", port), FIT),
        &[
            &format!(
                "rank 0 cannot wait for the others at port {port}: another program uses it: set MASTER_PORT to a free port, for all processes"
            ),
            &format!(
                "rank 0 cannot be reached at 127.0.0.1:{port}: a program uses that port, but does not answer as rank 0: if it is another \
                 program, set MASTER_PORT to a free port, for all processes"
            ),
        ],
    );
}

#[test]
fn many_ranks_that_do_not_start_are_named_in_time() {
    let ended = run(by_hand(2).with("WORLD_SIZE", 2_000), FIT);
    assert_eq!((ended.codes.as_slice(), ended.errors().len()), (&[1, 1][..], 2), "{ended:#?}");
    // one of them may get the error from the other
    let missing = "ranks 2 to 1999 did not start within 5 s: see the output of their processes";
    assert!(ended.errors().iter().all(|error| error.ends_with(missing)), "{ended:#?}");
}

#[test]
fn devices_that_are_not_there_start_no_process() {
    for (devices, said) in
        [(999_999, "`devices` is 999999, but this machine has "), (usize::MAX, "`devices` is 18446744073709551615")]
    {
        let ended = run(Ranks::new(Launcher::Own, devices), FIT);
        assert_eq!((ended.codes.as_slice(), ended.errors().len()), (&[1][..], 1), "{ended:#?}");
        assert!(ended.errors()[0].starts_with(said), "{ended:#?}");
        assert!(!ended.all().contains("[rank "), "{ended:#?}");
    }
}

#[test]
fn environment_that_contradicts_itself_does_not_run_alone() {
    for (name, value, said) in [
        ("WORLD_SIZE", "0", "WORLD_SIZE is `0`, but it must be a number from 1 to 16384"),
        ("WORLD_SIZE", "abc", "WORLD_SIZE is `abc`, but it must be a number from 1 to 16384"),
        ("RANK", "3", "RANK is 3, but WORLD_SIZE is 1: ranks are counted from 0, so that the largest is 0"),
        (
            "RANK",
            "",
            "WORLD_SIZE is 2, but RANK is not set: set RANK to the number of this process, from 0, or remove WORLD_SIZE",
        ),
    ] {
        // one process, of which the variables are those of one or two
        let ranks = if value.is_empty() { by_hand(1).with("WORLD_SIZE", 2) } else { by_hand(1) };
        check(&run(ranks.with(name, value), FIT), &[&format!("the environment of this process is invalid: {said}")]);
    }
}

#[test]
fn network_that_a_rank_does_not_have_is_named_by_all() {
    let said = "GLOO_SOCKET_IFNAME is `eth77`, but this machine has no network interface of that name with an address: it has ";
    let ended = run(by_hand(2).with_on_rank_1("GLOO_SOCKET_IFNAME", "eth77"), FIT);
    assert_eq!((ended.codes.as_slice(), ended.errors().len()), (&[1, 1][..], 2), "{ended:#?}");
    assert!(ended.errors()[0].starts_with("rank 1 on ") && ended.errors()[0].contains(said), "{ended:#?}");
    assert!(ended.errors()[1].starts_with(said), "{ended:#?}");
}

#[test]
fn rank_that_is_started_twice_does_not_disturb_the_run() {
    // the third process has rank 1 as well, and comes while the two are in training
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut ranks = by_hand(2).fault("hold", "training", 1).with("MASTER_PORT", port);
    ranks.start(FIT_WITH_TIME);
    ranks.wait_for_fault();
    ranks.start_again(1, FIT_WITH_TIME);
    ranks.wait_for(2);
    ranks.release();
    let ended = ranks.end(None);
    assert_eq!(ended.codes, [0, 0, 1], "{ended:#?}");
    let errors = ended.errors();
    assert_eq!(errors.len(), 1, "{ended:#?}");
    assert!(errors[0].starts_with("rank 1 was started twice, on "), "{ended:#?}");
}

#[test]
fn rank_that_ends_before_the_run_is_named_at_once() {
    for (exit, said) in
        [(0, "the process ended with exit code 0 before it came to the run"), (3, "the process ended with exit code 3")]
    {
        let ended = run(Ranks::new(Launcher::Own, 2).fault("early_exit", "", 1).with("EXIT", exit), FIT);
        assert_eq!((ended.codes.as_slice(), ended.errors().len()), (&[1][..], 1), "{ended:#?}");
        assert!(ended.errors()[0].starts_with("rank 1 on ") && ended.errors()[0].ends_with(said), "{ended:#?}");
    }
}

#[test]
fn rank_with_a_wrong_flag_is_missing_after_the_timeout() {
    let ended = run_each(by_hand(2), FIT, "fit --wrong");
    assert_eq!(ended.codes, [1, 2], "{ended:#?}");
    assert_eq!(ended.errors()[0], "rank 1 did not start within 5 s: see the output of its process", "{ended:#?}");
}

#[test]
fn rank_zero_that_is_stopped_at_the_start_is_named() {
    // it waits for rank 2, which does not come
    let mut ranks = by_hand(3).without(2);
    ranks.start(FIT);
    let begun = Instant::now();
    while !ranks.said().concat().contains("waiting for rank 2") {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:#?}", ranks.said());
        sleep(Duration::from_millis(20));
    }
    let at = signal(ranks.pid(0), "-STOP");
    let ended = ranks.end(Some(at));
    assert_eq!(ended.codes[1], 1, "{ended:#?}");
    let errors = ended.errors();
    assert_eq!(errors.len(), 1, "{ended:#?}");
    assert!(
        errors[0].starts_with("rank 0 on 127.0.0.1 does not respond to this process, which waits in starting the run"),
        "{ended:#?}"
    );
    assert!(ended.seconds < 20.0, "{ended:#?}");
}

#[test]
fn rank_that_cannot_write_to_its_folder_needs_none() {
    // nobody can create a file there
    let ended = run(by_hand(2).folder_of_rank_1("/proc"), FIT);
    assert_eq!(ended.codes, [0, 0], "{ended:#?}");
}

#[test]
fn ranks_that_start_from_different_checkpoints_are_refused() {
    // of the same name, as on a disk of each machine
    let ranks = by_hand(2).trained().trained_in("other", 2).folder_of_rank_1("other");
    for (folder, checkpoint) in [("", "epoch=0-step=2.ckpt"), ("other", "epoch=1-step=4.ckpt")] {
        let folder = ranks.path(folder);
        let from = folder.join("lightning_logs/version_0/checkpoints").join(checkpoint);
        std::fs::copy(from, folder.join("same.ckpt")).unwrap();
    }
    let ended = run(ranks, "fit --strategy STRATEGY --ckpt-path same.ckpt --max-epochs 4");
    assert_eq!(ended.codes, [1, 1], "{ended:#?}");
    assert_eq!(ended.errors().len(), 2, "{ended:#?}");
    for error in ended.errors() {
        assert!(error.starts_with("rank 1 on "), "{error}");
        for said in [
            " starts from same.ckpt (epoch 2, step 4, checksum ",
            ", and rank 0 from same.ckpt (epoch 1, step 2, checksum ",
            "let all processes start from the same file",
        ] {
            assert!(error.contains(said), "`{said}` {error}");
        }
    }
}
