//! Configurations in YAML: reading them, and telling every mistake in them.

use super::{TrainerConfig, mistakes};
use crate::error::Error;
use crate::json;
use serde_json::{Map, Value};

/// A table of a configuration.
pub(crate) type Table = Map<String, Value>;

/// No configuration is larger.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// Names that are less alike are no misspellings of each other.
const LEAST_LIKENESS: f64 = 0.7;

impl TrainerConfig {
    /// The configuration that a text in YAML has, a key for each field; those that it does not have are the defaults.
    ///
    /// ```
    /// use tch_lightning::TrainerConfig;
    ///
    /// let config = TrainerConfig::from_yaml("max_epochs: 5\nlimit_train_batches: 0.25\nmax_time: {minutes: 30}")?;
    /// assert_eq!(config.epochs(), Some(5));
    /// assert_eq!(TrainerConfig::from_yaml(&config.to_yaml()?)?, config);
    ///
    /// let mistakes = TrainerConfig::from_yaml("max_epoch: 5\nlogger: maybe").unwrap_err().to_string();
    /// assert_eq!(
    ///     mistakes,
    ///     "`logger`: invalid type: string \"maybe\", expected a boolean; `max_epoch` is unknown: write `max_epochs`"
    /// );
    /// # Ok::<(), tch_lightning::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Configuration`], which lists every unknown key, wrong type and value that makes no sense.
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        let wrong = |mistakes: Vec<String>| Error::Configuration(listed(&mistakes));
        let table = parse(text.as_bytes()).map_err(|mistake| wrong(vec![mistake]))?;
        Self::default().overlaid(None, &table).map_err(wrong)
    }

    /// The whole configuration in YAML.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a value that YAML can't hold, such as a path that is no UTF-8.
    pub fn to_yaml(&self) -> Result<String, Error> {
        to_yaml(self)
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

/// Anything in YAML.
pub(crate) fn to_yaml(value: &impl serde::Serialize) -> Result<String, Error> {
    // blocks lose line breaks at the end of a text
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| Error::Configuration(format!("the configuration can't be written in YAML: {error}")))
}

/// Reads a table. Whatever the bytes are, little memory and time is needed.
pub(crate) fn parse(bytes: &[u8]) -> Result<Table, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("it is larger than {MAX_BYTES} bytes, and no configuration is"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is no text in UTF-8: {error}"))?;
    let options = serde_saphyr::options! {
        strict_booleans: true,
        reject_non_finite_typeless_float: false,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: 16,
            flow_nesting_limit: 16,
            max_nodes: 20_000,
            max_events: 50_000,
            max_anchors: 100,
            max_aliases: 100,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 16,
        },
    };
    match serde_saphyr::from_str_with_options(&json::mark_texts(text), options).map(|json::Parsed(value)| value) {
        Ok(Value::Object(table)) => match first_tag(text) {
            Some(mistake) => Err(mistake),
            None => Ok(table),
        },
        Ok(Value::Null) => Err("it is empty".to_owned()),
        Ok(other) => Err(format!("it must be a table of keys and values, and is {}", kind(&other))),
        Err(error) => Err(unreadable(&error)),
    }
}

/// That a value has a tag, if one has: what reads values would drop it.
fn first_tag(text: &str) -> Option<String> {
    let options = granit_parser::options! { emit_comments: false };
    let events = granit_parser::Parser::new_from_str_with_options(text, options).map_while(Result::ok);
    let tagged = events.into_iter().find_map(|(event, span)| Some((event.tag()?.to_string(), span)));
    tagged.map(|(tag, span)| {
        let line = span.tag_start().unwrap_or(span.start).line();
        format!(
            "line {line} has the tag `{}`, and no value of a configuration has one: write the value alone",
            shown(&tag)
        )
    })
}

/// A text of the user's that is part of a sentence: without control characters, which a terminal would obey, and not too long.
pub(crate) fn shown(text: &str) -> String {
    crate::shown::shown(text, 60)
}

/// Mistakes in one sentence: the first ones, and the number of those that follow.
pub(crate) fn listed(mistakes: &[String]) -> String {
    const MOST: usize = 10;
    const LONGEST: usize = 2_000;
    let mut length = 0;
    let fits = |mistake: &&String| {
        length += mistake.len();
        length <= LONGEST
    };
    let few = mistakes.iter().take(MOST).take_while(fits).count().max(1).min(mistakes.len());
    let left = mistakes.len() - few;
    let more = (left > 0).then(|| format!("and {left} more {}", if left == 1 { "mistake" } else { "mistakes" }));
    mistakes[..few].iter().cloned().chain(more).collect::<Vec<_>>().join("; ")
}

