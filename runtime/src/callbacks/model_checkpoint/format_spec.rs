//! Python's [format specifications](https://docs.python.org/3/library/string.html#formatspec) for numbers: `.2f`, `03d`, `+.1%`.

use std::iter::repeat_n;

/// The largest width and precision: the maximum length of a file's name.
const LONGEST: usize = 255;

/// A number of one of Python's types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// An `int`.
    Whole(i64),
    /// A `float`.
    Float(f64),
}

/// The type of number that a specification formats: some specifications suit only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberType {
    Whole,
    Float,
}

/// A parsed format specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FormatSpec {
    fill: char,
    align: Align,
    /// The sign of a number that is not negative: `+` or a space.
    plus: Option<char>,
    no_negative_zero: bool,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    /// The letter of the presentation type, in lower case.
    kind: Option<char>,
    upper_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
    Center,
    /// Between the sign and the digits.
    AfterSign,
}

/// The characters of a number before it is aligned.
struct Parts {
    is_negative: bool,
    /// `0x`, `0o` or `0b`.
    prefix: String,
    /// The digits before the point, without separators. Empty for the infinities and NaN.
    digits: String,
    /// The point, fraction, exponent and `%`; or `inf`, `nan`.
    rest: String,
}

impl FormatSpec {
    /// Parses a specification.
    ///
    /// # Errors
    /// The mistake, as a clause whose subject is the specification.
    pub(super) fn parse(text: &str, number: NumberType) -> Result<Self, String> {
        let mut rest = text;
        let mut characters = text.chars();
        let (first, second) = (characters.next(), characters.next());
        let (fill, align) = match (first, first.and_then(Align::of), second.and_then(Align::of)) {
            (Some(fill), _, Some(align)) => {
                rest = &rest[fill.len_utf8() + 1..];
                (Some(fill), Some(align))
            }
            (_, Some(align), None) => {
                rest = &rest[1..];
                (None, Some(align))
            }
            _ => (None, None),
        };
        let sign = taken(&mut rest, &['+', '-', ' ']);
        let no_negative_zero = taken(&mut rest, &['z']).is_some();
        let alternate = taken(&mut rest, &['#']).is_some();
        let is_zero_filled = fill.is_none() && taken(&mut rest, &['0']).is_some();
        let width = digits(&mut rest, "width")?.unwrap_or(0);
        let grouping = taken(&mut rest, &[',', '_']);
        let precision = match taken(&mut rest, &['.']) {
            Some(_) => Some(digits(&mut rest, "precision")?.ok_or("has a point without a precision")?),
            None => None,
        };
        let kind = rest.chars().next();
        if rest.chars().nth(1).is_some() {
            return Err(format!("has `{rest}` in place of a single letter"));
        }
        let spec = Self {
            fill: fill.unwrap_or(if is_zero_filled { '0' } else { ' ' }),
            align: align.unwrap_or(if is_zero_filled { Align::AfterSign } else { Align::Right }),
            plus: sign.filter(|sign| *sign != '-'),
            no_negative_zero,
            alternate,
            width,
            grouping,
            precision,
            kind: kind.map(|kind| kind.to_ascii_lowercase()),
            upper_case: kind.is_some_and(|kind| kind.is_ascii_uppercase()),
        };
        spec.check(kind, number)?;
        Ok(spec)
    }

