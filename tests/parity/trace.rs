use super::callback::Watch;
use super::case::{Case, Verb};
use super::events::Events;
use super::module::{Automatic, Manual};
use super::recording::{Recording, Records};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{
    Error, RunContext,
    callbacks::ModelCheckpoint,
    loggers::{LoggedAt, Logger, Record},
};

/// Runs a case in one process, and writes down what happened.
///
/// # Errors
/// If the case asks for what the trainer does not have, or no folder can be made. A run that fails is a trace like others.
pub fn trace(case: &Case) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    trace_in(case, folder.path(), 1)
}

/// Runs a case in one of several processes, which have the folder in common.
///
/// # Errors
/// As [`trace`].
pub fn trace_in(case: &Case, folder: &Path, processes: usize) -> Result<Value> {
    let place = Place { folder, processes };
    if case.model.automatic { trace_of::<Automatic>(case, place) } else { trace_of::<Manual>(case, place) }
}

/// Where a case runs.
#[derive(Clone, Copy)]
struct Place<'a> {
    folder: &'a Path,
    processes: usize,
}

fn trace_of<M: Records>(case: &Case, place: Place<'_>) -> Result<Value> {
    let folder = place.folder;
    let events = Events::default();
    let checkpoint = case.before.as_ref().map(|before| run_before::<M>(case, before, place)).transpose()?;
    let logged = Logged::default();
    let mut module = M::new(Recording::new(case.model.clone(), events.clone()));
    let mut trainer = trainer(case, place)?.callback(Watch { events: events.clone() }).logger(logged.clone());
    if let Some(early_stopping) = &case.early_stopping {
        trainer = trainer.callback(early_stopping.clone());
    }
    if let Some(checkpoint) = &case.checkpoint {
        trainer = trainer.callback(checkpoint.clone().dirpath(folder));
    }
    if let Some(checkpoint) = checkpoint {
        trainer = trainer.ckpt_path(checkpoint);
    }
    let predictions = match run(case.verb, &mut trainer, &mut module) {
        Ok(predictions) => predictions,
        Err(error) => {
            return Ok(json!({ "name": case.name, "error": error.to_string(), "events": events.lines() }));
        }
    };
    let (context, recording) = (trainer.context(), module.recording());
    let mut trace = json!({
        "name": case.name,
        "events": events.lines(),
        "epoch": context.current_epoch(),
        "step": context.global_step(),
        "weight": numbers(&recording.layer.ws)?,
        "bias": recording.layer.bs.as_ref().map(numbers).transpose()?,
        "logged": *logged.0.borrow(),
        "metrics": context.callback_metrics(),
    });
    if let Some(predictions) = predictions.filter(|predictions| !predictions.is_empty()) {
        trace["predictions"] = json!(predictions.iter().map(numbers).collect::<Result<Vec<_>>>()?);
    }
    if let Some(checkpoint) = trainer.find_callback::<ModelCheckpoint>() {
        if context.is_global_zero() {
            trace["files"] = json!(checkpoints(folder)?);
        }
        let best = checkpoint.best_model_path().and_then(Path::file_name).unwrap_or_default();
        trace["best"] = json!(best.to_string_lossy());
        trace["best_score"] = json!(checkpoint.best_model_score());
    }
    if case.verb == Verb::Fit {
        trace["lr"] = json!(lr(context));
    }
    Ok(trace)
}

fn trainer<M: Records>(case: &Case, place: Place<'_>) -> Result<Trainer<M>> {
    let enable_checkpointing = case.checkpoint.is_some();
    Ok(Trainer::new(TrainerConfig { enable_checkpointing, ..config(&case.trainer, place)? }))
}

fn run<M: Records>(verb: Verb, trainer: &mut Trainer<M>, module: &mut M) -> Result<Option<Vec<Tensor>>, Error> {
    match verb {
        Verb::Fit => trainer.fit(module, ()).map(|()| None),
        Verb::Validate => trainer.validate(module, ()).map(|_| None),
        Verb::Test => trainer.test(module, ()).map(|_| None),
        Verb::Predict => trainer.predict(module, ()).map(Some),
    }
}

const BEFORE: &str = "before.ckpt";

/// The earlier `fit` of the same model, without callbacks or logger, and the checkpoint of its end.
fn run_before<M: Records>(case: &Case, before: &Map<String, Value>, place: Place<'_>) -> Result<PathBuf> {
    let mut model = case.model.clone();
    model.raise = None;
    let config = TrainerConfig { logger: false.into(), enable_checkpointing: false, ..config(before, place)? };
    let mut trainer = Trainer::new(config);
    let mut module = M::new(Recording::new(model, Events::default()));
    trainer.fit(&mut module, ())?;
    let path = place.folder.join(BEFORE);
    trainer.save_checkpoint(&mut module, (), &path)?;
    Ok(path)
}

/// The names of the checkpoints in a folder, in order.
fn checkpoints(folder: &Path) -> Result<Vec<String>> {
    let files = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    let names = files.iter().map(|file| file.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".ckpt") && name != BEFORE).collect();
    names.sort();
    Ok(names)
}

fn config(arguments: &Map<String, Value>, place: Place<'_>) -> Result<TrainerConfig> {
    let mut config: TrainerConfig = serde_json::from_value(Value::Object(arguments.clone()))?;
    config.default_root_dir = place.folder.to_owned();
    config.devices = place.processes.into();
    config.enable_progress_bar = false;
    config.enable_model_summary = false;
    Ok(config)
}

/// A rate for each parameter group.
fn lr(context: &RunContext) -> Vec<f64> {
    context.optimizers().iter().flat_map(|optimizer| optimizer.groups().iter().map(|group| group.lr())).collect()
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(Vec::try_from(tensor.to_kind(Kind::Double).flatten(0, -1))?)
}

/// The rows that reach a logger.
#[derive(Clone, Default)]
struct Logged(Rc<RefCell<Vec<Value>>>);

impl Logger for Logged {
    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        let step = at.step;
        let row: BTreeMap<&str, f64> = metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let mut row = json!(row);
        row["step"] = json!(step);
        self.0.borrow_mut().push(row);
        Ok(())
    }
}
