//! What the seed of a run decides: the order of the data and the random numbers of its samples.

use crate::{MakeLoader, SHUFFLING, Watching, alone, dealt, loader, trainer, values};
use std::path::Path;
use std::process::Command;
use tch_lightning::data::{DistributedSampler, RandomSampler, run_seed};
use tch_lightning::prelude::*;
use tch_lightning::{Every, Loaders, callbacks::ModelCheckpoint, seed_everything};

#[test]
fn seed_everything_decides_the_order_of_loaders_without_a_seed() {
    let _alone = alone();
    for (name, make) in SHUFFLING {
        let seeded = |seed| {
            seed_everything(seed);
            dealt(make())
        };
        let (one, two) = (seeded(1), seeded(2));
        assert_ne!(one, two, "{name}");
        assert_eq!(seeded(1), one, "{name}");
        assert_ne!(one[..one.len() / 2], one[one.len() / 2..], "{name}: epochs differ");
    }
}

#[test]
fn seed_of_a_loader_takes_precedence() {
    let _alone = alone();
    let own: [MakeLoader; 3] = [
        || loader().shuffle(true).seed(9),
        || loader().sampler(RandomSampler::new(48).seed(9)),
        || loader().sampler(RandomSampler::new(48)).seed(9),
    ];
    seed_everything(1);
    let expected = dealt(own[0]());
    for make in own {
        seed_everything(2);
        assert_eq!(dealt(make()), expected);
    }
}

#[test]
fn libtorchs_own_seeding_counts_too() {
    let _alone = alone();
    tch::manual_seed(77);
    assert_eq!(run_seed(), 77);
    let by_tch = dealt(loader().shuffle(true));
    seed_everything(77);
    assert_eq!(dealt(loader().shuffle(true)), by_tch);
    seed_everything(-3);
    assert_eq!(run_seed(), (-3_i64).cast_unsigned());
}

/// Two runs in one process, as in a cross-validation.
#[test]
fn next_run_of_a_process_has_the_same_orders() {
    let _alone = alone();
    seed_everything(5);
    let first = dealt(loader().shuffle(true));
    assert_eq!(dealt(loader().shuffle(true)), first);
}

#[test]
fn validation_data_is_shuffled_by_the_seed_as_well() {
    let _alone = alone();
    let validated = |seed| {
        seed_everything(seed);
        let mut module = Watching::new();
        let data = Loaders::train(loader()).with_validation(loader().shuffle(true));
        trainer(1, Path::new(".")).fit(&mut module, data).unwrap();
        module.validated
    };
    let one = validated(1);
    assert_eq!(validated(1), one);
    assert_ne!(validated(2), one);
}

/// Rows with noise.
#[derive(Clone)]
struct Noisy {
    amount: f64,
}

impl Dataset for Noisy {
    type Sample = Tensor;

    fn len(&self) -> usize {
        12
    }

    fn get_item(&self, index: usize) -> Result<Tensor> {
        Ok(Tensor::from(index as f32) + self.amount * Tensor::rand([], (Kind::Float, Device::Cpu)))
    }
}

fn noisy(num_workers: usize, amount: f64) -> DataLoader<Tensor> {
    DataLoader::with_workers(Noisy { amount }, num_workers).batch_size(2).shuffle(true)
}

#[test]
fn resumed_run_continues_in_the_order_of_the_run_it_resumes() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let checkpoints =
        ModelCheckpoint::new().dirpath(folder.path()).filename("{step}").save_top_k(-1).every(Every::Batches(1));
    seed_everything(31);
    let mut whole = Watching::new();
    trainer(2, folder.path()).callback(checkpoints).fit(&mut whole, Loaders::train(noisy(2, 1.0))).unwrap();
    for step in 1..12 {
        seed_everything(32);
        let mut resumed = Watching::new();
        let trainer = trainer(2, folder.path()).ckpt_path(folder.path().join(format!("step={step}.ckpt")));
        { trainer }.fit(&mut resumed, Loaders::train(noisy(step % 4, 1.0))).unwrap();
        assert_eq!(resumed.seen, whole.seen[step..], "after step {step}");
        assert_eq!(values(&resumed.layer.ws), values(&whole.layer.ws), "after step {step}");
    }
}

/// What the training itself draws is the same, whether the dataset draws or not, and whoever reads it.
#[test]
fn dataset_that_draws_does_not_change_the_random_numbers_of_training() {
    let _alone = alone();
    let after = |loader: DataLoader<Tensor>| {
        seed_everything(8);
        let mut module = Watching::new();
        trainer(2, Path::new(".")).fit(&mut module, Loaders::train(loader)).unwrap();
        (values(&module.layer.ws), values(&Tensor::rand([4], (Kind::Float, Device::Cpu))))
    };
    let silent = after(
        DataLoader::new(TensorDataset::new(Tensor::arange(12, (Kind::Float, Device::Cpu))).unwrap())
            .batch_size(2)
            .shuffle(true),
    );
    for num_workers in [0, 1, 3] {
        assert_eq!(after(noisy(num_workers, 0.0)), silent, "{num_workers} workers");
    }
}

#[test]
fn augmentations_of_a_run_are_reproducible_and_differ_by_epoch() {
    let _alone = alone();
    let seeded = |seed, num_workers| {
        seed_everything(seed);
        dealt(noisy(num_workers, 1.0))
    };
    let expected = seeded(1, 0);
    for num_workers in [1, 2, 3] {
        assert_eq!(seeded(1, num_workers), expected, "{num_workers} workers");
    }
    assert_ne!(seeded(2, 3), expected);
    let noise = |epoch: &[Vec<f32>]| {
        let mut rows = epoch.concat();
        rows.sort_by(f32::total_cmp);
        rows.into_iter().map(f32::fract).collect::<Vec<_>>()
    };
    assert_ne!(noise(&expected[..6]), noise(&expected[6..]), "each row has other noise in each epoch");
}

/// The variable with which a test starts itself in a process of its own.
const CHILD: &str = "DEALS_AN_ORDER";

#[test]
fn processes_without_a_seed_have_different_orders() {
    if std::env::var_os(CHILD).is_some() {
        println!("\norder {:?}", dealt(loader().shuffle(true)));
        let both = [0, 1]
            .map(|rank| dealt(loader().sampler(DistributedSampler::new(RandomSampler::new(48), rank, 2).unwrap())));
        println!("ranks {both:?}");
        return;
    }
    let test = "processes_without_a_seed_have_different_orders";
    let line = |output: &str, name: &str| output.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let [one, two] = [(); 2].map(|()| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let output = child
            .args(["--exact", &format!("seeds::{test}"), "--nocapture", "--test-threads=1"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    });
    assert_ne!(line(&one, "order"), line(&two, "order"));
    // which ranks must not, as each would take its share of another order
    assert_eq!(line(&one, "ranks"), line(&two, "ranks"));
}
