//! Configuration files of the generated program, `--config FILE`, as in Lightning's CLI.

use super::callback_list::CALLBACKS;
use super::callbacks::{CHECKPOINT, CallbackSettings, EARLY_STOPPING, LR_MONITOR};
use super::environment::ENVIRONMENT;
use super::flags;
use super::lightning_config::{Types, translate};
use super::optimization::{LR_SCHEDULER, OPTIMIZER, OptimizationSettings};
use super::seed::Seed;
use crate::choice::Choices;
use crate::config::TrainerConfig;
use crate::config::keys::listed;
use crate::json;
use crate::misspelling::unknown_key;
use crate::stage::Stage;
use crate::trainer::CkptPath;
use crate::yaml::{self, MAX_BYTES, Table, shown};
use anyhow::{Context as _, Result, anyhow};
use clap::ArgMatches;
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

const SECTIONS: [&str; 3] = ["trainer", "model", "data"];

/// The configuration files, in order: later files override earlier ones.
pub(super) struct Configuration {
    files: Vec<Source>,
}

struct Source {
    path: PathBuf,
    table: Table,
    /// The error, if the file cannot be read.
    unreadable: Option<String>,
    mistakes: Vec<String>,
}

impl Source {
    fn read(path: &Path, stage: Stage, types: Types) -> Self {
        let mut source = Self { path: path.to_owned(), table: Table::new(), unreadable: None, mistakes: Vec::new() };
        let mut bytes = Vec::new();
        let file = File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
        match file.map(|_| yaml::parse(&bytes)) {
            Err(error) => source.unreadable = Some(error.to_string()),
            Ok(Err(mistake)) => source.mistakes.push(mistake),
            Ok(Ok(table)) => {
                source.table = table;
                source.table.remove(ENVIRONMENT);
                source.mistakes.extend(translate(&mut source.table, stage, types));
            }
        }
        source.mistakes.extend(source.outside_of_sections());
        source
    }

    fn section(&self, name: &str) -> Option<&Table> {
        self.table.get(name).and_then(Value::as_object)
    }

    /// Returns the mistakes in the keys outside of sections.
    fn outside_of_sections(&self) -> Vec<String> {
        let callbacks = [CHECKPOINT, EARLY_STOPPING, LR_MONITOR];
        let others = [flags::SEED, flags::CKPT_PATH, OPTIMIZER, LR_SCHEDULER, CALLBACKS];
        let keys = [&SECTIONS[..], &others, &callbacks].concat();
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        let wrong = |(key, value): (&String, &Value)| match (key.as_str(), value) {
            (key, _) if !keys.iter().any(|known| known == key) => Some(unknown_key(&shown(key), key, &keys)),
            (flags::SEED, value) => (!value.is_null() && Seed::of_file(value).is_none())
                .then(|| format!("`{key}` must be random or an integer{}", not_a_seed(value))),
            (flags::CKPT_PATH, Value::String(path)) if path.is_empty() => {
                Some(format!("`{key}` must be a file's path, but it is empty"))
            }
            (flags::CKPT_PATH, value) => (!value.is_null() && !value.is_string())
                .then(|| format!("`{key}` must be a file's path, but it is {}", yaml::kind(value))),
            // checked when they are read
            (OPTIMIZER | LR_SCHEDULER | CALLBACKS | CHECKPOINT | EARLY_STOPPING | LR_MONITOR, _) => None,
            (_, Value::Object(_) | Value::Null) => None,
            _ => Some(format!("`{key}` must be a table of keys and values, but it is {}", yaml::kind(value))),
        };
        self.table.iter().filter_map(wrong).collect()
    }

    /// Returns all mistakes in one sentence.
    fn sentence(&self) -> Option<String> {
        let name = self.path.display();
        match &self.unreadable {
            Some(error) => Some(format!("cannot read the configuration {name}: {error}")),
            None if self.mistakes.is_empty() => None,
            None => Some(format!("invalid configuration {name}: {}", listed(&self.mistakes))),
        }
    }
}

impl Configuration {
    /// Reads the files that the flags name.
    pub(super) fn of(explicit: &ArgMatches, stage: Stage, types: Types) -> Self {
        let paths = explicit.get_many::<PathBuf>(flags::CONFIG).into_iter().flatten();
        Self { files: paths.map(|path| Source::read(path, stage, types)).collect() }
    }

