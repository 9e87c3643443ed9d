use crate::choice::{Written as WrittenChoice, plain};
use crate::misspelling::{nearest, unknown_key};
use crate::yaml::{Table, kind, shown};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
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
///   - {name: wandb, project: digits}
///   - {class_path: lightning.pytorch.loggers.CSVLogger, init_args: {folder: rows}}
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

    /// Returns the logger of this name with these options. The name is that of a configuration or of Lightning's class.
    fn with_options(written: &str, mut options: BTreeMap<String, Option<String>>) -> Result<Self, String> {
        let mut known = Vec::new();
        let mut option = |key: &str| {
            known.push(key.to_owned());
            options.remove(key).flatten()
        };
        let mut folder = || option("folder").map(PathBuf::from);
        let plain = plain(written.rsplit(['.', ':']).next().unwrap_or(written));
        let name = plain.strip_suffix("logger").unwrap_or(&plain);
        let logger = match name {
            "csv" => Self::Csv { folder: folder() },
            "tensorboard" => Self::TensorBoard { folder: folder() },
            "jsonl" | "jsonlines" => Self::JsonLines { folder: folder() },
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
                let (shown, names) = (shown(written), "true, false, csv, tensorboard, jsonl, wandb or mlflow");
                return Err(match nearest(&name.to_lowercase(), NAMES) {
                    Some(nearest) => format!("`{shown}` is not a logger: write `{nearest}`"),
                    None if written.ends_with("Logger") => format!(
                        "`{shown}` is not among the loggers, {names}: add it in `main`, `Model::program::<Data>().logger(…)`"
                    ),
                    None => format!("`{shown}` is not a logger: write {names}, or a list of them"),
                });
            }
        };
        match options.keys().next() {
            Some(key) => Err(unknown_key(&format!("{}.{}", logger.name(), shown(key)), key, &known)),
            None => Ok(logger),
        }
    }

    /// Returns the logger of a table.
    fn of_table(table: Table) -> Result<Self, String> {
        let table = Value::Object(table);
        let written = WrittenChoice::of("logger", &table, "name", |key| OPTIONS.contains(&key))?;
        let Some(name) = &written.name else {
            return Err("a logger is one name with its options, such as `tensorboard: {folder: logs}`".to_owned());
        };
        let logger = Self::with_options(name, BTreeMap::new())?;
        let fields = if written.is_class { logger.of_lightning(written.fields)? } else { written.fields };
        let text = |(key, value): (String, Value)| match value {
            Value::Null => Ok((key, None)),
            Value::String(text) if text.is_empty() => {
                Err(format!("`{}.{}` is empty: remove it, or write a value", logger.name(), shown(&key)))
            }
            Value::String(text) => Ok((key, Some(text))),
            other => Err(format!("`{}.{}` must be a text, but it is {}", logger.name(), shown(&key), kind(&other))),
        };
        Self::with_options(name, fields.into_iter().map(text).collect::<Result<_, _>>()?)
    }

    /// Returns the options for the arguments of Lightning's class, without those that have its defaults.
    fn of_lightning(&self, arguments: Table) -> Result<Table, String> {
        let mut options = Table::new();
        for (key, value) in arguments {
            let is_default = match key.as_str() {
                "name" => value == "lightning_logs",
                "save_dir" => value == ".",
                "offline" => value == true,
                "prefix" => value == "",
                _ => false,
            };
            let key = match (self, key.as_str()) {
                _ if is_default || value.is_null() || value == false => continue,
                (Self::Wandb { .. }, "name") => "run_name".to_owned(),
                (_, "save_dir" | "name" | "version") => {
                    let instead = "write `folder`, or set `default_root_dir` of the trainer";
                    return Err(format!("`{}.{key}` is not supported: {instead}", self.name()));
                }
                _ => key,
            };
            options.insert(key, value);
        }
        Ok(options)
    }
}

const NAMES: [&str; 5] = ["csv", "tensorboard", "jsonl", "wandb", "mlflow"];

/// The options of all loggers.
const OPTIONS: [&str; 6] = ["folder", "tracking_uri", "experiment_name", "run_name", "project", "entity"];

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

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<LoggerConfig, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(table))?;
        LoggerConfig::of_table(table).map_err(A::Error::custom)
    }
}
