use super::find_checkpoint;
use crate::config::TrainerConfig;
use crate::error::Error;
use crate::stage::Stage;
use serde::{Serialize, Serializer};
use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The checkpoint that a run starts from: a file, or one that the run searches for. Lightning's
/// [`ckpt_path`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#fit).
///
/// The texts `best` and `last` are [`Best`](Self::Best) and [`Last`](Self::Last); a file of such a name is `./best`.
/// [`resolve`](Self::resolve) returns the file, as for [`load_from_checkpoint`](crate::module::LoadFromCheckpoint::load_from_checkpoint).
///
/// ```
/// use tch_lightning::trainer::CkptPath;
///
/// assert_eq!(CkptPath::from("best"), CkptPath::Best);
/// assert_eq!(CkptPath::from("runs/epoch=3.ckpt"), CkptPath::Path("runs/epoch=3.ckpt".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CkptPath {
    /// The best checkpoint by the metric that a [`ModelCheckpoint`](crate::callbacks::ModelCheckpoint) monitors, or the newest one that it
    /// wrote where it monitors none: of the trainer's own last `fit`, else of the newest run under
    /// [`default_root_dir`](field@crate::TrainerConfig::default_root_dir).
    ///
    /// Of several `ModelCheckpoint`s, the first one that monitors a metric counts.
    Best,
    /// The newest checkpoint: of the trainer's own last `fit`, else of the newest run under
    /// [`default_root_dir`](field@crate::TrainerConfig::default_root_dir) that has one.
    ///
    /// A `fit` that does not find one prints a warning and starts from scratch, as in Lightning; the other verbs fail.
    Last,
    /// This file. A leading `~` is the user's home directory.
    Path(PathBuf),
}

impl CkptPath {
    /// Returns the file that this is for the newest run under `root_dir`, the trainer's `default_root_dir`: the one that
    /// `--ckpt-path best` chooses in a program that is started with the same folder.
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore }
    /// # #[lightning_module]
    /// # impl Model {
    /// #     fn new() -> Self { Self { vs: nn::VarStore::new(Device::Cpu) } }
    /// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// # }
    /// use tch_lightning::trainer::CkptPath;
    ///
    /// let mut model = Model::load_from_checkpoint(CkptPath::Best.resolve(".")?)?;
    /// # model.freeze();
    /// # Ok::<(), tch_lightning::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Configuration`] if there is no such checkpoint, and [`Error::Checkpoint`] if the newest one cannot be read. A
    /// [`Path`](Self::Path) is returned as it is, whether the file exists or not.
    pub fn resolve(&self, root_dir: impl Into<PathBuf>) -> Result<PathBuf, Error> {
        let config = TrainerConfig { default_root_dir: root_dir.into(), ..TrainerConfig::default() };
        let found = find_checkpoint(self, Stage::Predict, &config)?;
        Ok(found.map(|found| found.path).unwrap_or_default())
    }
}

impl From<&str> for CkptPath {
    fn from(text: &str) -> Self {
        match text {
            "best" => Self::Best,
            "last" => Self::Last,
            path => Self::Path(path.into()),
        }
    }
}

impl From<String> for CkptPath {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for CkptPath {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<OsString> for CkptPath {
    fn from(text: OsString) -> Self {
        text.to_str().map_or_else(|| Self::Path(text.clone().into()), Self::from)
    }
}

impl From<PathBuf> for CkptPath {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&PathBuf> for CkptPath {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}

impl From<&Path> for CkptPath {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl FromStr for CkptPath {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl Serialize for CkptPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => path.serialize(serializer),
            other => serializer.collect_str(other),
        }
    }
}

impl fmt::Display for CkptPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Best => f.write_str("best"),
            Self::Last => f.write_str("last"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}
