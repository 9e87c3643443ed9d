use super::LoggerConfig;
use crate::yaml;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The loggers that a trainer creates. Lightning's `logger`.
///
/// ```
/// use tch_lightning::TrainerConfig;
/// use tch_lightning::trainer::{LoggerChoice, LoggerConfig};
///
/// assert_eq!(TrainerConfig::default().logger, LoggerChoice::Default);
/// assert_eq!(TrainerConfig { logger: false.into(), ..TrainerConfig::default() }, TrainerConfig::default().logger(false));
/// let both = TrainerConfig::from_yaml("logger: [csv, tensorboard]")?;
/// assert_eq!("csv,tensorboard".parse(), Ok(both.logger));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoggerChoice {
    /// `true`: a [`CsvLogger`](crate::loggers::CsvLogger) in the folder of the run, unless the trainer has a logger of the user.
    #[default]
    Default,
    /// `false`: none.
    Off,
    /// These, in this order, before loggers of the user.
    These(Vec<LoggerConfig>),
}

/// The name of the flag.
const LOGGER: &str = "logger";

impl LoggerChoice {
    /// Returns the loggers that the configuration names.
    pub(crate) fn named(&self) -> &[LoggerConfig] {
        match self {
            Self::These(loggers) => loggers,
            Self::Default | Self::Off => &[],
        }
    }

    /// Returns the mistake, if the loggers exclude each other or one cannot be created.
    pub(super) fn mistake(&self) -> Option<String> {
        let loggers = self.named();
        let is_duplicate = |(index, logger): &(usize, &LoggerConfig)| loggers[..*index].contains(logger);
        if let Some((_, duplicate)) = loggers.iter().enumerate().find(is_duplicate) {
            return Some(format!("`logger` has {} twice with the same folder", duplicate.name()));
        }
        let mlflow = loggers.iter().find_map(|logger| match logger {
            LoggerConfig::Mlflow { tracking_uri, .. } => Some(tracking_uri),
            _ => None,
        })?;
        if !cfg!(feature = "mlflow") {
            return Some(
                "`logger` has mlflow: build the program with the feature `mlflow` of tch-lightning".to_owned(),
            );
        }
        (mlflow.is_none() && std::env::var_os("MLFLOW_TRACKING_URI").is_none())
            .then(|| "`logger` has mlflow without `tracking_uri`, and MLFLOW_TRACKING_URI is not set".to_owned())
    }

    /// Returns the loggers of several flags.
    fn joined(choices: Vec<Self>) -> Result<Self, clap::Error> {
        if let [choice] = choices.as_slice() {
            return Ok(choice.clone());
        }
        let mut all = Vec::new();
        for choice in choices {
            match choice {
                Self::Default => all.push(LoggerConfig::Csv { folder: None }),
                Self::These(loggers) => all.extend(loggers),
                Self::Off => {
                    let message = "`--logger`: `false` excludes other loggers\n";
                    return Err(clap::Error::raw(ErrorKind::ValueValidation, message));
                }
            }
        }
        Ok(Self::These(all))
    }
}

impl From<bool> for LoggerChoice {
    fn from(is_on: bool) -> Self {
        if is_on { Self::Default } else { Self::Off }
    }
}

impl From<LoggerConfig> for LoggerChoice {
    fn from(logger: LoggerConfig) -> Self {
        Self::These(vec![logger])
    }
}

impl From<Vec<LoggerConfig>> for LoggerChoice {
    fn from(loggers: Vec<LoggerConfig>) -> Self {
        if loggers.is_empty() { Self::Off } else { Self::These(loggers) }
    }
}

impl<const N: usize> From<[LoggerConfig; N]> for LoggerChoice {
    fn from(loggers: [LoggerConfig; N]) -> Self {
        Vec::from(loggers).into()
    }
}

impl FromStr for LoggerChoice {
    type Err = String;

    /// `true`, `false`, names separated by commas, or the form of a configuration file on one line.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(is_on) = text.parse::<bool>() {
            return Ok(is_on.into());
        }
        if text.starts_with(['[', '{']) {
            return crate::json::from_value(&yaml::parse_inline(LOGGER, text)?).map_err(|error| error.to_string());
        }
        text.split(',').map(|name| name.trim().parse()).collect::<Result<Vec<_>, _>>().map(Self::from)
    }
}

impl Serialize for LoggerChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Default => true.serialize(serializer),
            Self::Off => false.serialize(serializer),
            Self::These(loggers) => match loggers.as_slice() {
                [logger] => logger.serialize(serializer),
                loggers => loggers.serialize(serializer),
            },
        }
    }
}

impl<'de> Deserialize<'de> for LoggerChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Reads true, false, a logger, or a list of loggers.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = LoggerChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a logger such as csv, or a list of loggers")
    }

    fn visit_bool<E>(self, is_on: bool) -> Result<LoggerChoice, E> {
        Ok(is_on.into())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<LoggerChoice, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<LoggerChoice, A::Error> {
        LoggerConfig::deserialize(MapAccessDeserializer::new(table)).map(LoggerChoice::from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<LoggerChoice, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(|loggers: Vec<LoggerConfig>| loggers.into())
    }
}

// not derived: several flags are one value
impl Args for LoggerChoice {
    fn augment_args(command: Command) -> Command {
        let arg = Arg::new(LOGGER).long(LOGGER).value_name("LOGGER").value_parser(Self::from_str);
        command.arg(arg.action(ArgAction::Append).default_value("true").help(
            "Write logs: csv, tensorboard, jsonl, wandb or mlflow, or several, separated by commas or by several flags; false turns all \
             loggers off that the trainer creates",
        ))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LoggerChoice {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut choice = Self::default();
        choice.update_from_arg_matches(matches)?;
        Ok(choice)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        if let Some(choices) = matches.try_get_many::<Self>(LOGGER).ok().flatten() {
            *self = Self::joined(choices.cloned().collect())?;
        }
        Ok(())
    }
}
