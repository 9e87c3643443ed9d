use super::callback::Watch;
use super::case::{Case, Verb};
use super::events::Events;
use super::module::Recorder;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{Error, Logger};

/// Runs a case, and writes down what happened.
///
/// # Errors
/// If the case asks for what the trainer does not have, or no folder can be made. A run that fails is a trace like others.
pub fn trace(case: &Case) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let events = Events::default();
    let checkpoint = case.before.as_ref().map(|before| run_before(case, before, folder.path())).transpose()?;
    let logged = Logged::default();
    let config = config(&case.trainer, folder.path())?;
    let mut module = Recorder::new(case.model.clone(), events.clone());
    let mut trainer = Trainer::new(TrainerConfig { enable_checkpointing: false, ..config })
        .callback(Watch { events: events.clone() })
        .logger(logged.clone());
    if let Some(checkpoint) = checkpoint {
        trainer = trainer.ckpt_path(checkpoint);
    }
    let predictions = match run(case.verb, &mut trainer, &mut module) {
        Ok(predictions) => predictions,
        Err(error) => {
            return Ok(json!({ "name": case.name, "error": error.to_string(), "events": events.lines() }));
        }
    };
    let context = trainer.context();
    let mut trace = json!({
        "name": case.name,
        "events": events.lines(),
        "epoch": context.current_epoch(),
        "step": context.global_step(),
        "weight": numbers(&module.layer.ws)?,
        "bias": module.layer.bs.as_ref().map(numbers).transpose()?,
        "logged": *logged.0.borrow(),
        "metrics": context.callback_metrics(),
    });
    if let Some(predictions) = predictions {
        trace["predictions"] = json!(predictions.iter().map(numbers).collect::<Result<Vec<_>>>()?);
    }
    if case.verb == Verb::Fit {
        trace["lr"] = json!(context.optimizers().iter().map(|optimizer| optimizer.lr()).collect::<Vec<_>>());
    }
    Ok(trace)
}

fn run(verb: Verb, trainer: &mut Trainer<Recorder>, module: &mut Recorder) -> Result<Option<Vec<Tensor>>, Error> {
    match verb {
        Verb::Fit => trainer.fit(module, ()).map(|()| None),
        Verb::Validate => trainer.validate(module, ()).map(|_| None),
        Verb::Test => trainer.test(module, ()).map(|_| None),
        Verb::Predict => trainer.predict(module, ()).map(Some),
    }
}

/// The earlier `fit` of the same model, without callbacks or logger; the checkpoint that it left.
fn run_before(case: &Case, before: &Map<String, Value>, folder: &Path) -> Result<PathBuf> {
    let mut model = case.model.clone();
    model.raise = None;
    let config = TrainerConfig { logger: false, ..config(before, folder)? };
    let mut trainer = Trainer::new(config);
    trainer.fit(&mut Recorder::new(model, Events::default()), ())?;
    let run = trainer.context().made_log_dir().ok_or_else(|| anyhow!("the earlier run left no checkpoint"))?;
    Ok(run.join("checkpoints/last.ckpt"))
}

fn config(arguments: &Map<String, Value>, folder: &Path) -> Result<TrainerConfig> {
    let mut config: TrainerConfig = serde_json::from_value(Value::Object(arguments.clone()))?;
    config.default_root_dir = folder.to_owned();
    config.enable_progress_bar = false;
    config.enable_model_summary = false;
    Ok(config)
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(Vec::try_from(tensor.to_kind(Kind::Double).flatten(0, -1))?)
}

/// The rows that reach a logger.
#[derive(Clone, Default)]
struct Logged(Rc<RefCell<Vec<Value>>>);

impl Logger for Logged {
    fn log_metrics(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), Error> {
        let row: BTreeMap<&str, f64> = metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let mut row = json!(row);
        row["step"] = json!(step);
        self.0.borrow_mut().push(row);
        Ok(())
    }
}
