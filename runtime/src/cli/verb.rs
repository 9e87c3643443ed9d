//! One run of the program: `fit`, `validate`, `test` or `predict`.

use super::Built;
use super::callbacks::{self, CallbackSettings};
use super::configuration::{Configuration, Resolved};
use super::environment::Environment;
use super::exit::exit;
use super::flags::{self, Flags, Parsed};
use super::hyperparameters;
use super::optimization::{LR_SCHEDULER, OPTIMIZER, OfFiles, OptimizationSettings};
use super::seed::Seed;
use super::types::Types;
use crate::checkpoint::{Checkpoint, Metadata};
use crate::config::{Resume, TrainerConfig};
use crate::context::{ConfigurationFile, RunContext};
use crate::counted::counted;
use crate::error::Error;
use crate::error_chain::in_one_line;
use crate::hook::Hook;
use crate::json;
use crate::messages::{info, warning};
use crate::module::{
    AnyHyperparameters, FromHparams, FromHparamsAndData, Hyperparameters, LightningModule, Loads, of_type,
};
use crate::number::Number;
use crate::panic;
use crate::stage::Stage;
use crate::strategy;
use crate::table;
use crate::terminal;
use crate::trainer::{CkptPath, FoundCheckpoint, Metrics, Trainer, find_best_or_last, find_checkpoint};
use anyhow::{Context as _, Result, anyhow};
use comfy_table::CellAlignment;
use serde_json::Value;
use std::path::Path;

/// A verb with its parsed flags and configuration files.
pub(super) struct Verb {
    stage: Stage,
    config: TrainerConfig,
    model: Box<dyn AnyHyperparameters>,
    data: Box<dyn AnyHyperparameters>,
    seed: Seed,
    optimization: OptimizationSettings,
    callbacks: CallbackSettings,
    ckpt_path: Option<CkptPath>,
    checkpoint: Option<FoundCheckpoint>,
    prints: bool,
}

/// What the trainer, the module and the data module are constructed from.
struct Parts {
    config: TrainerConfig,
    model: Box<dyn AnyHyperparameters>,
    data: Box<dyn AnyHyperparameters>,
    hyper_parameters: Value,
    settings: Value,
    configuration_file: ConfigurationFile,
    seed: i64,
    optimization: OptimizationSettings,
    callbacks: CallbackSettings,
    checkpoint: Option<FoundCheckpoint>,
}

impl Verb {
    pub(super) fn new(
        types: Types,
        stage: Stage,
        parsed: Parsed,
        flags: &Flags,
        defaults: TrainerConfig,
    ) -> Result<Self> {
        let explicit = &parsed.explicit;
        let mut files = Configuration::of(explicit, stage, [("model", types.model.name), ("data", types.data.name)]);
        let default_resume = defaults.resume;
        let mut config = files.trainer(defaults);
        Hyperparameters::update_from_arg_matches(&mut config, &parsed.trainer.values.explicit)
            .unwrap_or_else(|error| flags.exit(error, &parsed.verb));
        let given_path = explicit.get_one::<CkptPath>(flags::CKPT_PATH).cloned();
        let ckpt_path = given_path
            .or_else(|| files.value(flags::CKPT_PATH)?.as_str().filter(|path| !path.is_empty()).map(CkptPath::from));
        let prints = explicit.contains_id(flags::PRINT_CONFIG);
        if stage == Stage::Fit && !prints && ckpt_path.is_none() && config.resume != default_resume {
            refuse_nothing_to_resume(config.resume)?;
        }
        let checkpoint = match &ckpt_path {
            Some(ckpt_path) => find_checkpoint(ckpt_path, stage, &config)?,
            None if stage == Stage::Fit || prints => None,
            None => find_best_or_last(stage, &config)?,
        };
        let metadata = checkpoint.as_ref().map(|found| Checkpoint::read_metadata(&found.path)).transpose()?;
        let hyper_parameters = metadata.as_ref().and_then(|metadata| metadata.hyper_parameters.as_ref());
        let saved = checkpoint.as_ref().map(|found| found.path.as_path()).zip(hyper_parameters);
        let model = hyperparameters::read(types.model.hparams, "model", &parsed.model, saved, &mut files);
        let data = hyperparameters::read(types.data.hparams, "data", &parsed.data, saved, &mut files);
        let saved_optimizer = hyper_parameters.filter(|_| flags.owner_of_optimizer.is_none());
        let optimization = OfFiles::read(&mut files, saved_optimizer);
        let callbacks = callbacks::OfFiles::read(&mut files);
        files.check()?;
        let (optimization, callbacks) = match stage {
            Stage::Fit => (
                OptimizationSettings::new(explicit, optimization, flags.owner_of_optimizer)?,
                CallbackSettings::read(explicit, callbacks)?,
            ),
            _ => Default::default(),
        };
        let (model, data) = (model?, data?);
        if stage == Stage::Fit
            && saved.is_none()
            && let Some(error) = flags.missing_besides(&parsed, &model.values, &data.values)
        {
            exit(&error);
        }
        let seed = explicit.get_one::<Seed>(flags::SEED).copied();
        let seed = seed.or_else(|| Seed::of_file(files.value(flags::SEED)?)).unwrap_or(Seed::Number(0));
        let (model, data) = (model.complete()?, data.complete()?);
        if let (Stage::Fit, Resume::All, Some(metadata)) = (stage, config.resume, &metadata) {
            let mut settings = serde_json::json!({ "model": model.json()? });
            optimization.add_to(&mut settings)?;
            warn_of_kept_settings(metadata, &settings);
        }
        Ok(Self { stage, config, model, data, seed, optimization, callbacks, ckpt_path, checkpoint, prints })
    }

