//! Ranks with different numbers of batches.

use super::launch::weights;
use super::ranks::{Ended, Launcher, Ranks};

/// A value in the table that the verb `test` prints.
fn value(ended: &Ended, name: &str) -> Vec<f64> {
    let all = ended.all();
    let lines = all.lines().filter(|line| line.split_whitespace().any(|word| word == name));
    lines.map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).next_back().unwrap()).collect()
}

fn steps(ended: &Ended, epoch: usize) -> Vec<String> {
    let all = ended.all();
    let of_epoch = all.lines().filter(|line| line.contains(&format!("epoch {epoch} on rank")));
    of_epoch.map(|line| line.split_once("step ").unwrap().1.split(',').next().unwrap().to_owned()).collect()
}

#[test]
fn training_ends_with_the_rank_that_has_the_fewest_batches() {
    // 32 and 29 batches
    let ended = Ranks::new(Launcher::Hand, 2)
        .with("FAULT", "uneven")
        .run("fit --strategy STRATEGY --use-distributed-sampler false --max-epochs 2");
    assert_eq!(ended.codes, [0, 0], "{ended:#?}");
    assert_eq!((steps(&ended, 0), steps(&ended, 1)), (vec!["29".to_owned(); 2], vec!["58".to_owned(); 2]));
    let weights = weights(&ended.all(), 1);
    assert_eq!(weights[0], weights[1]);
}

#[test]
fn stream_is_divided_over_ranks_and_ends_with_the_shortest() {
    // 31 and 30 samples: 16 and 15 batches
    for workers in [0, 1] {
        let arguments =
            format!("fit --strategy STRATEGY --data.stream --data.samples 61 --data.workers {workers} --max-epochs 2");
        let ended = Ranks::new(Launcher::Hand, 2).run(&arguments);
        assert_eq!(ended.codes, [0, 0], "{ended:#?}");
        assert_eq!((steps(&ended, 0), steps(&ended, 1)), (vec!["15".to_owned(); 2], vec!["30".to_owned(); 2]));
        let weights = weights(&ended.all(), 1);
        assert_eq!(weights[0], weights[1]);
    }
    // rank 1 has half of its samples
    let ended = Ranks::new(Launcher::Hand, 2)
        .fault("short", "stream", 1)
        .run("fit --strategy STRATEGY --data.stream --data.samples 61 --max-epochs 1");
    assert_eq!(steps(&ended, 0), vec!["8".to_owned(); 2], "{ended:#?}");
}

#[test]
fn stream_without_a_batch_on_one_rank_is_an_error_on_all() {
    let ended = Ranks::new(Launcher::Hand, 2).run("fit --strategy STRATEGY --data.stream --data.samples 1");
    assert_eq!(ended.codes, [1, 1]);
    let said = "the loader of `train_dataloader` does not have a batch";
    assert!(ended.errors().iter().all(|error| error.contains(said)), "{ended:#?}");
}

#[test]
fn evaluation_counts_each_sample_once_with_different_numbers_of_batches() {
    // 0 to 63 and 0 to 57
    let sum = |below: i64| (below * (below - 1) / 2) as f64;
    let expected = (sum(64) + sum(58)) / (64.0 + 58.0);
    let ended = Ranks::new(Launcher::Hand, 2)
        .trained()
        .with("FAULT", "uneven")
        .run("test --strategy STRATEGY --data.samples 64 --use-distributed-sampler false");
    assert_eq!(ended.codes, [0, 0], "{ended:#?}");
    for (name, expected) in [("mean_metric", expected), ("mean", expected), ("samples", 122.0)] {
        let values = value(&ended, name);
        assert!(!values.is_empty() && values.iter().all(|value| (value - expected).abs() < 1e-4), "{name} {ended:#?}");
    }
}

#[test]
fn evaluation_has_the_values_of_all_if_one_process_has_no_batch() {
    for (verb, processes, empty) in
        [("test", 2, 0), ("test", 2, 1), ("validate", 2, 0), ("validate", 4, 2), ("test", 4, 0), ("predict", 4, 1)]
    {
        let ended = Ranks::new(Launcher::Hand, processes)
            .trained()
            .fault("empty", "", empty)
            .run(&format!("{verb} --strategy STRATEGY --data.samples 8 --use-distributed-sampler false"));
        let context = format!("{verb} with {processes}, {empty}: {ended:#?}");
        assert_eq!(ended.codes, vec![0; processes], "{context}");
        // 0 to 7 on each of the others
        let samples = 8.0 * (processes - 1) as f64;
        for (name, expected) in [("mean_metric", 3.5), ("mean", 3.5), ("samples", samples)] {
            let values = value(&ended, name);
            assert_eq!(values, vec![expected; usize::from(verb != "predict")], "{name} {context}");
        }
    }
}

#[test]
fn repeated_samples_are_warned_of_by_the_verbs_whose_values_they_change() {
    let warning = "cannot be divided among 2 processes, so that 1 of them count twice in logged values";
    for (verb, samples, warns) in [("fit", 7, false), ("validate", 7, true), ("test", 7, true), ("test", 8, false)] {
        let ended = Ranks::new(Launcher::Hand, 2)
            .trained()
            .run(&format!("{verb} --strategy STRATEGY --data.samples {samples}"));
        assert_eq!(ended.codes, [0, 0], "{ended:#?}");
        assert_eq!(ended.all().matches(warning).count(), usize::from(warns), "{verb} {samples} {ended:#?}");
    }
}

#[test]
fn training_without_a_batch_on_one_process_is_an_error_on_all() {
    for empty in [0, 1] {
        let ended = Ranks::new(Launcher::Hand, 2)
            .fault("empty", "", empty)
            .run("fit --strategy STRATEGY --use-distributed-sampler false");
        assert_eq!(ended.codes, [1, 1], "{ended:#?}");
        let said = "the loader of `train_dataloader` does not have a batch";
        assert!(ended.errors().len() == 2 && ended.errors().iter().all(|error| error.contains(said)), "{ended:#?}");
    }
}

#[test]
fn evaluation_of_a_stream_counts_each_sample_once() {
    for processes in [2, 4] {
        for workers in [0, 1, 3] {
            let arguments =
                format!("test --strategy STRATEGY --data.stream --data.samples 61 --data.workers {workers}");
            let ended = Ranks::new(Launcher::Own, processes).trained().run(&arguments);
            assert_eq!(ended.codes, [0], "{ended:#?}");
            for (name, expected) in [("mean_metric", 30.0), ("mean", 30.0), ("samples", 61.0)] {
                let values = value(&ended, name);
                assert!(
                    !values.is_empty() && values.iter().all(|value| (value - expected).abs() < 1e-4),
                    "{name} {ended:#?}"
                );
            }
        }
    }
}
