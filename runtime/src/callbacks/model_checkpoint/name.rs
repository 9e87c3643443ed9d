//! The names of checkpoint files: templates such as `{epoch}-{val_loss:.2f}`, whose values are preceded by their names.

use super::format_spec::{FormatSpec, Number, NumberType};
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The default template.
const DEFAULT: &str = "{epoch}-{step}";

/// The maximum length of a file's name, in bytes.
const LONGEST: usize = 255;

/// The name of a file, with placeholders for values.
pub(super) struct Template<'a> {
    parts: Vec<Part<'a>>,
}

enum Part<'a> {
    Text(&'a str),
    Value { name: &'a str, spec: FormatSpec },
}

impl<'a> Template<'a> {
    /// Parses a template.
    ///
    /// # Errors
    /// A sentence that begins with the template, if it is malformed or cannot be the name of a file.
    pub(super) fn parse(template: Option<&'a str>) -> Result<Self, String> {
        let template = template.filter(|template| !template.is_empty()).unwrap_or(DEFAULT);
        let wrong = |what: String| format!("the `filename` of ModelCheckpoint, `{template}`, {what}");
        let read = Self { parts: parts(template).map_err(wrong)? };
        read.check().map_err(wrong)?;
        Ok(read)
    }

    /// Returns the name with values inserted. A value that was not logged is 0, as in Lightning; with `insert_names`, `{epoch}`
    /// becomes `epoch=3`.
    pub(super) fn filled(&self, values: &BTreeMap<String, f64>, insert_names: bool) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value { name, spec } => {
                    if insert_names {
                        filled.push_str(name);
                        filled.push('=');
                    }
                    let value = values.get(*name).copied();
                    filled.push_str(&spec.format(match (type_of(name), value) {
                        (NumberType::Whole, value) => Number::Whole(value.unwrap_or_default() as i64),
                        (NumberType::Float, Some(value)) => Number::Float(value),
                        (NumberType::Float, None) => Number::Whole(0),
                    }));
                }
            }
        }
        filled
    }

    /// Checks that the shortest name that the template produces is valid for a file.
    fn check(&self) -> Result<(), String> {
        let shortest = format!("{}.ckpt", self.filled(&BTreeMap::new(), false));
        if shortest.contains('\0') {
            return Err("contains a zero byte, which a file's name cannot contain".to_owned());
        }
        if let Some(long) = shortest.split(std::path::is_separator).find(|part| part.len() > LONGEST) {
            return Err(format!(
                "produces a name of {} bytes: the name of a file can have at most {LONGEST}",
                long.len()
            ));
        }
        let is_below = |component| matches!(component, Component::Normal(_) | Component::CurDir);
        if !Path::new(&shortest).components().all(is_below) {
            return Err("leads outside `dirpath`: set `dirpath` instead".to_owned());
        }
        Ok(())
    }
}

/// Returns the type of a value: `epoch` and `step` are integers, logged values are floats.
fn type_of(name: &str) -> NumberType {
    if matches!(name, "epoch" | "step") { NumberType::Whole } else { NumberType::Float }
}

