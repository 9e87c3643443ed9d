//! A module for inference, made from a checkpoint.

use super::{
    AnyHyperparameters, CheckpointHooksTable, Fields, FlagValues, FromHparams, FromHparamsAndData, HasHparams,
    HyperparameterType, Hyperparameters, LightningModule, ModelHooksTable, of_type, variables,
};
use crate::checkpoint::Checkpoint;
use crate::config::TrainerConfig;
use crate::context::RunContext;
use crate::error::Error;
use crate::panic;
use crate::stage::Stage;
use crate::strategy::{SingleProcess, Strategy};
use crate::yaml::Table;
use serde_json::Value;
use std::fmt;
use std::path::Path;
use tch::Device;

/// Makes a module from a checkpoint, ready for inference. Every module with a constructor that the generated program can call
/// has it. Lightning's
/// [`load_from_checkpoint`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#load-from-checkpoint).
///
/// The constructor is called with the hyperparameters in the checkpoint. A hyperparameter that the checkpoint does not have, as it
/// was added since, has the default of its flag. `configure_model` and `on_load_checkpoint` are called, and then the weights are
/// loaded. The module is on the device that its constructor chose; `module.parameters().set_device(device)` moves it.
///
/// [`is_training`](crate::is_training) is false outside of a run, so that layers that use it predict as in validation. Gradients
/// are recorded unless the forward pass is in [`tch::no_grad`], or the module is [frozen](super::Freeze::freeze).
///
/// ```no_run
/// use tch_lightning::prelude::*;
/// # #[derive(clap::Args, serde::Serialize, serde::Deserialize)]
/// # struct Hparams { #[arg(long, default_value_t = 8)] width: i64 }
///
/// struct Model {
///     vs: nn::VarStore,
///     layer: nn::Linear,
/// }
///
/// #[lightning_module]
/// impl Model {
///     fn new(hparams: Hparams) -> Self {
///         let vs = nn::VarStore::new(Device::Cpu);
///         let layer = nn::linear(vs.root(), hparams.width, 1, nn::LinearConfig::default());
///         Self { vs, layer }
///     }
///     // …
/// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// }
///
/// # fn main() -> Result<()> {
/// let mut model = Model::load_from_checkpoint("last.ckpt")?;
/// model.freeze();
/// println!("{}", model.layer.forward(&Tensor::ones([1, 8], (Kind::Float, Device::Cpu))));
/// # Ok(())
/// # }
/// ```
pub trait LoadFromCheckpoint: LightningModule + HasHparams {
    /// Makes the module from a checkpoint, for a constructor `fn new(hparams: Hparams) -> Self` or `fn new() -> Self`.
    ///
    /// # Errors
    /// An [`Error`] that names the file, if it is not a checkpoint, if its hyperparameters or weights do not fit, or if the constructor
    /// or a hook fails.
    fn load_from_checkpoint(path: impl AsRef<Path>) -> Result<Self, Error>
    where
        Self: FromHparams,
    {
        Self::load_from_checkpoint_with(path, |_| {})
    }

    /// Makes the module from a checkpoint, as [`load_from_checkpoint`](Self::load_from_checkpoint) does, after `change` has changed
    /// the hyperparameters: `Model::load_from_checkpoint_with("last.ckpt", |hparams| hparams.dropout = 0.0)`.
    ///
    /// # Errors
    /// As [`load_from_checkpoint`](Self::load_from_checkpoint).
    fn load_from_checkpoint_with(path: impl AsRef<Path>, change: impl FnOnce(&mut Self::Hparams)) -> Result<Self, Error>
    where
        Self: FromHparams,
    {
        let (path, checkpoint) = read(path.as_ref())?;
        let mut hparams = hparams::<Self::Hparams>("model", path, &checkpoint)?;
        change(&mut hparams);
        let changed = hparams.to_json().ok();
        let module = made("model", path, || Self::from_hparams(hparams))?;
        loaded(module, path, &checkpoint, changed.as_ref())
    }