    /// Constructs the trainer, which `complete` completes, the module and the data module; or prints the configuration, if that was
    /// requested, and returns `None`.
    pub(super) fn build<M, D>(self, complete: impl FnOnce(Trainer<M>) -> Trainer<M>) -> Result<Option<Built<M, D>>>
    where
        M: LightningModule + FromHparamsAndData<D>,
        D: Loads<M::Batch> + FromHparams,
    {
        let Some(parts) = self.parts()? else { return Ok(None) };
        let Parts { config, seed, hyper_parameters, .. } = parts;
        // the model may depend on the data module, as on the size of its vocabulary
        let data = panic::catch(|| D::from_hparams(of_type(parts.data))).context("cannot construct the data module")?;
        let model = panic::catch(|| M::from_hparams_and_data(of_type(parts.model), &data));
        let model = model.context("cannot construct the model")?;
        let trainer = Trainer::new(config.clone()).hyper_parameters(hyper_parameters.clone());
        let trainer = trainer.configuration_file(parts.configuration_file);
        let trainer = trainer.settings(parts.settings);
        let trainer = trainer.chosen_optimizer(parts.optimization.chosen());
        let mut trainer = parts.callbacks.apply(complete(trainer))?;
        if let Some(found) = &parts.checkpoint {
            if strategy::is_to_be_rank_zero() {
                info!("{found}");
            }
            trainer = trainer.ckpt_path(&found.path);
        }
        let ckpt_path = parts.checkpoint.map(|found| found.path);
        Ok(Some(Built { trainer, model, data, config, hyper_parameters, seed, ckpt_path }))
    }

    /// Resolves the configuration, and begins the random numbers of the program; or prints the configuration, if that was requested, and
    /// returns `None`.
    fn parts(self) -> Result<Option<Parts>> {
        let json = |of: &str, json: serde_json::Result<serde_json::Value>| {
            json.with_context(|| format!("cannot serialize the {of}'s hyperparameters"))
        };
        let (model, data) = (json("model", self.model.json())?, json("data", self.data.json())?);
        let Self { config, seed, optimization, callbacks, checkpoint, .. } = self;
        let seed = if self.prints { seed.number() } else { seed.of_all_processes(&config)? };
        if self.prints {
            let ckpt_path = self.ckpt_path.as_ref();
            let resolved = Resolved::new(seed, &config, &model, &data, &optimization, &callbacks, ckpt_path);
            say(resolved.to_yaml()?.trim_end())?;
            return Ok(None);
        }
        // the file that `best` or `last` is now
        let ckpt_path = checkpoint.as_ref().map(|found| CkptPath::Path(found.path.clone()));
        let resolved = Resolved::new(seed, &config, &model, &data, &optimization, &callbacks, ckpt_path.as_ref());
        let settings = resolved.settings();
        let configuration_file = configuration_file(resolved.to_yaml(), config.clone());
        let mut hyper_parameters = serde_json::json!({ "model": model, "data": data });
        optimization.add_to(&mut hyper_parameters).context("cannot serialize the optimizer")?;
        crate::seed_everything(seed);
        let (model, data) = (self.model, self.data);
        Ok(Some(Parts {
            config,
            model,
            data,
            hyper_parameters,
            settings,
            configuration_file,
            seed,
            optimization,
            callbacks,
            checkpoint,
        }))
    }

    /// Prints the hooks that a run of the verb would call.
    pub(super) fn plan<M, D>(self, complete: impl FnOnce(Trainer<M>) -> Trainer<M>) -> Result<()>
    where
        M: LightningModule + FromHparamsAndData<D>,
        D: Loads<M::Batch> + FromHparams,
    {
        let stage = self.stage;
        // it needs no other processes
        let seed = Seed::Number(self.seed.number());
        let built = Self { seed, ..self }.build::<M, D>(complete)?;
        let Some(Built { mut trainer, mut model, mut data, .. }) = built else { return Ok(()) };
        say(&trainer.plan(stage, &mut model, &mut data)?.to_string())
    }

    /// Writes what `predict_step` computes as TorchScript.
    pub(super) fn trace<M, D>(self, path: &Path, complete: impl FnOnce(Trainer<M>) -> Trainer<M>) -> Result<()>
    where
        M: LightningModule + FromHparamsAndData<D>,
        D: Loads<M::Batch> + FromHparams,
    {
        let Some(Built { mut trainer, mut model, mut data, .. }) = self.build::<M, D>(complete)? else { return Ok(()) };
        trainer.run_to_torchscript(&mut model, &mut &mut data, path)?;
        say(&path.display().to_string())
    }

