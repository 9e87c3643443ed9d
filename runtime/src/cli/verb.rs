//! One run of the program: `fit`, `validate`, `test` or `predict`.

use super::configuration::{Configuration, Printed};
use super::flags::{self, Flags, Parsed};
use super::hyperparameters;
use crate::checkpoint::Checkpoint;
use crate::config::TrainerConfig;
use crate::counted::counted;
use crate::json;
use crate::module::{FromHparams, FromHparamsAndData, HasHparams, Hyperparameters, LightningModule, Loads};
use crate::panic;
use crate::table;
use crate::terminal;
use crate::trainer::{Metrics, Trainer, last_checkpoint};
use crate::yaml;
use anyhow::{Context as _, Result, anyhow};
use comfy_table::CellAlignment;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A verb with its flags and configuration files read.
pub(super) struct Verb<M: HasHparams, D: HasHparams> {
    name: String,
    config: TrainerConfig,
    model: M::Hparams,
    data: D::Hparams,
    seed: i64,
    checkpoint: Option<PathBuf>,
    prints: bool,
}

impl<M, D> Verb<M, D>
where
    M: LightningModule + FromHparamsAndData<D>,
    D: Loads<M::Batch> + FromHparams,
{
    pub(super) fn new(parsed: Parsed, flags: &Flags, arguments: &[OsString], defaults: TrainerConfig) -> Result<Self> {
        let Parsed { verb: name, explicit, .. } = &parsed;
        let mut files = Configuration::of(explicit);
        let mut config = files.trainer(defaults);
        Hyperparameters::update_from_arg_matches(&mut config, explicit)?;
        let given_path = explicit.get_one::<PathBuf>(flags::CKPT_PATH).cloned();
        let mut checkpoint = given_path
            .or_else(|| files.value(flags::CKPT_PATH)?.as_str().filter(|path| !path.is_empty()).map(PathBuf::from));
        let prints = explicit.contains_id(flags::PRINT_CONFIG);
        if checkpoint.is_none() && name != "fit" && !prints {
            checkpoint = Some(last(&config)?);
        }
        let saved = saved_hyper_parameters(checkpoint.as_deref())?;
        let saved = checkpoint.as_deref().zip(saved.as_ref());
        let model = hyperparameters::read::<M::Hparams>("model", &parsed, saved, &mut files);
        let data = hyperparameters::read::<D::Hparams>("data", &parsed, saved, &mut files);
        files.check()?;
        let (model, data) = (model?, data?);
        if name == "fit" && saved.is_none() {
            let values = model.values.iter().chain(&data.values).map(|(id, value)| (id.clone(), value.clone()));
            if let Some(error) = flags.missing_besides(arguments, &parsed, &values.collect()) {
                error.exit();
            }
        }
        let seed = explicit.get_one::<i64>(flags::SEED).copied();
        let seed = seed.or_else(|| files.value(flags::SEED)?.as_i64()).unwrap_or_default();
        let (model, data) = (model.complete()?, data.complete()?);
        Ok(Self { name: name.clone(), config, model, data, seed, checkpoint, prints })
    }

    /// Runs the verb with the trainer that `complete` returns for the one of this configuration.
    pub(super) fn run(self, complete: impl FnOnce(Trainer<M>) -> Trainer<M>) -> Result<()> {
        let json = |of: &str, json: serde_json::Result<serde_json::Value>| {
            json.with_context(|| format!("the {of}'s hyperparameters can't be written"))
        };
        let (model, data) = (json("model", self.model.to_json())?, json("data", self.data.to_json())?);
        if self.prints {
            let Self { seed, config, checkpoint, .. } = &self;
            let (model, data) = (json::Plain(&model), json::Plain(&data));
            let printed =
                Printed { seed_everything: *seed, trainer: config, model, data, ckpt_path: checkpoint.as_deref() };
            let text = yaml::write(&printed).context("the configuration can't be written in YAML")?;
            return say(text.trim_end());
        }
        let hyper_parameters = serde_json::json!({ "model": model, "data": data });
        crate::seed_everything(self.seed);
        // the model may depend on the data module, as on the size of its vocabulary
        let mut data = panic::catch(|| D::from_hparams(self.data)).context("the data module can't be made")?;
        let module = panic::catch(|| M::from_hparams_and_data(self.model, &data));
        let mut module = module.context("the model can't be made")?;
        let mut trainer = complete(Trainer::new(self.config).hyper_parameters(hyper_parameters));
        if let Some(path) = &self.checkpoint {
            say(&format!("checkpoint: {}", path.display()))?;
            trainer = trainer.ckpt_path(path);
        }
        // without the bounds of the public verbs: the program says of each verb, when it is called, what is missing
        match self.name.as_str() {
            "fit" => {
                trainer.run_fit(&mut module, &mut &mut data)?;
                if let Some(folder) = trainer.context().made_log_dir() {
                    say(&format!("the run is in {}", folder.display()))?;
                }
                Ok(())
            }
            "validate" => say(&metrics_table(&trainer.run_validate(&mut module, &mut &mut data)?)),
            "test" => say(&metrics_table(&trainer.run_test(&mut module, &mut &mut data)?)),
            _ => {
                let batches = trainer.run_predict(&mut module, &mut &mut data)?.len();
                say(&format!("predicted {}", counted(batches, "batch")))
            }
        }
    }
}

/// The newest checkpoint under the run's root.
fn last(config: &TrainerConfig) -> Result<PathBuf> {
    let logs = config.root().join(crate::context::LOGS);
    last_checkpoint(&logs).ok_or_else(|| {
        anyhow!("there is no checkpoint in {}: run `fit` first, or name a checkpoint with --ckpt-path", logs.display())
    })
}

/// The hyperparameters that the checkpoint was made with.
fn saved_hyper_parameters(checkpoint: Option<&Path>) -> Result<Option<serde_json::Value>> {
    let Some(path) = checkpoint else { return Ok(None) };
    Ok(Checkpoint::read_metadata(path)?.hyper_parameters)
}

fn metrics_table(metrics: &Metrics) -> String {
    let mut table = table::with_header(["Metric", "Value"]);
    for (name, value) in metrics {
        table.add_row([name.clone(), format!("{value:.4}")]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Writes a result.
pub(super) fn say(text: &str) -> Result<()> {
    terminal::print(text).context("can't write to the standard output stream")
}
