use serde_json::Value;

/// Numbers agree within so much, relatively or absolutely.
const RELATIVE: f64 = 1e-4;
const ABSOLUTE: f64 = 1e-5;

/// The first difference between an expected trace and an actual one, by the rules of `compare.py`.
pub fn difference(expected: &Value, actual: &Value) -> Option<String> {
    match (expected.get("error"), actual.get("error")) {
        (None, None) => of_values(expected, actual, ""),
        (Some(_), Some(_)) => {
            let events = expected["events"].as_array()?;
            let is_told = events.last()?.as_str()?.starts_with("callback.on_exception");
            is_told.then(|| of_values(&expected["events"], &actual["events"], "events")).flatten()
        }
        (expected, actual) => {
            let shown = |error: Option<&Value>| error.map_or_else(|| "no error".to_owned(), Value::to_string);
            Some(format!("expected {}, got {}", shown(expected), shown(actual)))
        }
    }
}

fn of_values(expected: &Value, actual: &Value, at: &str) -> Option<String> {
    match (expected, actual) {
        (Value::Number(expected), Value::Number(actual)) => {
            let (expected, actual) = (expected.as_f64()?, actual.as_f64()?);
            let agree = (expected - actual).abs() <= ABSOLUTE + RELATIVE * expected.abs();
            (!agree).then(|| format!("{at}: expected {expected}, got {actual}"))
        }
        (Value::Array(expected), Value::Array(actual)) => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            let odd = pairs.find_map(|(n, (expected, actual))| of_values(expected, actual, &format!("{at}[{n}]")));
            let lengths = (expected.len() != actual.len())
                .then(|| format!("{at}: expected {} entries, got {}", expected.len(), actual.len()));
            odd.or(lengths)
        }
        (Value::Object(expected), Value::Object(actual)) => {
            let unexpected = actual.keys().find(|key| !expected.contains_key(*key));
            let mut entries = expected.iter();
            entries
                .find_map(|(key, value)| match actual.get(key) {
                    Some(actual) => of_values(value, actual, &format!("{at}.{key}")),
                    None => Some(format!("{at}.{key}: missing")),
                })
                .or_else(|| unexpected.map(|key| format!("{at}.{key}: not expected")))
        }
        _ => (expected != actual).then(|| format!("{at}: expected {expected}, got {actual}")),
    }
}
