use serde::{Serialize, Serializer};
use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The checkpoint that a run begins from: a file, or one that the run finds by itself. Lightning's
/// [`ckpt_path`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#fit).
///
/// The texts `best` and `last` are [`Best`](Self::Best) and [`Last`](Self::Last); a file of such a name is `./best`.
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
    /// A `fit` that finds none prints a warning and begins from scratch, as in Lightning; the other verbs fail.
    Last,
    /// This file. A leading `~` is the user's home directory.
    Path(PathBuf),
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
