use std::fmt;
use std::sync::Arc;

use tch::Tensor;

/// The choice of a group's parameters: by a pattern of names, or by a predicate.
///
/// A text converts into the pattern; see [`ParameterGroups`](super::ParameterGroups) for its form.
///
/// ```
/// use tch_lightning::optim::{AdamW, ParameterGroups, Selector};
///
/// let adamw = AdamW::new(1e-3);
/// let groups = ParameterGroups::new(adamw)
///     .group("head.**", AdamW::new(1e-2))
///     .group(Selector::new("large matrices", |_, tensor| tensor.numel() > 10_000), adamw.weight_decay(0.1));
/// ```
#[derive(Clone)]
pub struct Selector(pub(super) Selection);

#[derive(Clone)]
pub(super) enum Selection {
    Pattern(String),
    Predicate { description: String, selects: Predicate },
}

pub(super) type Predicate = Arc<dyn Fn(&str, &Tensor) -> bool + Send + Sync>;

impl Selector {
    /// Creates a selector of the parameters for whose name and tensor `selects` returns true. Errors and
    /// [tables of groups](super::Optimizer#impl-Display-for-Optimizer) show the description.
    pub fn new(
        description: impl Into<String>,
        selects: impl Fn(&str, &Tensor) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Selection::Predicate { description: description.into(), selects: Arc::new(selects) })
    }
}

impl<S: Into<String>> From<S> for Selector {
    fn from(pattern: S) -> Self {
        Self(Selection::Pattern(pattern.into()))
    }
}

impl fmt::Display for Selector {
    /// The pattern, or the description of the predicate.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Selection::Pattern(pattern) => f.write_str(pattern),
            Selection::Predicate { description, .. } => f.write_str(description),
        }
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({:?})", self.to_string())
    }
}

/// Two predicates are equal if one is a clone of the other.
impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Selection::Pattern(pattern), Selection::Pattern(other)) => pattern == other,
            (Selection::Predicate { selects, .. }, Selection::Predicate { selects: other, .. }) => {
                Arc::ptr_eq(selects, other)
            }
            _ => false,
        }
    }
}
