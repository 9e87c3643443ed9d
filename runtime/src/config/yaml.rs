//! [`TrainerConfig`] in YAML.

use super::keys::{keys, listed, overlay, sort_out};
use super::{ConfigurationError, TrainerConfig, mistakes};
use crate::json;
use crate::yaml::{self, Table};
use serde_json::Value;

impl TrainerConfig {
    /// The configuration that a text in YAML has, a key for each field; those that it does not have are the defaults.
    ///
    /// ```
    /// use tch_lightning::TrainerConfig;
    ///
    /// let config = TrainerConfig::from_yaml("max_epochs: 5\nlimit_train_batches: 0.25\nmax_time: {minutes: 30}")?;
    /// assert_eq!(config.epoch_limit(), Some(5));
    /// assert_eq!(TrainerConfig::from_yaml(&config.to_yaml()?)?, config);
    ///
    /// let mistakes = TrainerConfig::from_yaml("max_epoch: 5\nlogger: maybe").unwrap_err().to_string();
    /// assert_eq!(
    ///     mistakes,
    ///     "`logger`: `maybe` is not a logger: write true, false, csv, tensorboard, jsonl, wandb or mlflow, or a list of them; `max_epoch` \
    ///      is unknown: write `max_epochs`"
    /// );
    /// # Ok::<(), tch_lightning::errors::ConfigurationError>(())
    /// ```
    ///
    /// # Errors
    /// A [`ConfigurationError`] that lists every unknown key, wrong type and invalid value.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigurationError> {
        let wrong = |mistakes: Vec<String>| ConfigurationError::from(listed(&mistakes));
        let table = yaml::parse(text.as_bytes()).map_err(|mistake| wrong(vec![mistake]))?;
        Self::default().overlaid(None, &table).map_err(wrong)
    }

    /// Returns the complete configuration as YAML.
    ///
    /// # Errors
    /// A [`ConfigurationError`] for a value that YAML cannot hold, such as a path that is not UTF-8.
    pub fn to_yaml(&self) -> Result<String, ConfigurationError> {
        yaml::write(self).map_err(|error| format!("cannot write the configuration as YAML: {error}").into())
    }

    /// This configuration with the values of a table, which is the section of this name in a larger one.
    pub(crate) fn overlaid(&self, section: Option<&str>, table: &Table) -> Result<Self, Vec<String>> {
        let base = json::to_value(self).map_err(|error| vec![error.to_string()])?;
        let of_json = |json: Value| json::from_value::<Self>(&json).map_err(|error| error.to_string());
        let (known, mut wrong) = sort_out(section, table, &keys(&base), &base, &|json| of_json(json).map(drop));
        let config = of_json(overlay(&base, &known)).map_err(|error| vec![error])?;
        wrong.extend(mistakes::of(&config));
        if wrong.is_empty() { Ok(config) } else { Err(wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_users_do_not_reach_the_terminal() {
        let config = |text: &str| TrainerConfig::from_yaml(text).unwrap_err().to_string();
        assert!(config("\"\\e[31mred\\n\": 1").starts_with("`\\u{1b}[31mred\\n` is unknown: the keys are "));
        assert_eq!(config("\"\\a\": 1\n\"\\a\": 2"), "`\\u{7}` is duplicated in line 2");
        let value = config("logger: \"\\e[2J\"");
        assert!(value.starts_with("`logger`: `") && !value.contains('\u{1b}'), "{value}");
        let precision = config("precision: \"\\e[2J\"");
        assert!(precision.starts_with("`precision`: ") && !precision.contains('\u{1b}'), "{precision}");
        let long = config(&format!("{}: 1\nlogger: {}", "k".repeat(1_000), "v".repeat(100_000)));
        assert!(long.len() < 2_500, "{} bytes", long.len());
        assert!(long.contains(&format!("`{}…` is unknown", "k".repeat(60))), "{long}");
    }

    #[test]
    fn many_mistakes_are_shortened_to_a_few() {
        let many: String = (0..3_000).map(|number| format!("max_epochz{number}: 1\n")).collect();
        let said = TrainerConfig::from_yaml(&many).unwrap_err().to_string();
        assert!(said.starts_with("`max_epochz0` is unknown: write `max_epochs`; `max_epochz1` is unknown"), "{said}");
        assert!(said.ends_with("; and 2990 more mistakes") && said.len() < 1_000, "{said}");
        let unlike: String = (0..3_000).map(|number| format!("{number}q: 1\n")).collect();
        let said = TrainerConfig::from_yaml(&unlike).unwrap_err().to_string();
        assert!(said.ends_with(" more mistakes") && said.len() < 2_500, "{} bytes", said.len());
        assert_eq!(listed(&["one".to_owned(), "two".to_owned()]), "one; two");
        assert_eq!(listed(&vec!["one".to_owned(); 11]), format!("{}and 1 more mistake", "one; ".repeat(10)));
        assert_eq!(listed(&[]), "");
    }

    #[test]
    fn quoted_infinity_is_a_text() {
        let config = TrainerConfig::from_yaml("default_root_dir: '.inf'").unwrap();
        assert_eq!(config.default_root_dir, std::path::Path::new(".inf"));
        assert_eq!(TrainerConfig::from_yaml(&config.to_yaml().unwrap()).unwrap(), config);
    }
}
