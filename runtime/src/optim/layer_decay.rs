//! Learning rates that decay from the last layer to the first.

use super::pattern::{Pattern, invalid};
use super::{OptimizerError, range};

/// Layers of a model, from the input to the output, with the factor from one layer's learning rate to that of the layer below it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayerDecay {
    decay: f64,
    patterns: Vec<String>,
}

impl LayerDecay {
    pub(super) fn new<P: Into<String>>(decay: f64, layers: impl IntoIterator<Item = P>) -> Self {
        Self { decay, patterns: layers.into_iter().map(P::into).collect() }
    }

    /// Returns for each name how many layers its own is below the last one.
    pub(super) fn depths(&self, optimizer: &'static str, names: &[String]) -> Result<Vec<u32>, OptimizerError> {
        range::finite_non_negative(optimizer, "layer_decay", self.decay)?;
        let mut depths = vec![0; names.len()];
        let mut is_left = vec![true; names.len()];
        let mut found = Vec::new();
        for pattern in &self.patterns {
            let layers = NumberedPattern::new(optimizer, pattern)?;
            let numbers = names.iter().enumerate().filter_map(|(index, name)| Some((index, layers.number(name)?)));
            let matched: Vec<(usize, u32)> = numbers.collect();
            let numbers: Vec<(usize, u32)> = matched.iter().copied().filter(|(index, _)| is_left[*index]).collect();
            if numbers.is_empty() {
                let pattern = pattern.clone();
                return Err(if matched.is_empty() {
                    OptimizerError::UnmatchedPattern { optimizer, pattern, parameters: names.to_vec() }
                } else {
                    OptimizerError::ShadowedPattern { optimizer, pattern }
                });
            }
            numbers.iter().for_each(|(index, _)| is_left[*index] = false);
            found.push(numbers);
        }
        // the last layer is that of the parameters that no pattern matches
        let mut above = 1;
        for numbers in found.into_iter().rev() {
            let all = || numbers.iter().map(|(_, number)| *number);
            let (least, largest) = (all().min().unwrap_or_default(), all().max().unwrap_or_default());
            for (index, number) in &numbers {
                depths[*index] = above + (largest - number);
            }
            above += largest - least + 1;
        }
        Ok(depths)
    }

    /// Returns the factor of the learning rate at a depth.
    pub(super) fn factor(&self, depth: u32) -> f64 {
        self.decay.powi(depth.try_into().unwrap_or(i32::MAX))
    }
}

/// A pattern in which `#` is the number of a layer.
struct NumberedPattern {
    pattern: Pattern,
    /// The index of the component with `#`, and the text before and after it.
    number: Option<(usize, String, String)>,
}

impl NumberedPattern {
    fn new(optimizer: &'static str, pattern: &str) -> Result<Self, OptimizerError> {
        let refused = |reason: &str| Err(invalid(optimizer, pattern, reason));
        let number = match pattern.split_once('#') {
            None => None,
            Some((before, after)) if before.contains(['{', '}']) || before.contains("**") || after.contains('#') => {
                return refused("a pattern has at most one `#`, and neither `**` nor `{` before it");
            }
            Some((before, after)) => {
                let (index, prefix) = match before.rsplit_once('.') {
                    Some((components, prefix)) => (components.split('.').count(), prefix),
                    None => (0, before),
                };
                let suffix = after.split_once('.').map_or(after, |(suffix, _)| suffix);
                if prefix.contains(['*', '?', '[']) || suffix.contains(['*', '?', '[', '{']) {
                    return refused("the name of a layer around `#` is without `*`, `?`, `[` and `{`");
                }
                Some((index, prefix.to_owned(), suffix.to_owned()))
            }
        };
        Ok(Self { pattern: Pattern::new(optimizer, &pattern.replace('#', "*"))?, number })
    }

    /// Returns the number of the layer in a name that matches; 0 for a pattern without one.
    fn number(&self, name: &str) -> Option<u32> {
        if !self.pattern.matches(name) {
            return None;
        }
        let Some((index, prefix, suffix)) = &self.number else { return Some(0) };
        name.split('.').nth(*index)?.strip_prefix(prefix.as_str())?.strip_suffix(suffix.as_str())?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depths(patterns: &[&str], names: &[&str]) -> Result<Vec<u32>, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        LayerDecay::new(0.5, patterns.iter().copied()).depths("SGD", &names).map_err(|error| error.to_string())
    }

    #[test]
    fn depths_count_from_the_last_layer() {
        let vit = ["{cls_token,patch_embed.**}", "blocks.#.**"];
        let names = ["cls_token", "patch_embed.bias", "blocks.0.w", "blocks.9.w", "blocks.10.w", "norm.bias", "head.w"];
        assert_eq!(depths(&vit, &names).unwrap(), [12, 12, 11, 2, 1, 0, 0]);
        let resnet = ["conv1.*", "layer#.**"];
        let names = ["conv1.weight", "layer1.0.bn1.bias", "layer4.1.conv2.weight", "fc.bias"];
        assert_eq!(depths(&resnet, &names).unwrap(), [5, 4, 1, 0]);
    }

    #[test]
    fn depths_refuse_patterns_that_name_no_layer() {
        let names = ["a.0.w", "b.w"];
        assert_eq!(
            depths(&["c.#.w"], &names).unwrap_err(),
            "SGD: no parameter name matches `c.#.w`; the parameters are a.0.w, b.w"
        );
        assert!(depths(&["a.**", "a.#.w"], &names).unwrap_err().contains("belongs to an earlier group"));
        assert_eq!(
            depths(&["**.#.w"], &names).unwrap_err(),
            "SGD: `**.#.w` is not a valid pattern of parameter names: a pattern has at most one `#`, and neither `**` nor `{` \
             before it"
        );
        assert!(depths(&["*#.w"], &names).unwrap_err().contains("around `#`"));
    }
}
