//! The values of choices as texts: the default of a flag, which clap parses.

use super::{Choice, describe};
use crate::json;
use serde_json::Value;

/// Returns the parser of a flag's value: the name of a variant whose fields have defaults, or a table in JSON. From then on, flags with
/// values of the type are known to be choices.
pub fn parser<T: Choice>() -> fn(&str) -> Result<T, String> {
    let _ = describe::<T>();
    parse
}

fn parse<T: Choice>(text: &str) -> Result<T, String> {
    let choices = describe::<T>()?;
    let value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    let (table, mistakes) = choices.sort_out("value", &value);
    if let Some(mistake) = mistakes.into_iter().next() {
        return Err(mistake);
    }
    json::from_value(&Value::Object(table)).map_err(|error| error.to_string())
}

/// Returns the text that [`parser`] parses to this value: the name of its variant if all fields have their defaults.
pub fn shown_value<T: Choice>(value: &T) -> String {
    match (describe::<T>(), json::to_value(value)) {
        (Ok(choices), Ok(json)) => {
            let name = json.get(choices.tag).and_then(Value::as_str).unwrap_or_default();
            let default = parse::<T>(name).ok().and_then(|default| json::to_value(&default).ok());
            if default.as_ref() == Some(&json) { name.to_owned() } else { json.to_string() }
        }
        // a function in it cannot be serialized
        (_, Err(error)) => error.to_string(),
        (Err(mistake), _) => mistake,
    }
}
