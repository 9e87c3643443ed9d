use tch::Tensor;

use super::pattern::Pattern;
use super::{Algorithm, OptimizerError};

/// An algorithm over groups of parameters, each with its own hyperparameters, or over a part of them.
///
/// PyTorch's [per-parameter options](https://docs.pytorch.org/docs/2.13/optim.html#per-parameter-options), with the
/// parameters chosen by their names. A parameter belongs to the first pattern that matches its name; those that no pattern
/// matches belong to the algorithm given to [`new`](Self::new), and without one to none: the optimizer leaves them alone.
///
/// ```
/// use tch_lightning::optim::{Adam, AdamW, Optimizers, ParameterGroups};
///
/// // biases and the scales of layer norms do not decay
/// let adamw = AdamW::new(1e-3);
/// let groups = ParameterGroups::new(adamw).group("**.{bias,norm.weight}", adamw.weight_decay(0.0));
///
/// // one optimizer for each of a GAN's networks
/// let gan: Optimizers = (Adam::new(2e-4).over("generator.**"), Adam::new(1e-4).over("discriminator.**")).into();
/// ```
///
/// # Patterns
/// A pattern matches whole names, component by component between their dots:
///
/// | in a pattern | matches |
/// |---|---|
/// | `?` | any one character, but no dot |
/// | `*` | any characters, but no dot |
/// | `**` as a component | any number of components, also none |
/// | `{fc1,fc2}` | either |
/// | `[0-9]`, `[!0-9]` | a character of the range, or one outside it |
///
/// So `**.bias` is every bias, `encoder.**` all of the encoder, and `layers.[0-5].**` the first six layers.
///
/// # Kinds
/// All groups are of one algorithm. Another one does not compile:
///
/// ```compile_fail,E0308
/// use tch_lightning::optim::{Adam, ParameterGroups, Sgd};
///
/// ParameterGroups::new(Adam::new(1e-3)).group("**.bias", Sgd::new(0.1));
/// ```
///
/// Where the algorithm is chosen as the program runs, and `A` is [`Algorithm`], it is an error when the optimizer is made.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ParameterGroups<A = Algorithm> {
    rest: Option<A>,
    patterns: Vec<(String, A)>,
}

impl<A> ParameterGroups<A> {
    /// The first group, which takes all parameters that no pattern matches.
    pub fn new(algorithm: A) -> Self {
        Self { rest: Some(algorithm), patterns: Vec::new() }
    }

    /// The parameters whose names match the pattern, and no others.
    pub(super) fn over(pattern: impl Into<String>, algorithm: A) -> Self {
        Self { rest: None, patterns: vec![(pattern.into(), algorithm)] }
    }

    /// Adds a group: the parameters whose names match the pattern, and none before it.
    pub fn group(mut self, pattern: impl Into<String>, algorithm: A) -> Self {
        self.patterns.push((pattern.into(), algorithm));
        self
    }

    /// The groups' algorithms, in the order of [`Optimizer::groups`](super::Optimizer::groups).
    pub fn algorithms(&self) -> impl Iterator<Item = &A> {
        self.rest.iter().chain(self.patterns.iter().map(|(_, algorithm)| algorithm))
    }
}

/// Parameters with their names.
pub(super) type Named = Vec<(String, Tensor)>;

impl ParameterGroups {
    /// The algorithms with the parameters of each. The group of those that no pattern matches may be empty.
    pub(super) fn divide(self, parameters: Named) -> Result<Vec<(Algorithm, Named)>, OptimizerError> {
        let Some(optimizer) = self.algorithms().next().map(Algorithm::name) else {
            return Ok(Vec::new());
        };
        let all: Vec<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
        let mut left = parameters;
        let mut groups = Vec::new();
        for (pattern, algorithm) in self.patterns {
            let matches = Pattern::new(optimizer, &pattern)?;
            let (taken, others): (Named, Named) = left.into_iter().partition(|(name, _)| matches.matches(name));
            if taken.is_empty() {
                let shadowed = all.iter().any(|name| matches.matches(name));
                return Err(match shadowed {
                    true => OptimizerError::ShadowedPattern { optimizer, pattern },
                    false => OptimizerError::UnmatchedPattern { optimizer, pattern, parameters: all },
                });
            }
            groups.push((algorithm, taken));
            left = others;
        }
        groups.splice(0..0, self.rest.map(|algorithm| (algorithm, left)));
        Ok(groups)
    }
}

/// What an [`Optimizer`](super::Optimizer) can be made from: an algorithm for all parameters, or [`ParameterGroups`].
pub trait IntoParameterGroups {
    /// The groups, of whichever algorithm.
    fn into_parameter_groups(self) -> ParameterGroups;
}

impl<A: Into<Algorithm>> IntoParameterGroups for A {
    fn into_parameter_groups(self) -> ParameterGroups {
        ParameterGroups::new(self.into())
    }
}

impl<A: Into<Algorithm>> IntoParameterGroups for ParameterGroups<A> {
    fn into_parameter_groups(self) -> ParameterGroups {
        ParameterGroups {
            rest: self.rest.map(Into::into),
            patterns: self.patterns.into_iter().map(|(pattern, algorithm)| (pattern, algorithm.into())).collect(),
        }
    }
}
