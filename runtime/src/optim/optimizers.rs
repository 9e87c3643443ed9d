use super::{IntoParameterGroups, ParameterGroups};

/// What `configure_optimizers` returns: one algorithm or several, each over all parameters or over groups of them. Each
/// becomes an [`Optimizer`](super::Optimizer).
///
/// ```
/// use tch_lightning::optim::{Adam, AdamW, Optimizers, Sgd};
///
/// let one: Optimizers = AdamW::new(1e-3).into();
/// let two: Optimizers = (Adam::new(1e-3).over("encoder.**"), Sgd::new(0.1).over("decoder.**")).into();
/// let many: Optimizers = vec![Adam::new(1e-3), Adam::new(1e-4)].into();
/// assert_eq!([one.len(), two.len(), many.len()], [1, 2, 2]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Optimizers(Vec<ParameterGroups>);

impl Optimizers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none: a module that trains nothing, or updates its parameters by itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The optimizers' groups, in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, ParameterGroups> {
        self.0.iter()
    }
}

impl IntoIterator for Optimizers {
    type Item = ParameterGroups;
    type IntoIter = std::vec::IntoIter<ParameterGroups>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Optimizers {
    type Item = &'a ParameterGroups;
    type IntoIter = std::slice::Iter<'a, ParameterGroups>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<G: IntoParameterGroups> FromIterator<G> for Optimizers {
    fn from_iter<I: IntoIterator<Item = G>>(optimizers: I) -> Self {
        Self(optimizers.into_iter().map(G::into_parameter_groups).collect())
    }
}

impl<G: IntoParameterGroups> From<G> for Optimizers {
    fn from(optimizer: G) -> Self {
        Self(vec![optimizer.into_parameter_groups()])
    }
}

impl<G: IntoParameterGroups> From<Vec<G>> for Optimizers {
    fn from(optimizers: Vec<G>) -> Self {
        optimizers.into_iter().collect()
    }
}

impl<A: IntoParameterGroups, B: IntoParameterGroups> From<(A, B)> for Optimizers {
    fn from((first, second): (A, B)) -> Self {
        Self(vec![first.into_parameter_groups(), second.into_parameter_groups()])
    }
}

impl<A: IntoParameterGroups, B: IntoParameterGroups, C: IntoParameterGroups> From<(A, B, C)> for Optimizers {
    fn from((first, second, third): (A, B, C)) -> Self {
        [first.into_parameter_groups(), second.into_parameter_groups(), third.into_parameter_groups()]
            .into_iter()
            .collect()
    }
}
