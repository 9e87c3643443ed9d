//! Glob patterns of parameter names.

use super::OptimizerError;

/// A glob pattern of parameter names, whose components are separated by dots, as those of a path are by slashes: one pattern for each
/// alternative of `{a,b}`. The crate `globset` would know those, but brings an engine of regular expressions, a tenth of a program's
/// build.
#[derive(Debug)]
pub(crate) struct Pattern(Vec<glob::Pattern>);

/// `?`, `*` and ranges match within a component.
const OPTIONS: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Pattern {
    pub(crate) fn new(optimizer: &'static str, pattern: &str) -> Result<Self, OptimizerError> {
        let invalid = |reason: &str| invalid(optimizer, pattern, reason);
        let mut alternatives = Vec::new();
        expand(&as_path(pattern), &mut alternatives).map_err(&invalid)?;
        let patterns =
            alternatives.iter().map(|one| glob::Pattern::new(one)).collect::<Result<_, glob::PatternError>>();
        patterns.map(Self).map_err(|error| match error.msg {
            "invalid range pattern" => invalid("`[` without `]`"),
            other => invalid(other),
        })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        let path = as_path(name);
        self.0.iter().any(|pattern| pattern.matches_with(&path, OPTIONS))
    }

    /// Returns the alternatives that match none of these names.
    pub(crate) fn unmatched(&self, names: &[String]) -> impl Iterator<Item = String> {
        let paths: Vec<String> = names.iter().map(|name| as_path(name)).collect();
        let is_unmatched = move |one: &&glob::Pattern| !paths.iter().any(|path| one.matches_with(path, OPTIONS));
        self.0.iter().filter(is_unmatched).map(|one| one.as_str().replace('/', "."))
    }
}

/// Returns the error of a malformed pattern.
pub(super) fn invalid(optimizer: &'static str, pattern: &str, reason: &str) -> OptimizerError {
    OptimizerError::Pattern { optimizer, pattern: pattern.to_owned(), reason: reason.to_owned() }
}

fn as_path(name: &str) -> String {
    name.replace('.', "/")
}

/// Adds a pattern with `{a,b}` as one pattern for each alternative.
fn expand(pattern: &str, alternatives: &mut Vec<String>) -> Result<(), &'static str> {
    // there is no group within the last one
    let Some((before, rest)) = pattern.rsplit_once('{') else {
        alternatives.push(pattern.to_owned());
        return if pattern.contains('}') { Err("`}` without `{`") } else { Ok(()) };
    };
    let (group, after) = rest.split_once('}').ok_or("`{` without `}`")?;
    group.split(',').try_for_each(|one| expand(&format!("{before}{one}{after}"), alternatives))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_that_match_no_name_are_known() {
        let names = ["fc.bias", "norm.weight"].map(str::to_owned);
        let unmatched = |pattern: &str| Pattern::new("SGD", pattern).unwrap().unmatched(&names).collect::<Vec<_>>();
        assert_eq!(unmatched("**.{bias,layernorm*.weight,norm.weight}"), ["**.layernorm*.weight"]);
        assert!(unmatched("**.bias").is_empty());
    }

    #[test]
    fn matches_separates_components_by_dots() {
        let names = ["bias", "fc.bias", "fc.weight", "encoder.norm.bias", "encoder.layers.10.weight", "encoderless.w"];
        for (pattern, expected) in [
            ("**", &names[..]),
            ("**.bias", &["bias", "fc.bias", "encoder.norm.bias"]),
            ("*.bias", &["fc.bias"]),
            ("bias", &["bias"]),
            ("encoder.**", &["encoder.norm.bias", "encoder.layers.10.weight"]),
            ("encoder.**.weight", &["encoder.layers.10.weight"]),
            ("encoder.layers.[0-9][0-9].*", &["encoder.layers.10.weight"]),
            ("fc[!0-9]bias", &[]),
            ("{fc,encoder.norm}.*", &["fc.bias", "fc.weight", "encoder.norm.bias"]),
            ("**.{norm.bias,w}", &["encoder.norm.bias", "encoderless.w"]),
            ("{fc,encoder{.norm,less}}.{bias,w}", &["fc.bias", "encoder.norm.bias", "encoderless.w"]),
            ("encoder*.?", &["encoderless.w"]),
            ("FC.bias", &[]),
        ] {
            let pattern = (pattern, Pattern::new("SGD", pattern).unwrap());
            let found: Vec<&str> = names.into_iter().filter(|name| pattern.1.matches(name)).collect();
            assert_eq!(found, expected, "{}", pattern.0);
        }
    }

    #[test]
    fn new_refuses_patterns_that_are_not_closed() {
        for pattern in ["[", "fc.[a-", "{fc", "fc}.bias", "{a,{b}", "fc.**bias"] {
            let refused = Pattern::new("SGD", pattern).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("SGD: `{pattern}` is not a valid pattern")), "{refused}");
        }
    }
}
