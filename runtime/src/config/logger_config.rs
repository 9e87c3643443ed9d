use crate::misspelling::unknown_key;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A logger of the trainer's configuration: its name, or its name with options.
///
/// As flags: `--logger csv --logger tensorboard`, or `--logger csv,tensorboard`. In a configuration file:
///
/// ```yaml
/// trainer:
///   logger:
///   - csv
///   - tensorboard: {folder: board}
///   - mlflow: {tracking_uri: "http://127.0.0.1:5000", experiment_name: digits}
/// ```
///
/// In code:
///
/// ```
/// use tch_lightning::TrainerConfig;
/// use tch_lightning::trainer::LoggerConfig;
///
/// let config = TrainerConfig::default().logger(["csv".parse()?, LoggerConfig::TensorBoard { folder: Some("board".into()) }]);
/// assert_eq!(config, TrainerConfig::from_yaml("logger: [csv, {tensorboard: {folder: board}}]")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A logger without a `folder` writes into the folder of the run. Loggers of your own are added with
/// [`Program::logger`](crate::cli::Program::logger) or [`Trainer::logger`](crate::Trainer::logger); they come after those of the
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoggerConfig {
    /// `csv`: a [`CsvLogger`](crate::loggers::CsvLogger).
    Csv {
        /// The folder of its files; by default that of the run.
        folder: Option<PathBuf>,
    },
    /// `tensorboard`: a [`TensorBoardLogger`](crate::loggers::TensorBoardLogger).
    TensorBoard {
        /// The folder of its files; by default that of the run.
        folder: Option<PathBuf>,
    },
    /// `jsonl`: a [`JsonLinesLogger`](crate::loggers::JsonLinesLogger).
    JsonLines {
        /// The folder of its files; by default that of the run.
        folder: Option<PathBuf>,
    },
    /// `mlflow`: a `MlflowLogger`, with the feature `mlflow` of this crate.
    Mlflow {
        /// The address of the server; by default that of the environment variable `MLFLOW_TRACKING_URI`.
        tracking_uri: Option<String>,
        /// The name of the experiment; by default `lightning_logs`.
        experiment_name: Option<String>,
        /// The name of the run; by default the server chooses one.
        run_name: Option<String>,
    },
    /// `wandb`: a [`WandbLogger`](crate::loggers::WandbLogger), whose files `wandb sync` uploads.
    Wandb {
        /// The folder of the runs; by default `wandb` in that of the run.
        folder: Option<PathBuf>,
        /// The project; by default `lightning_logs`.
        project: Option<String>,
        /// The user or team that the run belongs to; by default the one that uploads it.
        entity: Option<String>,
        /// The name of the run; by default W&B chooses one.
        run_name: Option<String>,
    },
}

impl LoggerConfig {
    /// The name in a configuration.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Csv { .. } => "csv",
            Self::TensorBoard { .. } => "tensorboard",
            Self::JsonLines { .. } => "jsonl",
            Self::Mlflow { .. } => "mlflow",
            Self::Wandb { .. } => "wandb",
        }
    }

    /// Returns the options that are set.
    fn options(&self) -> Vec<(&'static str, &OsStr)> {
        match self {
            Self::Csv { folder } | Self::TensorBoard { folder } | Self::JsonLines { folder } => {
                folder.iter().map(|folder| ("folder", folder.as_os_str())).collect()
            }
            Self::Mlflow { tracking_uri, experiment_name, run_name } => {
                texts([("tracking_uri", tracking_uri), ("experiment_name", experiment_name), ("run_name", run_name)])
                    .collect()
            }
            Self::Wandb { folder, project, entity, run_name } => {
                let folder = folder.iter().map(|folder| ("folder", folder.as_os_str()));
                folder.chain(texts([("project", project), ("entity", entity), ("run_name", run_name)])).collect()
            }
        }
    }

    /// Returns the logger of this name with these options.
    fn with_options(name: &str, mut options: BTreeMap<String, Option<String>>) -> Result<Self, String> {
        let mut known = Vec::new();
        let mut option = |key: &str| {
            known.push(key.to_owned());
            options.remove(key).flatten()
        };
        let mut folder = || option("folder").map(PathBuf::from);
        let logger = match name {
            "csv" => Self::Csv { folder: folder() },
            "tensorboard" => Self::TensorBoard { folder: folder() },
            "jsonl" => Self::JsonLines { folder: folder() },
            "mlflow" => Self::Mlflow {
                tracking_uri: option("tracking_uri"),
                experiment_name: option("experiment_name"),
                run_name: option("run_name"),
            },
            "wandb" => Self::Wandb {
                folder: option("folder").map(PathBuf::from),
                project: option("project"),
                entity: option("entity"),
                run_name: option("run_name"),
            },
            _ => {
                let name = crate::yaml::shown(name);
                return Err(format!(
                    "`{name}` is not a logger: write true, false, csv, tensorboard, jsonl, wandb or mlflow, or a list of them"
                ));
            }
        };
        match options.keys().next() {
            Some(key) => Err(unknown_key(&format!("{name}.{}", crate::yaml::shown(key)), key, &known)),
            None => Ok(logger),
        }
    }
}

/// Returns the texts that are set, with their names.
fn texts<'a, const COUNT: usize>(
    all: [(&'static str, &'a Option<String>); COUNT],
) -> impl Iterator<Item = (&'static str, &'a OsStr)> {
    all.into_iter().filter_map(|(name, value)| Some((name, OsStr::new(value.as_ref()?))))
}

impl fmt::Display for LoggerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.options().is_empty() {
            return f.write_str(self.name());
        }
        let options = self.options().into_iter().map(|(name, value)| (name, value.to_string_lossy()));
        // JSON is YAML as well
        write!(f, "{}", serde_json::json!({ self.name(): options.collect::<BTreeMap<_, _>>() }))
    }
}

impl FromStr for LoggerConfig {
    type Err = String;

    /// The name of a logger.
    fn from_str(name: &str) -> Result<Self, String> {
        Self::with_options(name, BTreeMap::new())
    }
}

impl Serialize for LoggerConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = self.options();
        if options.is_empty() {
            return serializer.serialize_str(self.name());
        }
        let mut texts = BTreeMap::new();
        for (name, value) in options {
            texts.insert(name, value.to_str().ok_or_else(|| S::Error::custom("a folder is not valid UTF-8"))?);
        }
        let mut table = serializer.serialize_map(Some(1))?;
        table.serialize_entry(self.name(), &texts)?;
        table.end()
    }
}

impl<'de> Deserialize<'de> for LoggerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Reads a name, or a table of a name with its options.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = LoggerConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a logger, such as csv, or its name with options, such as `tensorboard: {folder: logs}`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<LoggerConfig, E> {
        name.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<LoggerConfig, A::Error> {
        let mut read = Vec::new();
        while let Some(one) = table.next_entry::<String, Option<BTreeMap<String, Option<String>>>>()? {
            read.push(one);
        }
        match <[_; 1]>::try_from(read) {
            Ok([(name, options)]) => {
                LoggerConfig::with_options(&name, options.unwrap_or_default()).map_err(A::Error::custom)
            }
            Err(_) => {
                Err(A::Error::custom("a logger is one name with its options, such as `tensorboard: {folder: logs}`"))
            }
        }
    }
}
