//! Adapters in PEFT's layout: a folder with `adapter_config.json` and `adapter_model.safetensors`.

use super::adapter_config::AdapterConfig;
use super::names::{adapted_layer, is_adapter};
use super::{Lora, LoraError};
use crate::atomic_file;
use crate::checkpoint::weights::{self, Loaded, Weights};
use crate::file_error::FileError;
use crate::module::variables;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tch::Tensor;
use tch::nn::VarStore;

const CONFIG: &str = "adapter_config.json";
const MODEL: &str = "adapter_model.safetensors";
/// What PEFT writes with `safe_serialization=False`.
const PICKLED: &str = "adapter_model.bin";

/// What the names of tensors begin with, for the module in PEFT's own one.
const PREFIX: &str = "base_model.model.";

/// An adapter in files of PEFT, which [`open`] reads.
#[derive(Debug)]
pub struct Adapter {
    path: PathBuf,
    settings: Lora,
    weights: Weights,
}

/// Opens the adapter in a folder, as PEFT's `save_pretrained` and [`Lora::save`] write it.
///
/// ```no_run
/// use tch_lightning::lora;
/// # use tch_lightning::prelude::*;
/// # fn model(root: nn::Path<'_>, lora: Option<&lora::Lora>) -> Result<()> { Ok(()) }
///
/// # fn main() -> Result<()> {
/// let adapter = lora::open("adapter")?.rename([("transformer.h.**", "blocks.**")]);
/// let mut vs = nn::VarStore::new(Device::Cpu);
/// let net = model(vs.root(), Some(&adapter.lora()))?;
/// // … after the weights of the base are loaded
/// adapter.load(&mut vs)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`LoraError::Config`] if the adapter has a setting that is not supported, such as DoRA, and [`LoraError::File`] or
/// [`LoraError::Weights`] if a file cannot be read.
pub fn open(folder: impl AsRef<Path>) -> Result<Adapter, LoraError> {
    let folder = folder.as_ref();
    let path = folder.join(CONFIG);
    let text = fs::read_to_string(&path).map_err(|source| FileError { what: "cannot read", path, source })?;
    let refused = |reason: String| LoraError::Config { path: folder.to_owned(), reason };
    let settings = AdapterConfig::parse(&text).and_then(|config| config.lora()).map_err(&refused)?;
    if !folder.join(MODEL).exists() && folder.join(PICKLED).exists() {
        return Err(refused(format!(
            "it has `{PICKLED}` in place of `{MODEL}`: save it in Python with `safe_serialization=True`"
        )));
    }
    let weights = weights::open(folder.join(MODEL))?;
    let weights = weights.rename_with(|name| Some(name.strip_prefix(PREFIX).unwrap_or(name).to_owned()));
    Ok(Adapter { path: folder.to_owned(), settings, weights })
}

impl Adapter {
    /// Renames the tensors by a table of rules, as [`Weights::rename`] does, for a module with other names than in Python. The names
    /// are without PEFT's `base_model.model.`.
    pub fn rename<From: AsRef<str>, To: AsRef<str>>(self, table: impl IntoIterator<Item = (From, To)>) -> Self {
        Self { weights: self.weights.rename(table), ..self }
    }

    /// The settings of the adapter, which choose the layers of which it has matrices, as renamed so far.
    pub fn lora(&self) -> Lora {
        let (mut layers, mut modules) = (BTreeSet::new(), BTreeSet::new());
        for name in self.weights.shapes().into_keys() {
            match adapted_layer(name) {
                Some(layer) => layers.insert(layer.to_owned()),
                None => name.rsplit_once('.').is_some_and(|(module, _)| modules.insert(module.to_owned())),
            };
        }
        let (target_modules, modules_to_save) = (Vec::from_iter(layers), Vec::from_iter(modules));
        Lora { target_modules, modules_to_save, ..self.settings.clone() }
    }

    /// Copies the adapter into the variables of a module that was made with [`lora`](Self::lora), and returns what was loaded.
    ///
    /// # Errors
    /// [`LoraError::Weights`] with each tensor that the adapter has and the module does not, or the other way around, or that has
    /// another shape. In that case nothing is copied.
    pub fn load(self, into: &mut VarStore) -> Result<Loaded, LoraError> {
        let names: BTreeSet<String> = self.weights.shapes().into_keys().map(str::to_owned).collect();
        let taken: Vec<(String, Tensor)> =
            variables(into).into_iter().filter(|(name, _)| is_adapter(name) || names.contains(name)).collect();
        Ok(self.weights.load_into(&taken).map_err(|error| error.of_file(&self.path))?)
    }
}

impl Lora {
    /// Writes the adapters and the [modules to save](Self::modules_to_save) into a folder, which is created if it is missing, for
    /// [`open`] and for `PeftModel.from_pretrained` in Python. The weights of the base are not part of it.
    ///
    /// # Errors
    /// [`LoraError::NoAdapter`] and [`LoraError::NoModule`] if there is nothing to write, and [`LoraError::File`] or
    /// [`LoraError::Weights`] if a file cannot be written.
    pub fn save(&self, store: &VarStore, folder: impl AsRef<Path>) -> Result<(), LoraError> {
        self.save_renamed(store, folder, str::to_owned)
    }

    /// Writes the adapters as [`save`](Self::save) does, for a module with other names in Python: `rename` returns Python's name of a
    /// variable such as `blocks.0.qkv.lora_A.weight`.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_renamed(
        &self,
        store: &VarStore,
        folder: impl AsRef<Path>,
        rename: impl Fn(&str) -> String,
    ) -> Result<(), LoraError> {
        let folder = folder.as_ref();
        let saved = self.saved_modules(store)?;
        let named: Vec<(String, Tensor)> = variables(store).into_iter().filter(|(name, _)| saved.has(name)).collect();
        let (mut layers, mut modules) = (BTreeSet::new(), BTreeSet::new());
        for (name, _) in &named {
            let renamed = rename(name);
            if let Some(layer) = adapted_layer(&renamed) {
                layers.insert(layer.to_owned());
            } else if let Some(module) = saved.module_of(name) {
                modules.extend(renamed.strip_suffix(&name[module.len()..]).map(str::to_owned));
            }
        }
        let config = AdapterConfig::new(self, &Vec::from_iter(layers), &Vec::from_iter(modules));
        let tensors: Vec<(String, &Tensor)> =
            named.iter().map(|(name, tensor)| (format!("{PREFIX}{}", rename(name)), tensor)).collect();

        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| FileError { what: "cannot write", path, source }
        };
        atomic_file::make_folders(folder).map_err(failed(folder))?;
        weights::write(tensors.iter().map(|(name, tensor)| (name.as_str(), *tensor)), &folder.join(MODEL))?;
        let path = folder.join(CONFIG);
        let written = atomic_file::write(&path, |file| {
            serde_json::to_writer_pretty(&mut *file, &config)?;
            file.write_all(b"\n")
        });
        Ok(written.map_err(failed(&path))?)
    }
}