fn unreadable(error: &serde_saphyr::Error) -> String {
    match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), location } => {
            format!("`{}` stands twice, the second time in line {}", shown(key), location.line())
        }
        error => {
            let text = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            format!("it can't be read as YAML: {}", in_one_line(&text))
        }
    }
}

/// What a library says, which may quote a value of any length.
pub(crate) fn in_one_line(text: &str) -> String {
    crate::shown::shown(&text.split_whitespace().collect::<Vec<_>>().join(" "), 500)
}

/// What a value is, in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// Divides a section of a configuration into what can be used and what can't, with a mistake for each. `base` has a value for
/// each key; `is_valid` judges it with one of them replaced.
pub(crate) fn sort_out(
    section: Option<&str>,
    table: &Table,
    known_keys: &[String],
    base: &Value,
    is_valid: &dyn Fn(Value) -> Result<(), String>,
) -> (Table, Vec<String>) {
    let (mut usable, mut mistakes) = (Table::new(), Vec::new());
    for (key, value) in table {
        let path = section.map_or_else(|| shown(key), |section| format!("{section}.{}", shown(key)));
        if !known_keys.contains(key) {
            mistakes.push(unknown(&path, key, known_keys));
            continue;
        }
        let one = Table::from_iter([(key.clone(), value.clone())]);
        match is_valid(overlay(base, &one)) {
            Ok(()) => drop(usable.insert(key.clone(), value.clone())),
            Err(error) => mistakes.push(format!("`{path}`: {}", in_one_line(&error))),
        }
    }
    (usable, mistakes)
}

/// That a key is unknown, with the one that was meant or those that there are.
pub(crate) fn unknown(path: &str, key: &str, known_keys: &[String]) -> String {
    let likeness = |known: &&String| strsim::jaro_winkler(key, known);
    let nearest = known_keys.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    match nearest.filter(|nearest| likeness(nearest) >= LEAST_LIKENESS) {
        Some(nearest) => format!("`{path}` is unknown: write `{nearest}`"),
        None if known_keys.is_empty() => format!("`{path}` is unknown: there are no keys here"),
        None => format!("`{path}` is unknown: the keys are {}", known_keys.join(", ")),
    }
}

/// The keys of a table.
pub(crate) fn keys(table: &Value) -> Vec<String> {
    table.as_object().into_iter().flat_map(Table::keys).cloned().collect()
}