    /// Checks that the parts suit each other and the type of the number.
    fn check(&self, letter: Option<char>, number: NumberType) -> Result<(), String> {
        let of_whole = matches!(letter, Some('b' | 'd' | 'o' | 'x' | 'X'));
        let of_float = matches!(letter, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%'));
        match letter {
            Some('c') => return Err("has `c`, which produces characters that a file's name cannot contain".to_owned()),
            Some(letter) if !of_whole && !of_float && letter != 'n' => {
                return Err(format!("ends with `{letter}`, which is not a type of number"));
            }
            Some(letter) if of_whole && number == NumberType::Float => {
                return Err(format!(
                    "has `{letter}`, which requires an integer, but logged values are floats: use `.0f`"
                ));
            }
            _ => {}
        }
        match (self.grouping, letter) {
            (Some(separator), Some('n')) => {
                return Err(format!("has `{separator}`, which cannot be combined with `n`"));
            }
            (Some(','), Some(letter @ ('b' | 'o' | 'x' | 'X'))) => {
                return Err(format!("has `,`, which cannot be combined with `{letter}`: use `_`"));
            }
            _ => {}
        }
        if self.is_whole(number) && self.precision.is_some() {
            return Err("has a precision, which integers do not accept: add `f`".to_owned());
        }
        if self.is_whole(number) && self.no_negative_zero {
            return Err("has `z`, which integers do not accept: add `f`".to_owned());
        }
        if self.fill == '\0' || std::path::is_separator(self.fill) {
            return Err(format!("fills with `{}`, which a file's name cannot contain", self.fill.escape_default()));
        }
        Ok(())
    }

    /// Whether a number of this type is formatted as an integer.
    fn is_whole(&self, number: NumberType) -> bool {
        number == NumberType::Whole && matches!(self.kind, None | Some('b' | 'd' | 'o' | 'x' | 'n'))
    }

    /// Formats a number. The specification must have been parsed for its type.
    pub(super) fn format(&self, number: Number) -> String {
        let parts = match number {
            Number::Whole(value) if self.is_whole(NumberType::Whole) => self.whole(value),
            Number::Whole(value) => self.float(value as f64),
            Number::Float(value) => self.float(value),
        };
        self.aligned(&parts)
    }

    fn whole(&self, value: i64) -> Parts {
        let is_negative = value < 0;
        let value = value.unsigned_abs();
        let (prefix, digits) = match self.kind {
            Some('b') => ("0b", format!("{value:b}")),
            Some('o') => ("0o", format!("{value:o}")),
            Some('x') if self.upper_case => ("0X", format!("{value:X}")),
            Some('x') => ("0x", format!("{value:x}")),
            _ => ("", value.to_string()),
        };
        let prefix = if self.alternate { prefix.to_owned() } else { String::new() };
        Parts { is_negative, prefix, digits, rest: String::new() }
    }

    fn float(&self, value: f64) -> Parts {
        let is_percentage = self.kind == Some('%');
        let value = if is_percentage { value * 100.0 } else { value };
        let mut text = match value.abs() {
            positive if positive.is_finite() => self.of_positive(positive),
            infinite if infinite.is_infinite() => "inf".to_owned(),
            _ => "nan".to_owned(),
        };
        if self.upper_case {
            text.make_ascii_uppercase();
        }
        let is_zero = value.is_finite() && mantissa(&text).bytes().all(|digit| matches!(digit, b'0' | b'.'));
        let is_negative = value.is_sign_negative() && !value.is_nan() && !(self.no_negative_zero && is_zero);
        if is_percentage {
            text.push('%');
        }
        let point = text.bytes().take_while(u8::is_ascii_digit).count();
        let rest = text.split_off(point);
        Parts { is_negative, prefix: String::new(), digits: text, rest }
    }

    /// Formats a finite number that is not negative.
    fn of_positive(&self, value: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        match self.kind {
            Some('f' | '%') => {
                let point = if precision == 0 && self.alternate { "." } else { "" };
                format!("{value:.precision$}{point}")
            }
            Some('e') => {
                let (digits, exponent) = significant(&format!("{value:.precision$e}"));
                scientific(&digits, exponent, self.alternate)
            }
            Some(_) => self.general(value, precision),
            None => match self.precision {
                Some(precision) => self.general(value, precision),
                // the fewest digits that identify the number
                None => {
                    let (digits, exponent) = significant(&format!("{value:e}"));
                    let is_scientific = !(-4..16).contains(&exponent);
                    if is_scientific {
                        scientific(&digits, exponent, self.alternate)
                    } else {
                        self.fixed(&digits, exponent)
                    }
                }
            },
        }
    }

    /// Formats `precision` significant digits, without trailing zeros except in the alternate form.
    fn general(&self, value: f64, precision: usize) -> String {
        let precision = precision.max(1);
        let (mut digits, exponent) = significant(&format!("{value:.*e}", precision - 1));
        if !self.alternate {
            let length = digits.trim_end_matches('0').len().max(1);
            digits.truncate(length);
        }
        // without a letter a point is always shown, at the cost of one digit
        let longest = precision as i32 - i32::from(self.kind.is_none());
        if (-4..longest).contains(&exponent) {
            self.fixed(&digits, exponent)
        } else {
            scientific(&digits, exponent, self.alternate)
        }
    }

    /// Formats digits in positional notation: `1230.0`, `0.00123`.
    fn fixed(&self, digits: &str, exponent: i32) -> String {
        let (whole, fraction) = match usize::try_from(exponent) {
            Ok(exponent) => {
                let padded = format!("{digits:0<length$}", length = exponent + 1);
                (padded[..=exponent].to_owned(), padded[exponent + 1..].to_owned())
            }
            Err(_) => ("0".to_owned(), "0".repeat(exponent.unsigned_abs() as usize - 1) + digits),
        };
        match (fraction.is_empty(), self.kind.is_none(), self.alternate) {
            (true, true, _) => format!("{whole}.0"),
            (true, false, true) => format!("{whole}."),
            (true, false, false) => whole,
            (false, ..) => format!("{whole}.{fraction}"),
        }
    }

    fn aligned(&self, parts: &Parts) -> String {
        let sign = if parts.is_negative { Some('-') } else { self.plus };
        let before: String = sign.into_iter().chain(parts.prefix.chars()).collect();
        let others = before.chars().count() + parts.rest.chars().count();
        // zeros in front count as digits, and are grouped too
        let is_zero_filled = self.fill == '0' && self.align == Align::AfterSign;
        let least = if is_zero_filled { self.width.saturating_sub(others) } else { 0 };
        let digits = self.grouped(&parts.digits, least);
        let missing = self.width.saturating_sub(others + digits.len());
        let (left, after_sign, right) = match self.align {
            Align::Right => (missing, 0, 0),
            Align::AfterSign => (0, missing, 0),
            Align::Left => (0, 0, missing),
            Align::Center => (missing / 2, 0, missing - missing / 2),
        };
        let filled = |length| repeat_n(self.fill, length).collect::<String>();
        [&filled(left), &before, &filled(after_sign), &digits, &parts.rest, &filled(right)].map(String::as_str).concat()
    }

    /// Returns the digits with separators, padded with zeros to at least `least` characters.
    fn grouped(&self, digits: &str, least: usize) -> String {
        let Some(separator) = self.grouping.filter(|_| !digits.is_empty()) else { return digits.to_owned() };
        let group = if matches!(self.kind, Some('b' | 'o' | 'x')) { 4 } else { 3 };
        let grouped = |length: usize| length + (length - 1) / group;
        let length = (digits.len()..).find(|length| grouped(*length) >= least).unwrap_or(digits.len());
        let padded = format!("{digits:0>length$}");
        let mut text = String::with_capacity(grouped(length));
        for (position, digit) in padded.char_indices() {
            if position > 0 && (length - position).is_multiple_of(group) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }
}

impl Align {
    fn of(character: char) -> Option<Self> {
        match character {
            '<' => Some(Self::Left),
            '>' => Some(Self::Right),
            '^' => Some(Self::Center),
            '=' => Some(Self::AfterSign),
            _ => None,
        }
    }
}

/// Removes and returns the first character, if it is one of these.
fn taken(rest: &mut &str, among: &[char]) -> Option<char> {
    let first = rest.chars().next().filter(|first| among.contains(first))?;
    *rest = &rest[first.len_utf8()..];
    Some(first)
}

/// Removes and returns the number at the beginning, if there is one.
fn digits(rest: &mut &str, of: &str) -> Result<Option<usize>, String> {
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at(length);
    *rest = after;
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse() {
        Ok(number) if number <= LONGEST => Ok(Some(number)),
        _ => Err(format!("has the {of} {digits}: the name of a file can have at most {LONGEST} bytes")),
    }
}

/// Splits Rust's `1.23e-5` into its digits and its exponent.
fn significant(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or_default())
}

/// Formats a number as Python does: `1.23e-05`.
fn scientific(digits: &str, exponent: i32, alternate: bool) -> String {
    let (first, fraction) = digits.split_at(1);
    let point = if alternate || !fraction.is_empty() { "." } else { "" };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{fraction}e{sign}{:02}", exponent.unsigned_abs())
}

/// Returns the part of a number before its exponent.
fn mantissa(text: &str) -> &str {
    text.split(['e', 'E']).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Returns the rows of `table.json`, which `table.py` computed with Python.
    fn table() -> Vec<(Value, String, Option<String>)> {
        serde_json::from_str(include_str!("../../../tests/format_spec/table.json")).unwrap()
    }

    fn number(value: &Value) -> (Number, NumberType) {
        match value.as_i64() {
            Some(whole) => (Number::Whole(whole), NumberType::Whole),
            None => {
                let float = value.as_f64().or_else(|| value.as_str()?.parse().ok());
                (Number::Float(float.unwrap()), NumberType::Float)
            }
        }
    }

    #[test]
    fn numbers_are_formatted_as_by_python() {
        let rows = table();
        assert_eq!(rows.len(), 6000);
        for (value, text, expected) in rows {
            let (number, kind) = number(&value);
            let found = FormatSpec::parse(&text, kind).map(|spec| spec.format(number)).ok();
            assert_eq!(found, expected, "{value} in the format `{text}`");
        }
    }

    #[test]
    fn formats_that_exceed_a_files_name_are_refused() {
        let refused = |text| FormatSpec::parse(text, NumberType::Whole).unwrap_err();
        for text in ["1000000000", ".256f", "256", "18446744073709551617d"] {
            assert!(refused(text).ends_with(": the name of a file can have at most 255 bytes"), "{text}");
        }
        assert_eq!(refused("c"), "has `c`, which produces characters that a file's name cannot contain");
        assert_eq!(refused("/>5"), "fills with `/`, which a file's name cannot contain");
        assert_eq!(FormatSpec::parse("255.255f", NumberType::Whole).unwrap().format(Number::Whole(1)).len(), 257);
    }
}
