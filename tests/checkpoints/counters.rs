//! Checkpoints whose numbers no run has.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use tch_lightning::prelude::*;
use tch_lightning::schedule::{Interval, LrSchedulerConfig};
use tch_lightning::{
    Every,
    callbacks::{
        EarlyStopping, ExponentialMovingAverage, LearningRateMonitor, ModelCheckpoint, StochasticWeightAveraging,
        ThroughputMonitor, Timer,
    },
    trainer::ValCheckInterval,
};

/// One weight with everything that counts.
struct Counted {
    vs: nn::VarStore,
    weight: Tensor,
}

impl Counted {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().ones("weight", &[2]);
        Self { vs, weight }
    }
}

#[lightning_module]
impl Counted {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = (&self.weight * batch).square().mean(Kind::Float);
        ctx.log("train_loss", &loss).on_epoch(true);
        loss
    }

    fn validation_step(&self, ctx: &mut Context, _batch: &Tensor) {
        ctx.log("val_loss", 0.5);
    }

    fn configure_optimizers(&self) -> Result<Optimizers> {
        let by_step = LrSchedulerConfig::from(StepLr::new(2)).interval(Interval::Step);
        Ok(AdamW::new(0.01).lr_scheduler(by_step).into())
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([6, 2], (Kind::Float, Device::Cpu)))?))
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([1, 2], (Kind::Float, Device::Cpu)))?))
    }
}

fn trainer(folder: &Path) -> Trainer<Counted> {
    let config = TrainerConfig {
        max_epochs: Some(3),
        accumulate_grad_batches: 2,
        reload_dataloaders_every_n_epochs: 1,
        val_check_interval: ValCheckInterval::Every(Every::OptimizerSteps(1)),
        log_every_n_steps: 1,
        default_root_dir: folder.to_owned(),
        num_sanity_val_steps: 0,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    };
    let checkpoint = ModelCheckpoint::new().dirpath(folder).filename("{epoch}-{step}").every(Every::Batches(5));
    Trainer::new(config)
        .callback(EarlyStopping::new("val_loss").patience(100))
        .callback(LearningRateMonitor::new())
        .callback(ThroughputMonitor::new())
        .callback(Timer::new().duration(Duration::from_secs(3600)))
        .callback(ExponentialMovingAverage::new(0.5))
        .callback(StochasticWeightAveraging::new(0.1))
        .callback(checkpoint.save_top_k(-1))
}

/// A checkpoint in its parts: its metadata, the rest of its header, its elements.
struct Parts {
    metadata: Value,
    header: Value,
    elements: Vec<u8>,
}

impl Parts {
    /// Those of a checkpoint within an epoch.
    fn of_a_run(folder: &Path) -> Self {
        trainer(folder).fit(&mut Counted::new(), ()).unwrap();
        let bytes = std::fs::read(folder.join("epoch=1-step=5.ckpt")).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let keys = header["__metadata__"].as_object_mut().unwrap();
        let metadata = serde_json::from_str(keys["tch_lightning"].as_str().unwrap()).unwrap();
        keys.remove("tch_lightning.checksum");
        Self { metadata, header, elements: bytes[8 + length..].to_owned() }
    }

    /// Writes the checkpoint in layout 1, which has no checksum, with another number at `place`.
    fn write(&self, place: &str, number: u64, path: &Path) {
        let mut metadata = self.metadata.clone();
        *metadata.pointer_mut(place).unwrap() = number.into();
        metadata["layout"] = 1.into();
        let mut header = self.header.clone();
        header["__metadata__"]["tch_lightning"] = metadata.to_string().into();
        let header = header.to_string();
        let length = (header.len() as u64).to_le_bytes();
        std::fs::write(path, [&length[..], header.as_bytes(), &self.elements].concat()).unwrap();
    }
}

/// The places of all numbers, as JSON pointers.
fn numbers(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(place.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(key, item)| numbers(item, &format!("{place}/{key}"), found));
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            numbers(item, &format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        _ => {}
    }
}

/// What becomes of a run that resumes from `path`: the sentence of its error. It must come to an end.
fn resumed(path: PathBuf, place: &str) -> Option<String> {
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let outcome = trainer(folder.path()).ckpt_path(path).fit(&mut Counted::new(), ());
        let _ = ended.send(outcome.err().map(|error| error.to_string()));
    });
    end.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{place} has no end"))
}

#[test]
fn counters_in_a_checkpoint_never_cause_a_panic_or_an_endless_run() {
    let folder = tempfile::tempdir().unwrap();
    let parts = Parts::of_a_run(folder.path());
    let mut places = Vec::new();
    numbers(&parts.metadata, "", &mut places);
    places.retain(|place| place != "/layout");
    assert!(places.len() > 50, "{places:?}");
    let path = folder.path().join("hostile.ckpt");
    parts.write("/layout", 1, &path);
    assert_eq!(resumed(path.clone(), "nothing"), None);
    let mut panicked = Vec::new();
    for place in &places {
        for number in [u64::MAX, 1 << 53] {
            parts.write(place, number, &path);
            let said = resumed(path.clone(), place).unwrap_or_default();
            if said.contains("panicked") {
                panicked.push(format!("{place} = {number}: {said}"));
            }
        }
    }
    assert!(panicked.is_empty(), "{}", panicked.join("\n"));
}

#[test]
fn counter_that_no_run_has_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let parts = Parts::of_a_run(folder.path());
    let path = folder.path().join("hostile.ckpt");
    for (place, name) in [
        ("/progress/current_epoch", "epochs"),
        ("/progress/global_step", "optimizer steps"),
        ("/progress/total_batches_ready", "batches of all epochs"),
        ("/optimizers/0/steps", "steps of an optimizer"),
    ] {
        parts.write(place, u64::MAX, &path);
        let said = Checkpoint::read(&path).unwrap_err().to_string();
        let counter = format!("its counter of the {name} is 18446744073709551615");
        let file = path.display();
        assert_eq!(
            said,
            format!("the checkpoint {file} is damaged or truncated ({counter}): use an earlier one, or train again")
        );
    }
}