/// A table with values of another.
pub(crate) fn overlay(base: &Value, table: &Table) -> Value {
    let mut overlaid = base.as_object().cloned().unwrap_or_default();
    overlaid.extend(table.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(overlaid)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_text_is_read_as_it_was_written() {
        let few = [
            "", ".inf", "-.inf", ".nan", "+.inf", ".Inf", ".NAN", "inf", "nan", "1e999", "null", "~", "true", "no",
            "0x1", "1_000",
        ];
        let marks = [
            "-", "- a", "a: b", "a #b", "#", "&a", "*a", "!a", "'", "\"", "|", ">", "%a", "@", "`", "[a", "{a", "\\n",
            "---", "...",
        ];
        let spaces = [
            "\n",
            "\n\n",
            " ",
            "  \n ",
            "a\n",
            "a\n\n",
            "\na",
            " a",
            "a ",
            "\ta",
            "a\tb",
            "\r",
            "a\r\nb",
            "a\n b\nc",
            "a\n\n\n b",
        ];
        let odd =
            ["\0", "\u{1b}[2J", "\u{7f}", "\u{85}", "a\u{2028}b", "\u{feff}", "\u{e000}", "\u{e000}.inf", "ü", "🦀"];
        let long = [
            "word ".repeat(100),
            "x".repeat(500),
            format!("{}\n{}", "word ".repeat(50), "x".repeat(200)),
            format!(" {}\n", "a b\n".repeat(60)),
        ];
        let texts = [&few[..], &marks, &spaces, &odd].concat().into_iter().map(str::to_owned).chain(long);
        for text in texts {
            let written =
                serde_json::json!({ "text": text, "list": [text, 1], "table": { "inner": text }, text.clone(): 1 });
            let yaml = to_yaml(&json::Plain(&written)).unwrap();
            let read = parse(yaml.as_bytes()).map(Value::Object);
            assert_eq!(read.as_ref(), Ok(&written), "{text:?} as {yaml:?}");
        }
    }

    #[test]
    fn quotes_make_a_text_of_a_number_that_is_not_finite() {
        let read = |text: &str| Value::Object(parse(text.as_bytes()).unwrap());
        let inf = serde_json::json!({ "$float": "inf" });
        assert_eq!(read("a: .inf"), serde_json::json!({ "a": inf }));
        for text in ["a: '.inf'", "a: \".inf\"", "a: \"\\x2einf\"", "a: |-\n  .inf", "a: >-\n  .inf\n", "{a: '.inf'}"] {
            assert_eq!(read(text), serde_json::json!({ "a": ".inf" }), "{text}");
        }
        let aliased = read("ü: &one '.inf'\nb: *one\nc: &two .inf\nd: *two\n'.inf': [.inf, '.inf']");
        let all = serde_json::json!({ "ü": ".inf", "b": ".inf", "c": inf, "d": inf, ".inf": [inf, ".inf"] });
        assert_eq!(aliased, all);
        let config = TrainerConfig::from_yaml("default_root_dir: '.inf'").unwrap();
        assert_eq!(config.default_root_dir, std::path::Path::new(".inf"));
        assert_eq!(TrainerConfig::from_yaml(&config.to_yaml().unwrap()).unwrap(), config);
    }

    use super::*;

    #[test]
    fn what_is_no_table_is_refused() {
        for (text, sentence) in [
            ("", "it is empty"),
            ("# nothing\n", "it is empty"),
            ("- 1\n- 2", "it must be a table of keys and values, and is a list"),
            ("trainer", "it must be a table of keys and values, and is a text"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(sentence.to_owned()));
        }
        assert!(parse(b"a: \xff").unwrap_err().starts_with("it is no text in UTF-8: "));
        assert!(parse(&vec![b' '; MAX_BYTES + 1]).unwrap_err().starts_with("it is larger than 1048576 bytes"));
    }

    #[test]
    fn what_would_need_much_memory_is_refused() {
        let deep = format!("a: {}{}", "[".repeat(1000), "]".repeat(1000));
        let mut bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n".to_owned();
        for level in 1..10 {
            let before = format!("*a{},", level - 1).repeat(9);
            bomb += &format!("a{level}: &a{level} [{before}]\n");
        }
        for text in [deep, bomb] {
            let said = parse(text.as_bytes()).unwrap_err();
            assert!(said.starts_with("it can't be read as YAML: ") && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn tags_are_refused() {
        for (text, tag, line) in [
            ("trainer: !include other.yaml\n", "!include", 1),
            ("trainer:\n  max_epochs: !!python/name:os.system 3\n", "tag:yaml.org,2002:python/name:os.system", 2),
            ("a: 1\nb: !!str 5\n", "tag:yaml.org,2002:str", 2),
            ("a: [1, !x 2]\n", "!x", 1),
            ("!map\na: 1\n", "!map", 1),
            ("a: !\u{7f}x 1\n", "!", 1),
        ] {
            let said = parse(text.as_bytes()).unwrap_err();
            let refused = format!(
                "line {line} has the tag `{tag}`, and no value of a configuration has one: write the value alone"
            );
            assert!(said == refused || (tag == "!" && !said.contains('\u{7f}')), "{said}");
        }
        assert!(parse(b"a: '!text'\nb: \"!!str\"\nc: x!y\n# !comment\n").is_ok());
    }

    #[test]
    fn what_users_wrote_does_not_reach_the_terminal_as_it_is() {
        let config = |text: &str| TrainerConfig::from_yaml(text).unwrap_err().to_string();
        assert!(config("\"\\e[31mred\\n\": 1").starts_with("`\\u{1b}[31mred\\n` is unknown: the keys are "));
        assert_eq!(config("\"\\a\": 1\n\"\\a\": 2"), "`\\u{7}` stands twice, the second time in line 2");
        let value = config("logger: \"\\e[2J\"");
        assert!(value.starts_with("`logger`: invalid type: string ") && !value.contains('\u{1b}'), "{value}");
        let precision = config("precision: \"\\e[2J\"");
        assert!(precision.starts_with("`precision`: ") && !precision.contains('\u{1b}'), "{precision}");
        let long = config(&format!("{}: 1\nlogger: {}", "k".repeat(1_000), "v".repeat(100_000)));
        assert!(long.len() < 2_500, "{} bytes", long.len());
        assert!(long.contains(&format!("`{}…` is unknown", "k".repeat(60))), "{long}");
    }

    #[test]
    fn of_many_mistakes_a_few_are_told() {
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
    fn a_key_that_stands_twice_is_refused() {
        let said = parse(b"a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(said, "`a` stands twice, the second time in line 3");
    }
}
