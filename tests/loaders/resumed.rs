//! A checkpoint from within an epoch, and a loader that does not deal the rest of it.

use crate::{Watching, alone, config, rows, trainer};
use std::path::{Path, PathBuf};
use tch_lightning::data::{CombinedLoader, IterableDataset, RandomSampler, WorkerInfo};
use tch_lightning::prelude::*;
use tch_lightning::{Error, Every, Loaders, callbacks::ModelCheckpoint, seed_everything, trainer::BatchLimit};

/// Trains an epoch. Returns the checkpoint after `batches` of its batches.
fn checkpoint(folder: &Path, batches: usize, loader: DataLoader<Tensor>) -> PathBuf {
    let checkpoints = ModelCheckpoint::new().dirpath(folder).filename("{step}").save_top_k(-1);
    let mut trainer = trainer(1, folder).callback(checkpoints.every(Every::Batches(1)));
    trainer.fit(&mut Watching::new(), Loaders::train(loader)).unwrap();
    folder.join(format!("step={batches}.ckpt"))
}

fn resumed(after: &Path, loader: DataLoader<Tensor>) -> Result<Watching, Error> {
    let mut module = Watching::new();
    trainer(2, Path::new(".")).ckpt_path(after).fit(&mut module, Loaders::train(loader).with_validation(by(48)))?;
    Ok(module)
}

fn by(batch_size: usize) -> DataLoader<Tensor> {
    DataLoader::new(rows()).batch_size(batch_size)
}

fn fewer(samples: usize) -> DataLoader<Tensor> {
    DataLoader::new(rows()[..samples].to_vec()).batch_size(8)
}

const WITHIN: &str = "the checkpoint was written within epoch 0, after 4 batches, ";
const GIVE: &str = ": use the same data, or a checkpoint from the end of an epoch";

#[test]
fn loader_of_other_batches_is_refused_within_an_epoch_and_both_are_named() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    seed_everything(3);
    let after = checkpoint(folder.path(), 4, by(8).shuffle(true));
    let dealt = "when the loader of `train_dataloader` dealt 6 batches of 8 from 48 samples, shuffled; it now deals";
    for (loader, now) in [
        (fewer(24).shuffle(true), "3 batches of 8 from 24 samples, shuffled"),
        (fewer(40).shuffle(true), "5 batches of 8 from 40 samples, shuffled"),
        (by(6).shuffle(true), "8 batches of 6 from 48 samples, shuffled"),
        (by(8), "6 batches of 8 from 48 samples, in their order"),
        (by(8).shuffle(true).seed(9), "6 batches of 8 from 48 samples, shuffled with the seed 9"),
        (by(8).sampler(RandomSampler::new(48).seed(1)), "6 batches of 8 from 48 samples, 48 indices from a sampler"),
        (CombinedLoader::sequential(vec![by(8)]), "a combination of (6 batches of 8 from 48 samples, in their order)"),
    ] {
        let said = resumed(&after, loader).err().unwrap().to_string();
        assert_eq!(said, format!("{WITHIN}{dealt} {now}{GIVE}"));
    }
    // workers deal the same batches, and the order follows the checkpoint's seed
    seed_everything(4);
    let module = resumed(&after, DataLoader::with_workers(rows(), 2).batch_size(8).shuffle(true)).unwrap();
    assert_eq!((module.seen.len(), module.validated.len()), (2 + 6, 2));
}

/// The same words for another order.
#[test]
fn sampler_of_another_order_is_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let sampled = |seed| by(8).sampler(RandomSampler::new(48).seed(seed));
    let after = checkpoint(folder.path(), 4, sampled(1));
    assert_eq!(
        resumed(&after, sampled(2)).err().unwrap().to_string(),
        format!(
            "{WITHIN}when the loader of `train_dataloader` dealt 6 batches of 8 from 48 samples, 48 indices from a sampler; it now \
             deals these in another order{GIVE}"
        )
    );
    resumed(&after, sampled(1)).unwrap();
}

#[test]
fn loader_of_other_batches_is_accepted_between_epochs() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let after = checkpoint(folder.path(), 6, by(8));
    let end_of_epoch = ModelCheckpoint::new().dirpath(folder.path()).filename("end").save_on_train_epoch_end(true);
    let mut trainer = trainer(1, folder.path()).callback(end_of_epoch);
    trainer.fit(&mut Watching::new(), Loaders::train(by(8))).unwrap();
    let module = resumed(&folder.path().join("end.ckpt"), fewer(24)).unwrap();
    assert_eq!((module.seen.len(), module.validated.len()), (3, 1));
    // all batches of the epoch are done, and its end is to come
    let module = resumed(&after, fewer(24)).unwrap();
    assert_eq!((module.seen.len(), module.validated.len()), (3, 2));
}

#[test]
fn limit_that_ends_the_epoch_earlier_is_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let after = checkpoint(folder.path(), 4, by(8));
    for (batches, has) in [(4, "4 batches"), (1, "1 batch")] {
        let limited = TrainerConfig { limit_train_batches: BatchLimit::Batches(batches), ..config(1) };
        let fit = Trainer::new(limited).ckpt_path(&after).fit(&mut Watching::new(), Loaders::train(by(8)));
        assert_eq!(fit.err().unwrap().to_string(), format!("{WITHIN}and an epoch now has {has}{GIVE}"));
    }
}

/// The numbers below `len`.
#[derive(Clone)]
struct Stream {
    len: u8,
}

impl IterableDataset for Stream {
    type Sample = f32;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = Result<f32>> {
        worker.share(0..self.len).map(|number| Ok(number.into()))
    }
}

#[test]
fn streams_that_are_cut_otherwise_or_end_before_are_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let stream = |len, workers| DataLoader::iterable_with_workers(Stream { len }, workers).batch_size(4);
    let after = checkpoint(folder.path(), 4, stream(24, 2));
    let said = |loader| resumed(&after, loader).err().unwrap().to_string();
    let dealt = "when the loader of `train_dataloader` dealt a stream in batches of 4, read by 2 workers; it now deals";
    assert_eq!(said(stream(24, 3)), format!("{WITHIN}{dealt} a stream in batches of 4, read by 3 workers{GIVE}"));
    assert_eq!(said(stream(12, 2)), format!("{WITHIN}and the stream of `train_dataloader` now ends before{GIVE}"));
    assert_eq!(resumed(&after, stream(24, 2)).unwrap().seen.len(), 2 + 6);
}

/// Has a broken sample.
struct Broken;

impl Dataset for Broken {
    type Sample = f32;

    fn len(&self) -> usize {
        4
    }

    fn get_item(&self, index: usize) -> Result<f32> {
        let read = if index == 2 { Err(anyhow!("unexpected end of file")) } else { Ok(0.0) };
        read.map_err(|error| error.context("cannot read cat_2.png"))
    }
}

#[test]
fn error_of_a_run_has_the_reason_of_its_dataset() {
    let _alone = alone();
    let said =
        trainer(1, Path::new(".")).fit(&mut Watching::new(), Loaders::train(DataLoader::new(Broken))).unwrap_err();
    let sentence = "the loader of `train_dataloader` failed at epoch 0, batch 2: sample 2 of the dataset could not be read: cannot \
                    read cat_2.png: unexpected end of file";
    assert_eq!(said.to_string(), sentence);
    assert_eq!(format!("{:#}", anyhow::Error::from(said)), sentence, "once");
}