    /// Makes the module and its data module from a checkpoint, for a constructor that takes both:
    /// `fn new(hparams: Hparams, data: &Data) -> Self`. The data module is made first, from its own hyperparameters in the
    /// checkpoint; its hooks are not called.
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// # struct Text { letters: i64 }
    /// # #[lightning_datamodule]
    /// # impl Text { fn new() -> Self { Self { letters: 26 } } }
    /// # #[derive(clap::Args, serde::Serialize, serde::Deserialize)]
    /// # struct Hparams {}
    /// # struct Model { vs: nn::VarStore }
    /// # #[lightning_module]
    /// # impl Model {
    /// #     fn new(_: Hparams, data: &Text) -> Self { let _ = data.letters; Self { vs: nn::VarStore::new(Device::Cpu) } }
    /// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// # }
    /// # fn main() -> Result<()> {
    /// let (model, text) = Model::load_from_checkpoint_with_data::<Text>("last.ckpt")?;
    /// # let _ = (model, text);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`load_from_checkpoint`](Self::load_from_checkpoint).
    fn load_from_checkpoint_with_data<Data>(path: impl AsRef<Path>) -> Result<(Self, Data), Error>
    where
        Self: FromHparamsAndData<Data>,
        Data: FromHparams,
    {
        let (path, checkpoint) = read(path.as_ref())?;
        let data_hparams = hparams::<Data::Hparams>("data", path, &checkpoint)?;
        let model_hparams = hparams::<Self::Hparams>("model", path, &checkpoint)?;
        let data = made("data module", path, || Data::from_hparams(data_hparams))?;
        let module = made("model", path, || Self::from_hparams_and_data(model_hparams, &data))?;
        Ok((loaded(module, path, &checkpoint, None)?, data))
    }
}

impl<M: LightningModule + HasHparams> LoadFromCheckpoint for M {}

fn read(path: &Path) -> Result<(&Path, Checkpoint), Error> {
    Ok((path, Checkpoint::read(path)?))
}

/// Returns the saved hyperparameters of the model or of the data. A generated program saves both; in a program with its own `main`,
/// the value passed to `Trainer::hyper_parameters` may be only the model's.
fn saved_hparams<'a>(of: &str, checkpoint: &'a Checkpoint) -> Option<&'a Value> {
    let saved = checkpoint.metadata.hyper_parameters.as_ref();
    let part = saved.and_then(|saved| saved.get(of)).filter(|part| part.is_object());
    part.or(saved.filter(|_| of == "model"))
}

fn hparams<H: Hyperparameters>(of: &str, path: &Path, checkpoint: &Checkpoint) -> Result<H, Error> {
    read_hparams(HyperparameterType::of::<H>(), of, path, checkpoint).map(of_type)
}

fn read_hparams(
    kind: HyperparameterType,
    of: &str,
    path: &Path,
    checkpoint: &Checkpoint,
) -> Result<Box<dyn AnyHyperparameters>, Error> {
    let saved = saved_hparams(of, checkpoint);
    let values = saved.cloned().unwrap_or_else(|| Value::Object(Table::new()));
    let flags = FlagValues::defaults(kind);
    let wrong = |reason: &dyn fmt::Display| {
        let path = path.display();
        Error::configuration(match saved {
            Some(_) => format!("the hyperparameters in {path} do not fit the {of}: {reason}"),
            None => format!(
                "{path} does not have hyperparameters of the {of}: the generated program saves them; in your own `main`, pass \
                 them to `Trainer::hyper_parameters`"
            ),
        })
    };
    match Fields::new(kind, &flags, values.clone()).completed(&values) {
        Ok((hparams, None)) => Ok(hparams),
        Ok((_, Some(missing))) => Err(wrong(&format_args!("missing field `{}`", missing.join(".")))),
        Err(error) => Err(wrong(&error)),
    }
}

fn made<T>(what: &str, path: &Path, make: impl FnOnce() -> anyhow::Result<T>) -> Result<T, Error> {
    panic::catch(make).map_err(|error| {
        let of_file = path.display();
        Error::configuration(format!("cannot construct the {what} from the hyperparameters in {of_file}: {error:#}"))
    })
}

/// Returns the module with the checkpoint's weights. `changed` are its hyperparameters where they were changed.
fn loaded<M: LightningModule>(
    mut module: M,
    path: &Path,
    checkpoint: &Checkpoint,
    changed: Option<&Value>,
) -> Result<M, Error> {
    let config = TrainerConfig::default();
    let alone = (Box::new(SingleProcess) as Box<dyn Strategy>, Device::Cpu);
    let mut ctx = RunContext::of_run(config.clone(), Stage::Predict, alone, RunContext::new(config));
    ModelHooksTable::configure_model(&mut module, &mut ctx)?;
    CheckpointHooksTable::on_load_checkpoint(&mut module, &mut ctx, checkpoint)?;
    let saved = saved_hparams("model", checkpoint);
    let loaded = checkpoint.load_into(&variables(module.parameters()));
    loaded.map_err(|error| error.with_hyper_parameters(saved, changed).of_file(path))?;
    Ok(module)
}