    /// Runs the verb with the trainer that `complete` completes.
    pub(super) fn run<M, D>(self, complete: impl FnOnce(Trainer<M>) -> Trainer<M>) -> Result<()>
    where
        M: LightningModule + FromHparamsAndData<D>,
        D: Loads<M::Batch> + FromHparams,
    {
        let stage = self.stage;
        let built = self.build::<M, D>(complete)?;
        let Some(Built { mut trainer, mut model, mut data, .. }) = built else { return Ok(()) };
        // without the bounds of the public verbs: the missing hooks of a verb are an error when the verb is called
        match stage {
            Stage::Fit => {
                trainer.run_fit(&mut model, &mut &mut data).map_err(with_optimizer_flag)?;
                say_folder(trainer.context());
                Ok(())
            }
            Stage::Validate => {
                let metrics = trainer.run_validate(&mut model, &mut &mut data)?;
                say_metrics(&metrics, trainer.context())
            }
            Stage::Test => {
                let metrics = trainer.run_test(&mut model, &mut &mut data)?;
                say_metrics(&metrics, trainer.context())
            }
            Stage::Predict => {
                let batches = trainer.run_predict(&mut model, &mut &mut data, None)?.len();
                say_batches(batches, trainer.context())
            }
        }
    }
}

/// Returns an error if a part of a checkpoint is to be taken, of which there is none.
fn refuse_nothing_to_resume(resume: Resume) -> Result<()> {
    let part = match resume {
        Resume::All => return Ok(()),
        Resume::Optimizer => "optimizer",
        Resume::Weights => "weights",
    };
    Err(anyhow!("`--resume {part}` needs a checkpoint to begin with: add `--ckpt-path best`, `last` or a file"))
}

fn say_folder(ctx: &RunContext) {
    if let Some(folder) = ctx.made_log_dir() {
        info!("the run's folder is {}", folder.display());
    }
}

/// Prints the number of predicted batches. Each process has predicted its part.
fn say_batches(batches: usize, ctx: &RunContext) -> Result<()> {
    let batches = ctx.gather(batches)?.iter().sum();
    info!("predicted {}", counted(batches, "batch"));
    Ok(())
}

/// Adds to the error of a module without optimizer that a flag can choose one.
fn with_optimizer_flag(error: Error) -> anyhow::Error {
    match error {
        Error::Missing { hook: Hook::ConfigureOptimizers, .. } => {
            anyhow!("{error}, or choose an optimizer, such as `--optimizer adamw`")
        }
        error => error.into(),
    }
}

/// Returns the configuration file of the program's runs. A configuration that YAML cannot hold is a warning.
fn configuration_file(resolved: Result<String>, config: TrainerConfig) -> ConfigurationFile {
    Box::new(move || {
        let environment = Environment::of(&config).to_yaml();
        match resolved.as_ref().and_then(|resolved| Ok((resolved, environment.as_ref()?))) {
            Ok((resolved, environment)) => Some(format!("{resolved}\n{environment}")),
            Err(error) => {
                warning!("the configuration of the run is not saved: {}", in_one_line(error));
                None
            }
        }
    })
}

/// Warns about each changed setting of an optimizer in a resumed `fit`, which keeps the settings of the checkpoint.
fn warn_of_kept_settings(metadata: &Metadata, settings: &Value) {
    let groups: Vec<_> = metadata.optimizers.iter().map(|optimizer| &optimizer.groups).collect();
    let kept = [json::to_value(&groups), json::to_value(&metadata.lr_schedulers)];
    let is_kept = |number: &Value| kept.iter().flatten().any(|json| contains(json, number));
    for (section, prefix) in [("model", ""), (OPTIMIZER, "optimizer."), (LR_SCHEDULER, "lr_scheduler.")] {
        let saved = metadata.hyper_parameters.as_ref().and_then(|saved| saved[section].as_object());
        for (name, old) in saved.into_iter().flatten() {
            let new = settings[section].get(name);
            if let Some(new) = new.filter(|new| *new != old && old.is_f64() && is_kept(old)) {
                warning!(
                    "`{prefix}{name}` is {new}, but {old} in the checkpoint: optimizers and schedulers resume with the checkpoint's settings"
                );
            }
        }
    }
}

/// Returns whether a value contains this number at any depth.
fn contains(json: &Value, number: &Value) -> bool {
    match json {
        Value::Array(items) => items.iter().any(|item| contains(item, number)),
        Value::Object(map) => map.values().any(|item| contains(item, number)),
        other => other == number,
    }
}

/// Prints the metrics of an evaluation, in the first of several processes.
fn say_metrics(metrics: &Metrics, ctx: &RunContext) -> Result<()> {
    if ctx.is_global_zero() { say(&metrics_table(metrics)) } else { Ok(()) }
}

fn metrics_table(metrics: &Metrics) -> String {
    let mut table = table::with_header(["Metric", "Value"]);
    for (name, value) in metrics {
        table.add_row([name.to_owned(), Number(value).to_string()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Writes a result to stdout.
pub(super) fn say(text: &str) -> Result<()> {
    terminal::print(text).context(terminal::NOT_PRINTED)
}
