//! Files of weights, and which of them a module takes.

use super::loaded::Loaded;
use super::not_weights::{instead_of_safetensors, instead_of_torch_save, is_torchscript};
use super::rename::Rule;
use super::selector::{Method, Selector};
use super::stored::{Stored, of_safetensors, of_torch_save};
use super::{is_only_in_pytorch, sharded};
use crate::checkpoint::CheckpointError;
use crate::checkpoint::file::Opened;
use crate::messages::warning;
use crate::mismatch::{Mismatch, first_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use tch::Tensor;
use tch::nn::VarStore;

/// Opens a file of weights, whose tensors are read when [`Weights::load`] copies them:
///
/// - `.safetensors`, as Hugging Face and [`save`](super::save) write them, and checkpoints of this crate
/// - the index of several of them, `model.safetensors.index.json`, or their folder
/// - `.pth`, `.pt`, `.bin` and `.ckpt` of `torch.save`, of every version of PyTorch, by the crate
///   [pytorch-reader](https://docs.rs/pytorch-reader), which runs no code of the file. Of a Lightning checkpoint, or another file with
///   more than weights, the `state_dict` or `model_state_dict`.
///
/// The bytes of the file tell which of them it is, not its name. A `.safetensors` file is mapped into memory, so that its tensors are
/// copied once, into the variables. It must not be changed while it is open.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be read, or is none of these.
///
/// # Examples
/// A backbone with the weights of torchvision's ResNet, whose last layer this model does not have:
///
/// ```no_run
/// use tch_lightning::checkpoint::weights;
/// use tch_lightning::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut vs = nn::VarStore::new(Device::Cpu);
/// let net = tch::vision::resnet::resnet18_no_final_layer(&(vs.root() / "backbone"));
/// let loaded = weights::open("resnet18.pth")?
///     .rename([("**", "backbone.**")])
///     .only("backbone.**")
///     .load(&mut vs)?;
/// println!("{loaded}");
/// # Ok(())
/// # }
/// ```
pub fn open(path: impl AsRef<Path>) -> Result<Weights, CheckpointError> {
    let path = path.as_ref();
    let stored = match sharded::files(path)? {
        None => of_file(path)?,
        Some(shards) => {
            let mut stored = Vec::new();
            for shard in shards {
                stored.extend(shard.assigned(of_file(&shard.path)?)?);
            }
            stored
        }
    };
    let named = stored.into_iter().map(|stored| Named { name: Some(stored.name.clone()), stored });
    Ok(Weights {
        path: path.to_owned(),
        tensors: named.collect(),
        only: Vec::new(),
        except: Vec::new(),
        transposed: Vec::new(),
        strict: true,
        refused: None,
        without_effect: None,
    })
}

fn of_file(path: &Path) -> Result<Vec<Stored>, CheckpointError> {
    let opened = Opened::new(path)?;
    let again = || File::open(path).ok();
    if opened.is_of_torch_save() {
        return of_torch_save(path).map_err(|error| {
            let path = path.to_owned();
            match again().and_then(instead_of_torch_save) {
                _ if again().is_some_and(is_torchscript) => CheckpointError::TorchScript { path },
                Some(what) => CheckpointError::NoWeights { path, what: what.to_owned() },
                None => error,
            }
        });
    }
    of_safetensors(&opened.file, path).map_err(|error| match again().and_then(instead_of_safetensors) {
        Some(what) => CheckpointError::NoWeights { path: path.to_owned(), what },
        None => error.of_weights(),
    })
}

/// The weights in a file, and how they are to be loaded; see [`open`].
///
/// [`rename`](Self::rename) and [`under`](Self::under) apply in the order of their calls. [`only`](Self::only), [`except`](Self::except)
/// and [`transpose`](Self::transpose) are about the names that result, which are those of the module's variables.
#[must_use = "the weights are loaded by `load`"]
pub struct Weights {
    path: PathBuf,
    tensors: Vec<Named>,
    only: Vec<Selector>,
    except: Vec<Selector>,
    transposed: Vec<Selector>,
    strict: bool,
    /// The first pattern or rule that is not valid, for `load` to return.
    refused: Option<CheckpointError>,
    /// The first call that was about no tensor of the file, which is an error of a strict load.
    without_effect: Option<CheckpointError>,
}

struct Named {
    /// The name of the variable that takes it; `None` if none is to.
    name: Option<String>,
    stored: Stored,
}

impl Weights {
    /// Returns the names of the tensors with their shapes, as renamed so far.
    pub fn shapes(&self) -> BTreeMap<&str, &[i64]> {
        let named = self.tensors.iter().filter_map(|one| Some((one.name.as_deref()?, one.stored.shape.as_slice())));
        named.collect()
    }

    /// Loads only the variables whose names match a pattern, such as `backbone.**` or `**.{weight,bias}`, as those of
    /// [parameter groups](crate::optim::ParameterGroup), or one of those of several calls. Other tensors of the file and other variables
    /// are ignored. Of a strict load, each alternative of `{a,b}` must match a name.
    pub fn only(mut self, pattern: &str) -> Self {
        let pattern = self.selector(Method::Only, pattern);
        self.only.extend(pattern);
        self
    }

    /// Ignores the variables whose names match a pattern, and tensors of the file with such names. Of a strict load, it must match a name,
    /// unless it begins with `**`, as [`lora::ADAPTERS`](crate::lora::ADAPTERS) does for modules with and without adapters.
    pub fn except(mut self, pattern: &str) -> Self {
        let pattern = self.selector(Method::Except, pattern);
        self.except.extend(pattern);
        self
    }

    /// Takes the tensors below a key of a file, such as `ema` or `model.encoder`, by the rest of their names, and ignores the others.
    pub fn under(mut self, key: &str) -> Self {
        self.note_without_effect(
            |name| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')),
            || format!("no name is below `{key}`, the key of `under`"),
        );
        for one in &mut self.tensors {
            let rest = one.name.take().and_then(|name| Some(name.strip_prefix(key)?.strip_prefix('.')?.to_owned()));
            one.name = rest;
        }
        self
    }

    /// Renames the tensors of the file by a table of rules, of which the first that matches a name applies to it. Names that no rule
    /// matches stay. A table may be for files of several layouts; of a strict load, one of its rules must match a name.
    ///
    /// In a rule, `*` is one component of a name, or a part of one, and `**` any number of components. Those of the new name stand for
    /// what those of the old one match, in their order.
    ///
    /// ```no_run
    /// # use tch_lightning::checkpoint::weights;
    /// # use tch_lightning::prelude::*;
    /// # fn main() -> Result<()> {
    /// # let mut vs = nn::VarStore::new(Device::Cpu);
    /// /// Hugging Face's GPT-2, for a model whose blocks are `blocks.0`, `blocks.1` and so on.
    /// const GPT2: [(&str, &str); 4] = [
    ///     ("wte.weight", "tokens.weight"),
    ///     ("wpe.weight", "positions.weight"),
    ///     ("h.*.attn.c_attn.*", "blocks.*.attention.qkv.*"),
    ///     ("h.*.**", "blocks.*.**"),
    /// ];
    /// // its `Conv1D` has the weights of a linear layer transposed
    /// weights::open("gpt2/model.safetensors")?.rename(GPT2).transpose("blocks.*.**.c_*.weight").load(&mut vs)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rename<From: AsRef<str>, To: AsRef<str>>(mut self, table: impl IntoIterator<Item = (From, To)>) -> Self {
        let rules: Result<Vec<Rule>, String> =
            table.into_iter().map(|(from, to)| Rule::new(from.as_ref(), to.as_ref())).collect();
        match rules {
            Ok(rules) => {
                let renamed = |name: &str| rules.iter().find_map(|rule| rule.apply(name));
                if !rules.is_empty() {
                    self.note_without_effect(
                        |name| renamed(name).is_some(),
                        || "no name matches a rule of `rename`".to_owned(),
                    );
                }
                self.rename_with(|name| Some(renamed(name).unwrap_or_else(|| name.to_owned())))
            }
            Err(reason) => {
                self.refused.get_or_insert(CheckpointError::Selection { reason });
                self
            }
        }
    }

    /// Renames each tensor of the file by a function, for which no table is enough. Tensors without a name, `None`, are ignored.
    pub fn rename_with(mut self, mut rename: impl FnMut(&str) -> Option<String>) -> Self {
        for one in &mut self.tensors {
            one.name = one.name.take().and_then(|name| rename(&name));
        }
        self
    }

    /// Transposes the matrices whose names match a pattern. Of a strict load, each alternative of `{a,b}` must match a name.
    pub fn transpose(mut self, pattern: &str) -> Self {
        let pattern = self.selector(Method::Transpose, pattern);
        self.transposed.extend(pattern);
        self
    }

    /// Whether tensors that do not fit are an error, which is the default. With `false`, [`load`](Self::load) loads those that fit.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    fn selector(&mut self, method: Method, pattern: &str) -> Option<Selector> {
        Selector::new(method, pattern).map_err(|error| self.refused.get_or_insert(error)).ok()
    }

    /// Notes a call that is about none of the file's names, whose `problem` is a part of a sentence.
    fn note_without_effect(&mut self, is_meant: impl Fn(&str) -> bool, problem: impl FnOnce() -> String) {
        let names: Vec<&str> = self.shapes().into_keys().collect();
        if !names.iter().any(|name| is_meant(name)) {
            let reason = format!("{}: the names in {} are {}", problem(), self.path.display(), first_of(&names));
            self.without_effect.get_or_insert(CheckpointError::Selection { reason });
        }
    }

    /// Returns the error of a strict load if a call was about no name.
    fn check_effects(&mut self, variables: &[(String, Tensor)]) -> Result<(), CheckpointError> {
        if let Some(error) = self.without_effect.take() {
            return Err(error);
        }
        let of_variables = variables.iter().map(|(name, _)| name.as_str());
        let names: BTreeSet<&str> = of_variables.chain(self.shapes().into_keys()).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        self.only.iter().chain(&self.except).chain(&self.transposed).try_for_each(|selector| selector.check(&names))
    }

    /// Copies the weights into the variables, converted to their dtypes, and returns what was loaded and what was not.
    ///
    /// # Errors
    /// [`CheckpointError::OtherModule`] if it is strict and a variable is missing in the file, or a tensor of the file is unexpected,
    /// of another shape or of another kind of dtype, such as integers for floating-point numbers; [`CheckpointError::Selection`] for a
    /// pattern or a rule that is not valid, two tensors with one name, and, if it is strict, for a pattern, a key or a table that is about
    /// no name, or if no tensor is left to load. In these cases no variable is changed. An error of reading a tensor leaves those before it
    /// loaded. A load that is not strict warns if it loads nothing.
    pub fn load(self, variables: &mut VarStore) -> Result<Loaded, CheckpointError> {
        let mut variables: Vec<(String, Tensor)> = variables.variables().into_iter().collect();
        variables.sort_by(|one, other| one.0.cmp(&other.0));
        self.load_into(&variables)
    }

    /// Like [`load`](Self::load), into these variables.
    pub(crate) fn load_into(self, variables: &[(String, Tensor)]) -> Result<Loaded, CheckpointError> {
        let path = self.path.clone();
        self.into_variables(variables).map_err(|error| error.of_weights().of_file(&path))
    }

    fn into_variables(mut self, variables: &[(String, Tensor)]) -> Result<Loaded, CheckpointError> {
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        if self.strict {
            self.check_effects(variables)?;
        }
        let stored = self.wanted()?;
        let wanted: Vec<(&str, &Tensor)> = variables
            .iter()
            .map(|(name, variable)| (name.as_str(), variable))
            .filter(|(name, _)| self.is_wanted(name))
            .collect();
        if self.strict {
            self.refuse_key_of_all(&wanted)?;
        }
        let described = stored.iter().map(|(name, stored)| (*name, (self.shape(name, stored), stored.kind)));
        let mut mismatch = Mismatch::between(described.collect(), wanted.iter().copied())?;
        mismatch.unexpected.retain(|name| !is_only_in_pytorch(name));
        if self.strict && !mismatch.is_empty() {
            let mismatch = mismatch.into();
            return Err(CheckpointError::OtherModule { path: None, mismatch, hyper_parameters: Vec::new() });
        }
        let fitting: Vec<_> = wanted.into_iter().filter(|(name, _)| mismatch.fits(name)).collect();
        if fitting.is_empty() {
            self.report_nothing(&mismatch)?;
        }
        tch::no_grad(|| {
            let mut copies = fitting.iter().filter_map(|(name, variable)| Some((name, variable, stored.get(name)?)));
            copies.try_for_each(|(name, variable, stored)| stored.copy_to(variable, self.is_transposed(name, stored)))
        })?;
        let taken = fitting.into_iter().map(|(name, _)| name.to_owned()).collect();
        Ok(Loaded { taken, mismatch })
    }

    /// Returns an error if all names in the file are below one key, and would be those of variables without it.
    fn refuse_key_of_all(&self, variables: &[(&str, &Tensor)]) -> Result<(), CheckpointError> {
        let is_variable = |name: &str| variables.iter().any(|(variable, _)| *variable == name);
        let names: Vec<&str> = self.shapes().into_keys().collect();
        let Some((key, _)) = names.first().and_then(|name| name.split_once('.')) else { return Ok(()) };
        let below: Option<Vec<&str>> = names.iter().map(|name| name.strip_prefix(key)?.strip_prefix('.')).collect();
        let is_key = below.is_some_and(|below| below.into_iter().any(is_variable))
            && !names.iter().any(|name| is_variable(name));
        if !is_key {
            return Ok(());
        }
        let path = self.path.display();
        let reason = format!(
            "all names in {path} begin with `{key}.`, and those of the variables do not: add `.under(\"{key}\")`"
        );
        Err(CheckpointError::Selection { reason })
    }

    /// Reports that no variable takes a tensor: as an error if the load is strict, and as a warning otherwise.
    fn report_nothing(&self, mismatch: &Mismatch) -> Result<(), CheckpointError> {
        let path = self.path.display();
        match (self.strict, mismatch.is_empty()) {
            (true, _) => {
                let reason = format!("no tensor of {path} is left to load, and no variable to take one");
                return Err(CheckpointError::Selection { reason });
            }
            (false, true) => warning!("no tensor of {path} was loaded: there is none, and no variable to take one"),
            (false, false) => warning!("no tensor of {path} was loaded: {mismatch}"),
        }
        Ok(())
    }

    /// Returns the tensors that are to be loaded, by the names of their variables.
    fn wanted(&self) -> Result<BTreeMap<&str, &Stored>, CheckpointError> {
        let mut wanted: BTreeMap<&str, &Stored> = BTreeMap::new();
        for one in &self.tensors {
            let Some(name) = one.name.as_deref().filter(|name| self.is_wanted(name)) else { continue };
            if let Some(other) = wanted.insert(name, &one.stored) {
                return Err(CheckpointError::Selection {
                    reason: format!("`{}` and `{}` are both named `{name}`", other.name, one.stored.name),
                });
            }
        }
        Ok(wanted)
    }

    fn is_wanted(&self, name: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|only| only.matches(name)))
            && !self.except.iter().any(|except| except.matches(name))
    }

    fn is_transposed(&self, name: &str, stored: &Stored) -> bool {
        stored.shape.len() == 2 && self.transposed.iter().any(|pattern| pattern.matches(name))
    }

    /// Returns the shape in which the tensor is copied into the variable of this name.
    fn shape(&self, name: &str, stored: &Stored) -> Vec<i64> {
        let mut shape = stored.shape.clone();
        if self.is_transposed(name, stored) {
            shape.reverse();
        }
        shape
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weights").field("path", &self.path).field("shapes", &self.shapes()).finish_non_exhaustive()
    }
}
