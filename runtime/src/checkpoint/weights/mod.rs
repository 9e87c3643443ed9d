//! Exchanges parameters and buffers with other programs.
//!
//! [`open`] reads the weights of PyTorch, Lightning and Hugging Face, with names of theirs and for parts of a module; [`load`] those of a
//! file that fits exactly. [`save`] writes a plain `.safetensors` file with PyTorch's names, which are tch's names too if both programs
//! name the layers alike: `features.0.weight`, `norm.running_mean`. Read such a file in Python with
//!
//! ```python
//! model.load_state_dict(safetensors.torch.load_file("model.safetensors"))
//! ```
//!
//! and write one with
//!
//! ```python
//! safetensors.torch.save_file(model.state_dict(), "model.safetensors")
//! ```
//!
//! PyTorch's batch normalization has a buffer `num_batches_tracked`, which tch's does not have and which PyTorch uses only with
//! `momentum=None`. Written files omit it, which PyTorch accepts even with `strict=True`; reading ignores it.

mod loaded;
mod not_weights;
mod open;
mod rename;
mod selector;
mod sharded;
mod stored;
mod views;

pub use loaded::Loaded;
pub use open::{Weights, open};

use super::encode::Encoded;
use super::{Checkpoint, CheckpointError, MODULE, file};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tch::Tensor;
use tch::nn::VarStore;

const ONLY_IN_PYTORCH: &str = "num_batches_tracked";

/// Whether only PyTorch's modules have a tensor with this name.
pub(super) fn is_only_in_pytorch(name: &str) -> bool {
    name.rsplit('.').next() == Some(ONLY_IN_PYTORCH)
}

/// Writes the parameters and buffers of `variables` to a `.safetensors` file for PyTorch, atomically. At a symbolic link, it writes the
/// file that the link names.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be written, as in the place of a pipe, a socket or a device, or if safetensors does not support a dtype.
///
/// # Examples
/// ```
/// use tch_lightning::prelude::*;
/// use tch_lightning::checkpoint::weights;
///
/// # fn main() -> Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let mut vs = nn::VarStore::new(Device::Cpu);
/// let mut layer = nn::linear(vs.root() / "layer", 3, 2, nn::LinearConfig::default());
/// weights::save(&vs, &path)?;
///
/// let before = layer.ws.copy();
/// tch::no_grad(|| layer.ws.fill_(0.0));
/// weights::load(&mut vs, &path)?;
/// assert_eq!(layer.ws, before);
/// # Ok(())
/// # }
/// ```
pub fn save(variables: &VarStore, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
    let variables: HashMap<String, Tensor> = variables.variables();
    write(variables.iter().map(|(name, tensor)| (name.as_str(), tensor)), path.as_ref())
}

/// Copies the weights in a file into `variables`, all of which must be in it: [`open`] and [`Weights::load`]. Floating-point numbers are
/// converted to the dtype of their variable, as `load_state_dict` does.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be read, and [`CheckpointError::OtherModule`] with every name that is missing,
/// unexpected, of another shape, or of another kind of dtype, such as integers for floating-point numbers. In that case nothing is
/// copied.
pub fn load(variables: &mut VarStore, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
    open(path)?.load(variables).map(drop)
}

impl Checkpoint {
    /// Writes only the module's parameters and buffers, for PyTorch, as [`weights::save`](save) does.
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// # fn main() -> Result<()> {
    /// Checkpoint::read("last.ckpt".as_ref())?.export_weights("model.safetensors")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError`] if the file cannot be written; if the checkpoint does not contain [frozen](super::Metadata::frozen) parameters.
    pub fn export_weights(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        self.require_frozen()?;
        write(self.under(MODULE), path.as_ref())
    }
}

