use globset::{GlobBuilder, GlobMatcher};

use super::OptimizerError;

/// A glob pattern of parameter names, whose components are separated by dots, as those of a path are by slashes.
#[derive(Debug)]
pub(crate) struct Pattern(GlobMatcher);

impl Pattern {
    pub(crate) fn new(optimizer: &'static str, pattern: &str) -> Result<Self, OptimizerError> {
        let glob = GlobBuilder::new(&as_path(pattern)).literal_separator(true).build();
        let glob = glob.map_err(|error| OptimizerError::Pattern {
            optimizer,
            pattern: pattern.to_owned(),
            reason: error.kind().to_string(),
        })?;
        Ok(Self(glob.compile_matcher()))
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.is_match(as_path(name))
    }
}

fn as_path(name: &str) -> String {
    name.replace('.', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("{fc,encoder.norm}.*", &["fc.bias", "fc.weight", "encoder.norm.bias"]),
            ("**.{norm.bias,w}", &["encoder.norm.bias", "encoderless.w"]),
            ("encoder*.?", &["encoderless.w"]),
            ("FC.bias", &[]),
        ] {
            let pattern = (pattern, Pattern::new("SGD", pattern).unwrap());
            let found: Vec<&str> = names.into_iter().filter(|name| pattern.1.matches(name)).collect();
            assert_eq!(found, expected, "{}", pattern.0);
        }
    }
}