    /// Returns an error with all mistakes found so far, if there are any.
    pub(super) fn check(&self) -> Result<()> {
        let sentences: Vec<String> = self.files.iter().filter_map(Source::sentence).collect();
        if sentences.is_empty() { Ok(()) } else { Err(anyhow!(sentences.join("; "))) }
    }

    /// Returns a value outside of sections.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.files.iter().rev().find_map(|file| file.table.get(key)).filter(|value| !value.is_null())
    }

    /// Returns the values of a key outside of sections in all files, each with the list to add mistakes to.
    pub(super) fn with_mistakes(&mut self, key: &str) -> impl Iterator<Item = (&Value, &mut Vec<String>)> {
        let values = self.files.iter_mut().filter_map(move |file| Some((file.table.get(key)?, &mut file.mistakes)));
        values.filter(|(value, _)| !value.is_null())
    }

    /// Returns the value of a choice with those of the files.
    pub(super) fn choice(&mut self, key: &str, choices: &Choices, base: Value) -> Value {
        self.with_mistakes(key).fold(base, |base, (value, mistakes)| {
            let (table, wrong) = choices.sort_out(key, value);
            mistakes.extend(wrong);
            choices.merged(&base, &table)
        })
    }

    /// Returns the trainer's configuration with the values of the files.
    pub(super) fn trainer(&mut self, mut config: TrainerConfig) -> TrainerConfig {
        for index in 0..self.files.len() {
            let Some(table) = self.files[index].section("trainer") else { continue };
            match config.overlaid(Some("trainer"), table) {
                Ok(overlaid) => config = overlaid,
                Err(mistakes) => self.files[index].mistakes.extend(mistakes),
            }
        }
        config
    }

    /// Returns whether a file has values for a section.
    pub(super) fn have(&self, section: &str) -> bool {
        self.files.iter().any(|file| file.section(section).is_some())
    }

    /// Returns the values of each file for a section, with the list to add mistakes to.
    pub(super) fn sections(&mut self, section: &str) -> impl Iterator<Item = (Table, &mut Vec<String>)> {
        self.files.iter_mut().filter_map(move |file| Some((file.section(section)?.clone(), &mut file.mistakes)))
    }
}

/// Describes a value that is not a seed.
fn not_a_seed(value: &Value) -> String {
    match value {
        Value::Number(number) => format!(" from {} to {}, but it is {number}", i64::MIN, i64::MAX),
        value => format!(", but it is {}", yaml::kind(value)),
    }
}

/// A complete configuration, in Lightning's order: the output of `--print-config`, and the file that a run saves.
#[derive(Serialize)]
pub(super) struct Resolved<'a> {
    seed_everything: i64,
    trainer: &'a TrainerConfig,
    model: json::Plain<'a>,
    data: json::Plain<'a>,
    #[serde(flatten)]
    optimization: &'a OptimizationSettings,
    #[serde(flatten)]
    callbacks: &'a CallbackSettings,
    ckpt_path: Option<&'a CkptPath>,
}

impl<'a> Resolved<'a> {
    pub(super) fn new(
        seed_everything: i64,
        trainer: &'a TrainerConfig,
        model: &'a Value,
        data: &'a Value,
        optimization: &'a OptimizationSettings,
        callbacks: &'a CallbackSettings,
        ckpt_path: Option<&'a CkptPath>,
    ) -> Self {
        Self {
            seed_everything,
            trainer,
            model: json::Plain(model),
            data: json::Plain(data),
            optimization,
            callbacks,
            ckpt_path,
        }
    }

    /// Returns the configuration without the trainer's.
    pub(super) fn settings(&self) -> Value {
        let mut settings = json::to_value(self).unwrap_or_default();
        settings.as_object_mut().and_then(|settings| settings.remove("trainer"));
        settings
    }

    /// Returns the configuration as YAML.
    ///
    /// # Errors
    /// For a value that YAML cannot hold, such as a path that is not UTF-8.
    pub(super) fn to_yaml(&self) -> Result<String> {
        yaml::write(self).context("cannot write the configuration as YAML")
    }
}