/// Writes tensors to a `.safetensors` file, as [`save`] does.
pub(crate) fn write<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a Tensor)>,
    path: &Path,
) -> Result<(), CheckpointError> {
    file::write(&Encoded::new(tensors.collect(), BTreeMap::from([("format", "pt")]))?, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mismatch::{Mismatch, Misshaped};
    use tch::{Device, Kind, nn};

    fn written(tensors: &[(&str, Tensor)]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        write(tensors.iter().map(|(name, tensor)| (*name, tensor)), &path).unwrap();
        (folder, path)
    }

    fn norm() -> VarStore {
        let variables = VarStore::new(Device::Cpu);
        nn::batch_norm1d(variables.root() / "norm", 2, nn::BatchNormConfig::default());
        variables
    }

    #[test]
    fn load_converts_dtypes_and_ignores_num_batches_tracked() {
        let half = |values: &[f32]| Tensor::from_slice(values).to_kind(Kind::Half);
        let (_folder, path) = written(&[
            ("norm.weight", half(&[0.5, 2.0])),
            ("norm.bias", Tensor::from_slice(&[1.0f64, -1.0])),
            ("norm.running_mean", half(&[3.0, 4.0])),
            ("norm.running_var", half(&[5.0, 6.0])),
            ("norm.num_batches_tracked", Tensor::from(7i64)),
        ]);
        let mut variables = norm();
        load(&mut variables, &path).unwrap();
        let found = variables.variables();
        assert_eq!(found["norm.weight"], Tensor::from_slice(&[0.5f32, 2.0]));
        assert_eq!(found["norm.bias"], Tensor::from_slice(&[1.0f32, -1.0]));
        assert_eq!(found["norm.running_var"], Tensor::from_slice(&[5.0f32, 6.0]));
    }

    #[test]
    fn load_reports_every_difference_and_copies_nothing() {
        let (_folder, path) = written(&[
            ("norm.weight", Tensor::from_slice(&[0.5f32, 2.0])),
            ("norm.bias", Tensor::from_slice(&[1.0f32, 2.0, 3.0])),
            ("norm.running_mean", Tensor::from_slice(&[0.0f32, 0.0])),
            ("head.weight", Tensor::from(1.0)),
        ]);
        let mut variables = norm();
        let before = variables.variables()["norm.weight"].copy();
        let error = load(&mut variables, &path).unwrap_err();
        assert!(error.to_string().starts_with(&format!("the checkpoint {} does not fit the module: ", path.display())));
        let CheckpointError::OtherModule { mismatch, .. } = error else { panic!() };
        let misshaped = vec![Misshaped { name: "norm.bias".to_owned(), found: vec![3], expected: vec![2] }];
        let (missing, unexpected) = (vec!["norm.running_var".to_owned()], vec!["head.weight".to_owned()]);
        assert_eq!(*mismatch, Mismatch { missing, misshaped, unexpected, ..Mismatch::default() });
        assert_eq!(variables.variables()["norm.weight"], before);
    }

    #[test]
    fn weights_of_a_checkpoint_and_of_its_export_are_the_same() {
        let mut source = norm();
        tch::no_grad(|| source.variables().remove("norm.running_mean").map(|mut mean| mean.fill_(3.0)));
        let mut checkpoint = Checkpoint::default();
        let tensors = source.variables().into_iter().map(|(name, tensor)| (format!("{MODULE}{name}"), tensor));
        checkpoint.tensors.extend(tensors);
        checkpoint.tensors.insert("optimizer.0.norm.weight.exp_avg".to_owned(), Tensor::from(1.0));
        let folder = tempfile::tempdir().unwrap();
        let [whole, alone] = ["last.ckpt", "model.safetensors"].map(|name| folder.path().join(name));
        checkpoint.write(&whole).unwrap();
        checkpoint.export_weights(&alone).unwrap();
        for path in [&whole, &alone] {
            let mut variables = norm();
            load(&mut variables, path).unwrap();
            assert_eq!(variables.variables()["norm.running_mean"], Tensor::from_slice(&[3.0f32, 3.0]));
        }
        save(&source, &whole).unwrap();
        assert_eq!(std::fs::read(&whole).unwrap(), std::fs::read(&alone).unwrap());
        load(&mut source, &whole).unwrap();
    }

    #[test]
    fn strict_load_refuses_calls_that_are_about_no_name() {
        let names = ["norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"];
        let (_folder, path) = written(&names.map(|name| (name, Tensor::from_slice(&[1.0f32, 2.0]))));
        let opened = || open(&path).unwrap();
        let listed = "norm.bias, norm.running_mean, norm.running_var, norm.weight";
        let (all, of_file) =
            (format!("the names are {listed}"), format!("the names in {} are {listed}", path.display()));
        for (weights, expected) in [
            (
                opened().only("norm"),
                "no name matches `norm` of `only`: write `norm.**` for all names below it".to_owned(),
            ),
            (opened().only("nrom.**"), format!("no name matches `nrom.**` of `only`: {all}")),
            (
                opened().only("norm.{weight,b}"),
                format!("no name matches `norm.b`, of the pattern `norm.{{weight,b}}` of `only`: {all}"),
            ),
            (opened().except("head.**"), format!("no name matches `head.**` of `except`: {all}")),
            (opened().transpose("*.kernel"), format!("no name matches `*.kernel` of `transpose`: {all}")),
            (opened().rename([("nrom.**", "norm.**")]), format!("no name matches a rule of `rename`: {of_file}")),
            (opened().under("modul"), format!("no name is below `modul`, the key of `under`: {of_file}")),
            (opened().only("fc.{a"), "`fc.{a` is not a valid pattern of parameter names: `{` without `}`".to_owned()),
            (
                opened().except("**"),
                format!("no tensor of {} is left to load, and no variable to take one", path.display()),
            ),
        ] {
            let said = weights.load(&mut norm()).unwrap_err().to_string();
            assert_eq!(said, format!("cannot load weights: {expected}"));
        }
        let loaded = opened().only("norm").strict(false).load(&mut norm()).unwrap();
        assert_eq!(loaded.to_string(), "0 tensors loaded");
    }

    #[test]
    fn key_of_all_names_in_the_file_is_named() {
        let names = ["weight", "bias", "running_mean", "running_var"].map(|name| format!("module.norm.{name}"));
        let tensors: Vec<_> = names.iter().map(|name| (name.as_str(), Tensor::from_slice(&[1.0f32, 2.0]))).collect();
        let (_folder, path) = written(&tensors);
        let said = load(&mut norm(), &path).unwrap_err().to_string();
        let expected = "begin with `module.`, and those of the variables do not: add `.under(\"module\")`";
        assert_eq!(said, format!("cannot load weights: all names in {} {expected}", path.display()));
        open(&path).unwrap().under("module").load(&mut norm()).unwrap();
    }

    #[test]
    fn strict_load_allows_for_several_layouts() {
        let names = ["norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"];
        let (_folder, path) = written(&names.map(|name| (name, Tensor::from_slice(&[1.0f32, 2.0]))));
        for weights in [
            open(&path).unwrap().except("**.lora_{A,B}.weight"),
            open(&path).unwrap().except("{lm_head.weight,**.attn.bias}"),
            open(&path).unwrap().except("{head.weight,norm.bias}"),
            open(&path).unwrap().rename([("model.**", "**"), ("norm.*", "norm.*")]),
            open(&path).unwrap().rename([("", ""); 0]),
        ] {
            weights.load(&mut norm()).unwrap();
        }
    }

    #[test]
    fn load_refuses_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.ckpt");
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            load(&mut norm(), &path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE")
        };
        let said = refused(b"PK\x03\x04");
        assert!(said.starts_with("cannot read FILE, a file of `torch.save`: "), "{said}");
        let mut bytes = Checkpoint::default().to_bytes().unwrap();
        bytes[20] ^= 1;
        let said = refused(&bytes);
        assert!(said.starts_with("FILE is damaged or truncated ("), "{said}");
        assert!(said.ends_with("): copy or download it again"), "{said}");
        let said = refused(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 548105171\n");
        assert_eq!(
            said,
            "FILE has no weights: it is a pointer of Git LFS, in place of the file itself: run `git lfs pull` in the folder that was cloned"
        );
        norm().save(folder.path().join("tch.ot")).unwrap();
        let said = refused(&std::fs::read(folder.path().join("tch.ot")).unwrap());
        assert!(said.starts_with("cannot read FILE: it is a file of TorchScript: that of tch's"), "{said}");
        // as the error says
        norm().load(folder.path().join("tch.ot")).unwrap();
        std::fs::write(folder.path().join("index.json"), r#"{"weight_map": {"norm.weight": "../a.safetensors"}}"#)
            .unwrap();
        for (path, expected) in [
            (
                "",
                " is not an index of safetensors files: the folder has neither `model.safetensors.index.json` nor `model.safetensors`",
            ),
            (
                "index.json",
                " is not an index of safetensors files: `../a.safetensors` is not the name of a file next to it",
            ),
        ] {
            let path = folder.path().join(path);
            let said = load(&mut norm(), &path).unwrap_err().to_string();
            assert_eq!(said, format!("{}{expected}", path.display()));
        }
    }
}
