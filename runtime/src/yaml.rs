//! Reads and writes YAML, with limits on memory and time, and with infinities and NaN.

use crate::json;
use serde_json::{Map, Value};

/// A table of keys and values.
pub(crate) type Table = Map<String, Value>;

/// The maximum size of a file.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// Serializes a value as YAML.
pub(crate) fn write(value: &impl serde::Serialize) -> Result<String, serde_saphyr::ser_error::Error> {
    // blocks lose line breaks at the end of a text
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
}

/// Parses a table. Limits memory and time for any input.
pub(crate) fn parse(bytes: &[u8]) -> Result<Table, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("it is larger than {MAX_BYTES} bytes, the limit for a configuration"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not valid UTF-8: {error}"))?;
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
        Ok(other) => Err(format!("it must be a table of keys and values, but it is {}", kind(&other))),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Parses the value of a key in the form that a list or a table has on one line.
pub(crate) fn parse_inline(key: &str, text: &str) -> Result<Value, String> {
    let mut table = parse(format!("{key}: {text}").as_bytes())?;
    Ok(table.remove(key).unwrap_or_default())
}

/// Returns a mistake for the first value with a tag, which the parser would ignore.
fn first_tag(text: &str) -> Option<String> {
    let options = granit_parser::options! { emit_comments: false };
    let events = granit_parser::Parser::new_from_str_with_options(text, options).map_while(Result::ok);
    let tagged = events.into_iter().find_map(|(event, span)| Some((event.tag()?.to_string(), span)));
    tagged.map(|(tag, span)| {
        let line = span.tag_start().unwrap_or(span.start).line();
        format!("line {line} has the tag `{}`: tags are not supported, write the value without it", shown(&tag))
    })
}

/// Returns a user's text for a message: without control characters, which a terminal would execute, and shortened.
pub(crate) fn shown(text: &str) -> String {
    crate::shown::shown(text, 60)
}

fn unreadable(error: &serde_saphyr::Error) -> String {
    match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), location } => {
            format!("`{}` is duplicated in line {}", shown(key), location.line())
        }
        error => {
            let text = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            format!("invalid YAML: {}", in_one_line(&text))
        }
    }
}

/// Returns a library's error message in one line, shortened as it may quote a value of any length.
pub(crate) fn in_one_line(text: &str) -> String {
    crate::shown::shown(&text.split_whitespace().collect::<Vec<_>>().join(" "), 500)
}

/// Returns the name of a value's type for a message.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_a_round_trip() {
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
            let yaml = write(&json::Plain(&written)).unwrap();
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
    }

    #[test]
    fn values_other_than_tables_are_refused() {
        for (text, sentence) in [
            ("", "it is empty"),
            ("# nothing\n", "it is empty"),
            ("- 1\n- 2", "it must be a table of keys and values, but it is a list"),
            ("trainer", "it must be a table of keys and values, but it is a string"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(sentence.to_owned()));
        }
        assert!(parse(b"a: \xff").unwrap_err().starts_with("it is not valid UTF-8: "));
        assert!(parse(&vec![b' '; MAX_BYTES + 1]).unwrap_err().starts_with("it is larger than 1048576 bytes"));
    }

    #[test]
    fn documents_that_need_much_memory_are_refused() {
        let deep = format!("a: {}{}", "[".repeat(1000), "]".repeat(1000));
        let mut bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n".to_owned();
        for level in 1..10 {
            let before = format!("*a{},", level - 1).repeat(9);
            bomb += &format!("a{level}: &a{level} [{before}]\n");
        }
        for text in [deep, bomb] {
            let said = parse(text.as_bytes()).unwrap_err();
            assert!(said.starts_with("invalid YAML: ") && !said.contains('\n'), "{said}");
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
            let refused =
                format!("line {line} has the tag `{tag}`: tags are not supported, write the value without it");
            assert!(said == refused || (tag == "!" && !said.contains('\u{7f}')), "{said}");
        }
        assert!(parse(b"a: '!text'\nb: \"!!str\"\nc: x!y\n# !comment\n").is_ok());
    }

    #[test]
    fn key_that_is_duplicated_is_refused() {
        let said = parse(b"a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(said, "`a` is duplicated in line 3");
    }

    #[test]
    fn numbers_that_are_not_finite_are_written_and_read() {
        for number in [f64::INFINITY, f64::NEG_INFINITY, 0.1] {
            let json = json::to_value(&std::collections::BTreeMap::from([("rate", number)])).unwrap();
            let written = write(&json::Plain(&json)).unwrap();
            let read = parse(written.as_bytes()).unwrap();
            assert_eq!(read["rate"], json["rate"], "{written}");
            assert_eq!(json::from_value::<f64>(&read["rate"]).unwrap(), number, "{written}");
        }
        let json = json::to_value(&[f64::NEG_INFINITY]).unwrap();
        assert_eq!(write(&json::Plain(&json)).unwrap().trim(), "- -.inf");
    }
}
