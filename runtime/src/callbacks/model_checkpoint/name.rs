//! The names of checkpoint files: `{epoch}-{val_loss:.2f}`, with the names of the values put in before them.

use std::collections::BTreeMap;

/// The template where none is given.
const DEFAULT: &str = "{epoch}-{step}";

/// Fills in a template. A value that was not logged is 0, as in Lightning; with `insert_names`, `{epoch}` is `epoch=3`.
pub(super) fn filled(template: Option<&str>, values: &BTreeMap<String, f64>, insert_names: bool) -> String {
    let mut rest = template.unwrap_or(DEFAULT);
    let mut name = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        name.push_str(before);
        let Some((field, after)) = after.split_once('}') else {
            name.push('{');
            rest = after;
            continue;
        };
        let (value, format) = field.split_once(':').unwrap_or((field, ""));
        if insert_names {
            name.push_str(value);
            name.push('=');
        }
        let is_whole = matches!(value, "epoch" | "step");
        name.push_str(&formatted(values.get(value).copied().unwrap_or(0.0), format, is_whole));
        rest = after;
    }
    name.push_str(rest);
    name
}

/// A number in Python's format: `02d`, `.2f`, `.3e`, or as it is.
fn formatted(value: f64, format: &str, is_whole: bool) -> String {
    let (digits, kind) = match format.chars().last() {
        Some(kind) if kind.is_ascii_alphabetic() => (&format[..format.len() - 1], kind),
        _ => (format, if is_whole { 'd' } else { 'g' }),
    };
    let (width, precision) = digits.split_once('.').unwrap_or((digits, ""));
    let precision: Option<usize> = precision.parse().ok();
    let text = match kind {
        'd' => format!("{value:.0}"),
        'f' => format!("{value:.*}", precision.unwrap_or(6)),
        'e' => exponential(value, precision.unwrap_or(6)),
        _ => precision.map_or_else(|| format!("{value}"), |precision| format!("{value:.precision$}")),
    };
    let fill = if width.starts_with('0') { '0' } else { ' ' };
    let missing = width.parse().unwrap_or(0usize).saturating_sub(text.len());
    fill.to_string().repeat(missing) + &text
}

/// `1.50e-03`: two digits of the exponent at least, as in Python.
fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(template: Option<&str>, insert_names: bool) -> String {
        let values = [("epoch", 2.0), ("step", 12.0), ("val_loss", 0.123_456), ("val/acc", 0.5)];
        filled(template, &values.map(|(name, value)| (name.to_owned(), value)).into(), insert_names)
    }

    /// The examples of Lightning's `ModelCheckpoint.format_checkpoint_name`.
    #[test]
    fn names_are_lightnings() {
        assert_eq!(named(None, true), "epoch=2-step=12");
        assert_eq!(named(Some("{epoch:03d}"), true), "epoch=002");
        assert_eq!(named(Some("{epoch}-{val_loss:.2f}"), true), "epoch=2-val_loss=0.12");
        assert_eq!(named(Some("epoch={epoch}-validation_loss={val_loss:.2f}"), false), "epoch=2-validation_loss=0.12");
        assert_eq!(named(Some("{missing:d}"), true), "missing=0");
        assert_eq!(named(Some("{val_loss:.1e}"), false), "1.2e-01");
        assert_eq!(named(Some("best"), true), "best");
    }
}
