//! Tests of kills and power cuts at any point of a run: its file operations are recorded, and each prefix of them is
//! replayed.

use crate::Every;
use crate::atomic_file::recorded::{Disk, Operation, Recorder, Survivor};
use crate::callbacks::{ModelCheckpoint, SaveLast};
use crate::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One weight, and a validation loss that falls and rises.
struct Line {
    vs: nn::VarStore,
    weight: Tensor,
}

impl Line {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().zeros("weight", &[1]);
        Self { vs, weight }
    }
}

#[lightning_module]
impl Line {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, ctx: &mut Context, _batch: &Tensor) -> Tensor {
        let loss = self.weight.sum(Kind::Float);
        ctx.log("train_loss", &loss);
        loss
    }

    fn validation_step(&self, ctx: &mut Context, _batch: &Tensor) {
        let losses = [5.0, 3.0, 4.0, 2.0, 6.0, 1.0];
        let epoch = ctx.current_epoch();
        ctx.log("val/loss", losses[epoch]);
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::zeros([2, 1], (Kind::Float, Device::Cpu)))?))
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }
}

/// The operations of six epochs.
fn recorded(root: &Path, checkpoint: ModelCheckpoint, async_checkpointing: bool) -> Vec<Operation> {
    let recorder = Recorder::of(root);
    let config = TrainerConfig {
        max_epochs: Some(6),
        log_every_n_steps: 1,
        default_root_dir: root.join("new/root"),
        num_sanity_val_steps: 0,
        async_checkpointing,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    };
    Trainer::new(config).callback(checkpoint).fit(&mut Line::new(), ()).unwrap();
    recorder.operations()
}

/// The relevant contents of a file.
enum Read {
    /// A checkpoint, with its optimizer steps and the rows that were logged before it.
    Checkpoint { step: usize, rows: usize },
    /// A text with this number of lines.
    Text { lines: usize },
}

impl Read {
    fn of(contents: &[u8]) -> Self {
        match Checkpoint::from_bytes(contents) {
            Ok(Checkpoint { metadata, .. }) => {
                Self::Checkpoint { step: metadata.global_step, rows: metadata.progress.rows() }
            }
            Err(_) => Self::Text { lines: contents.iter().filter(|byte| **byte == b'\n').count() },
        }
    }
}

/// Returns the newest remaining checkpoint, by its optimizer steps. Asserts that each checkpoint is complete, that no link dangles,
/// and that the log has the rows from before it.
fn newest(left: &BTreeMap<PathBuf, Survivor>, contents: &[Read]) -> Option<usize> {
    let read = |path: &Path| match left.get(path) {
        Some(Survivor::File(written)) => Some(&contents[*written]),
        _ => None,
    };
    let log = left.keys().find(|path| path.ends_with("metrics.csv")).and_then(|path| read(path));
    let logged = log.map_or(0, |log| if let Read::Text { lines } = log { lines - 1 } else { 0 });
    let named = left.iter().filter(|(path, _)| path.extension().is_some_and(|ending| ending == "ckpt"));
    let steps = named.map(|(path, survivor)| {
        let target = if let Survivor::Link(target) = survivor { target } else { path };
        let Some(Read::Checkpoint { step, rows }) = read(target) else {
            panic!("{target:?} is no checkpoint in {left:?}")
        };
        assert!(logged >= *rows, "{logged} of {rows} rows are left before {path:?} in {left:?}");
        *step
    });
    steps.max()
}

/// Cuts a run off after each of its operations. `least` is the step of the oldest checkpoint that may be the newest one left, of
/// those that were written so far.
fn cut_off_everywhere(checkpoint: &ModelCheckpoint, least: impl Fn(&[usize]) -> Option<usize>) {
    for async_checkpointing in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let checkpoint = checkpoint.clone().dirpath(root.path().join("ck/deeper"));
        let operations = recorded(root.path(), checkpoint, async_checkpointing);
        let (mut disk, mut contents) = (Disk::default(), Vec::new());
        // of those whose names were forced to the disk
        let mut written = Vec::new();
        let mut renamed = Vec::new();
        let mut cuts = 0;
        for operation in &operations {
            disk.replay(operation);
            match operation {
                Operation::Write(_, bytes) | Operation::Change(_, bytes) => contents.push(Read::of(bytes)),
                Operation::Rename(_, to) if to.starts_with(root.path().join("ck")) => renamed.push(to.clone()),
                Operation::SyncFolder(folder) if renamed.iter().any(|path| path.parent() == Some(folder)) => {
                    renamed.retain(|path| path.parent() != Some(folder));
                    written.extend(newest(&disk.after_a_kill(), &contents));
                }
                _ => {}
            }
            let cut = disk.after_a_power_cut();
            cuts += cut.len();
            for left in cut.iter().chain([&disk.after_a_kill()]) {
                let newest = newest(left, &contents);
                assert!(
                    newest >= least(&written),
                    "{newest:?} is left of {written:?}, after {operation:?} in {left:?}"
                );
            }
        }
        assert!(cuts > operations.len() && written.len() >= 4, "{cuts} {written:?}");
        let left =
            disk.after_a_kill().into_keys().filter(|path| path.extension().is_some_and(|ending| ending == "ckpt"));
        assert_eq!(left.count(), checkpoints_in(&root.path().join("ck/deeper")), "the record has everything");
    }
}

fn checkpoints_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { checkpoints_in(&path) } else { 1 }).sum()
}

#[test]
fn newest_checkpoint_is_always_left() {
    let newest = |written: &[usize]| written.last().copied();
    cut_off_everywhere(&ModelCheckpoint::new(), newest);
    cut_off_everywhere(&ModelCheckpoint::new().save_last(SaveLast::Link), newest);
    cut_off_everywhere(&ModelCheckpoint::new().save_last(true).every(Every::OptimizerSteps(1)), newest);
}

#[test]
fn checkpoint_is_always_left_of_the_best() {
    let any = |written: &[usize]| written.first().copied();
    for save_last in [SaveLast::No, SaveLast::Copy, SaveLast::Link] {
        for save_top_k in [1, 2] {
            let best = ModelCheckpoint::new().monitor("val/loss").save_top_k(save_top_k).save_last(save_last);
            cut_off_everywhere(&best, any);
            cut_off_everywhere(&best.filename("{epoch}-{val/loss:.1f}"), any);
        }
    }
}