fn parts(template: &str) -> Result<Vec<Part<'_>>, String> {
    let unmatched = |brace: char| format!("has an unmatched `{brace}`: a name cannot contain braces");
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(position) = rest.find(['{', '}']) {
        let (text, after) = rest.split_at(position);
        let Some(after) = after.strip_prefix('{') else { return Err(unmatched('}')) };
        let (field, after) = after.split_once('}').ok_or_else(|| unmatched('{'))?;
        if field.contains('{') {
            return Err(format!("has nested braces, `{{{field}}}`: a name cannot contain braces"));
        }
        parts.extend([Part::Text(text), value(field)?]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

fn value(field: &str) -> Result<Part<'_>, String> {
    let (name, spec) = field.split_once(':').unwrap_or((field, ""));
    if name.is_empty() {
        return Err(format!(
            "has braces without a name, `{{{field}}}`: insert `epoch`, `step` or the name of a logged value"
        ));
    }
    if let Some((name, _)) = name.rsplit_once('!').filter(|(_, conversion)| matches!(*conversion, "r" | "s" | "a")) {
        return Err(format!("has a conversion, `{{{field}}}`, which is not supported: write `{{{name}}}`"));
    }
    let spec =
        FormatSpec::parse(spec, type_of(name)).map_err(|what| format!("has `{{{field}}}`, whose format {what}"))?;
    Ok(Part::Value { name, spec })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(template: Option<&str>, insert_names: bool) -> String {
        let values = [("epoch", 2.0), ("step", 12.0), ("val_loss", 0.123_456), ("val/acc", 0.5), ("a!b", 1.0)];
        let values = values.map(|(name, value)| (name.to_owned(), value)).into();
        Template::parse(template).unwrap().filled(&values, insert_names)
    }

    /// The examples of Lightning's `ModelCheckpoint.format_checkpoint_name`.
    #[test]
    fn names_match_lightning() {
        assert_eq!(named(None, true), "epoch=2-step=12");
        assert_eq!(named(Some(""), true), "epoch=2-step=12");
        assert_eq!(named(Some("{epoch:03d}"), true), "epoch=002");
        assert_eq!(named(Some("{epoch}-{val_loss:.2f}"), true), "epoch=2-val_loss=0.12");
        assert_eq!(named(Some("epoch={epoch}-validation_loss={val_loss:.2f}"), false), "epoch=2-validation_loss=0.12");
        assert_eq!(named(Some("{missing}"), true), "missing=0");
        assert_eq!(named(Some("{missing:.2f}"), true), "missing=0.00");
        assert_eq!(named(Some("{val_loss:.1e}"), false), "1.2e-01");
        assert_eq!(named(Some("{val_loss:.2%}-{epoch:>4}"), false), "12.35%-   2");
        assert_eq!(named(Some("{val_loss}-{val/acc}"), false), "0.123456-0.5");
        assert_eq!(named(Some("{a!b}"), true), "a!b=1.0");
        assert_eq!(named(Some("best"), true), "best");
        assert_eq!(named(Some("{epoch}-{val/acc:.1f}"), true), "epoch=2-val/acc=0.5");
    }

    #[test]
    fn invalid_templates_are_refused() {
        for (template, what) in [
            ("{epoch", "has an unmatched `{`: a name cannot contain braces"),
            ("epoch}", "has an unmatched `}`: a name cannot contain braces"),
            ("{{epoch}}", "has nested braces, `{{epoch}`: a name cannot contain braces"),
            ("{val_loss:{width}}", "has nested braces, `{val_loss:{width}`: a name cannot contain braces"),
            ("{}", "has braces without a name, `{}`: insert `epoch`, `step` or the name of a logged value"),
            ("{val_loss!r:>5}", "has a conversion, `{val_loss!r:>5}`, which is not supported: write `{val_loss}`"),
            ("{val_loss:.2q}", "has `{val_loss:.2q}`, whose format ends with `q`, which is not a type of number"),
            (
                "{val_loss:d}",
                "has `{val_loss:d}`, whose format has `d`, which requires an integer, but logged values are floats: use `.0f`",
            ),
            ("{epoch:.2}", "has `{epoch:.2}`, whose format has a precision, which integers do not accept: add `f`"),
            ("../{epoch}", "leads outside `dirpath`: set `dirpath` instead"),
            ("/tmp/{epoch}", "leads outside `dirpath`: set `dirpath` instead"),
            ("a\0b", "contains a zero byte, which a file's name cannot contain"),
        ] {
            let said = Template::parse(Some(template)).map(drop).unwrap_err();
            assert_eq!(said, format!("the `filename` of ModelCheckpoint, `{template}`, {what}"));
        }
        let long = format!("{}/{}", "a".repeat(255), "b".repeat(251));
        let said = Template::parse(Some(&long)).map(drop).unwrap_err();
        assert!(said.ends_with("produces a name of 256 bytes: the name of a file can have at most 255"), "{said}");
        Template::parse(Some(&long[1..long.len() - 1])).map(drop).unwrap();
        let many = "{epoch:>200}".repeat(2);
        let said = Template::parse(Some(&many)).map(drop).unwrap_err();
        assert!(said.ends_with("produces a name of 405 bytes: the name of a file can have at most 255"), "{said}");
        let said = Template::parse(Some("{val_loss:.999999999f}")).map(drop).unwrap_err();
        assert!(said.ends_with("has the precision 999999999: the name of a file can have at most 255 bytes"), "{said}");
    }
}
