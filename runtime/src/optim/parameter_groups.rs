use tch::Tensor;

use super::pattern::Pattern;
use super::{Algorithm, OptimizerError};
use crate::messages;

/// Groups of parameters with their own hyperparameters: PyTorch's
/// [per-parameter options](https://docs.pytorch.org/docs/2.13/optim.html#per-parameter-options), with the parameters
/// selected by name.
///
/// A parameter belongs to the first pattern that matches its name. Parameters that no pattern matches belong to the group of
/// the algorithm given to [`new`](Self::new); if there is none, they are not optimized.
///
/// ```
/// use tch_lightning::module::Optimizers;
/// use tch_lightning::optim::{Adam, AdamW, ParameterGroups};
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
/// A pattern matches complete names, component by component, which dots separate:
///
/// | in a pattern | matches |
/// |---|---|
/// | `?` | any one character except a dot |
/// | `*` | any number of characters except dots |
/// | `**` as a component | zero or more components |
/// | `{fc1,fc2}` | either |
/// | `[0-9]`, `[!0-9]` | a character of the range, or one outside it |
///
/// For example, `**.bias` matches every bias, `encoder.**` all of the encoder, and `layers.[0-5].**` the first six layers.
///
/// # Kinds
/// All groups must have the same algorithm. Different ones do not compile:
///
/// ```compile_fail,E0308
/// use tch_lightning::optim::{Adam, ParameterGroups, Sgd};
///
/// ParameterGroups::new(Adam::new(1e-3)).group("**.bias", Sgd::new(0.1));
/// ```
///
/// If the algorithm is chosen at run time, and `A` is [`Algorithm`], creating the optimizer returns an error.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ParameterGroups<A = Algorithm> {
    /// Without a pattern, the group of all parameters that the others do not match.
    first: (Option<String>, A),
    others: Vec<(String, A)>,
}

impl<A> ParameterGroups<A> {
    /// Creates groups whose first is that of all parameters that no pattern matches.
    pub fn new(algorithm: A) -> Self {
        Self { first: (None, algorithm), others: Vec::new() }
    }

    /// Creates groups whose first is that of the parameters whose names match the pattern.
    pub(super) fn over(pattern: impl Into<String>, algorithm: A) -> Self {
        Self { first: (Some(pattern.into()), algorithm), others: Vec::new() }
    }

    /// Adds a group of the parameters whose names match the pattern, but no earlier pattern.
    pub fn group(mut self, pattern: impl Into<String>, algorithm: A) -> Self {
        self.others.push((pattern.into(), algorithm));
        self
    }

    /// The algorithms of the groups, in the order of [`Optimizer::groups`](super::Optimizer::groups).
    pub fn algorithms(&self) -> impl Iterator<Item = &A> {
        std::iter::once(&self.first.1).chain(self.others.iter().map(|(_, algorithm)| algorithm))
    }
}

/// Parameters with their names.
pub(super) type Named = Vec<(String, Tensor)>;

impl ParameterGroups {
    /// Assigns the parameters to the algorithms. The group of those that no pattern matches may be empty.
    pub(super) fn divide(self, parameters: Named) -> Result<Vec<(Algorithm, Named)>, OptimizerError> {
        let (pattern, algorithm) = self.first;
        let mut division = Division::new(algorithm.name(), parameters)?;
        let first = pattern.as_deref().map(|pattern| division.take(pattern)).transpose()?;
        let others = self.others.into_iter().map(|(pattern, algorithm)| Ok((algorithm, division.take(&pattern)?)));
        let mut groups: Vec<(Algorithm, Named)> = others.collect::<Result<_, _>>()?;
        groups.insert(0, (algorithm, first.unwrap_or(division.left)));
        Ok(groups)
    }
}

/// The parameters that are not assigned to a group yet.
struct Division {
    optimizer: &'static str,
    names: Vec<String>,
    left: Named,
}

impl Division {
    fn new(optimizer: &'static str, parameters: Named) -> Result<Self, OptimizerError> {
        if parameters.is_empty() {
            return Err(OptimizerError::NoParameters { optimizer });
        }
        let names = parameters.iter().map(|(name, _)| name.clone()).collect();
        Ok(Self { optimizer, names, left: parameters })
    }

    fn take(&mut self, pattern: &str) -> Result<Named, OptimizerError> {
        let matcher = Pattern::new(self.optimizer, pattern)?;
        let left = std::mem::take(&mut self.left).into_iter();
        let (taken, left): (Named, Named) = left.partition(|(name, _)| matcher.matches(name));
        self.left = left;
        if !taken.is_empty() {
            // the same patterns may be for several modules, so it is not an error
            for alternative in matcher.unmatched(&self.names) {
                messages::warning!(
                    "{}: no parameter name matches `{alternative}`, of the pattern `{pattern}`",
                    self.optimizer
                );
            }
            return Ok(taken);
        }
        let (optimizer, pattern) = (self.optimizer, pattern.to_owned());
        if self.names.iter().any(|name| matcher.matches(name)) {
            return Err(OptimizerError::ShadowedPattern { optimizer, pattern });
        }
        Err(OptimizerError::UnmatchedPattern { optimizer, pattern, parameters: std::mem::take(&mut self.names) })
    }
}

/// Conversion into the argument of [`Optimizer::new`](super::Optimizer::new): an algorithm for all parameters, or
/// [`ParameterGroups`]. Sealed: convert a type of your own into an [`Algorithm`] instead.
pub trait IntoParameterGroups: sealed::Sealed {
    /// Converts this value into groups.
    fn into_parameter_groups(self) -> ParameterGroups;
}

mod sealed {
    pub trait Sealed {}
}

impl<A: Into<Algorithm>> sealed::Sealed for A {}
impl<A: Into<Algorithm>> sealed::Sealed for ParameterGroups<A> {}

impl<A: Into<Algorithm>> IntoParameterGroups for A {
    fn into_parameter_groups(self) -> ParameterGroups {
        ParameterGroups::new(self.into())
    }
}

impl<A: Into<Algorithm>> IntoParameterGroups for ParameterGroups<A> {
    fn into_parameter_groups(self) -> ParameterGroups {
        let (pattern, algorithm) = self.first;
        let others = self.others.into_iter().map(|(pattern, algorithm)| (pattern, algorithm.into()));
        ParameterGroups { first: (pattern, algorithm.into()), others: others.collect() }
    }
}
