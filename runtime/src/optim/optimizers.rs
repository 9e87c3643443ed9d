use super::Algorithm;

/// What `configure_optimizers` returns: one algorithm or several, each of which becomes an [`Optimizer`](super::Optimizer).
///
/// ```
/// use tch_lightning::optim::{Adam, AdamW, Optimizers, Sgd};
///
/// let one: Optimizers = AdamW::new(1e-3).into();
/// let two: Optimizers = (Adam::new(1e-3), Sgd::new(0.1)).into();
/// let many: Optimizers = vec![Adam::new(1e-3), Adam::new(1e-4)].into();
/// assert_eq!([one.len(), two.len(), many.len()], [1, 2, 2]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Optimizers(Vec<Algorithm>);

impl Optimizers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none: a module that trains nothing, or updates its parameters by itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The algorithms, in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, Algorithm> {
        self.0.iter()
    }
}

impl IntoIterator for Optimizers {
    type Item = Algorithm;
    type IntoIter = std::vec::IntoIter<Algorithm>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Optimizers {
    type Item = &'a Algorithm;
    type IntoIter = std::slice::Iter<'a, Algorithm>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<A: Into<Algorithm>> FromIterator<A> for Optimizers {
    fn from_iter<I: IntoIterator<Item = A>>(algorithms: I) -> Self {
        Self(algorithms.into_iter().map(Into::into).collect())
    }
}

impl<A: Into<Algorithm>> From<A> for Optimizers {
    fn from(algorithm: A) -> Self {
        Self(vec![algorithm.into()])
    }
}

impl<A: Into<Algorithm>> From<Vec<A>> for Optimizers {
    fn from(algorithms: Vec<A>) -> Self {
        algorithms.into_iter().collect()
    }
}

impl<A: Into<Algorithm>, B: Into<Algorithm>> From<(A, B)> for Optimizers {
    fn from((first, second): (A, B)) -> Self {
        Self(vec![first.into(), second.into()])
    }
}

impl<A: Into<Algorithm>, B: Into<Algorithm>, C: Into<Algorithm>> From<(A, B, C)> for Optimizers {
    fn from((first, second, third): (A, B, C)) -> Self {
        Self(vec![first.into(), second.into(), third.into()])
    }
}
