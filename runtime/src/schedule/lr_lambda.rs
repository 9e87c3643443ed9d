use std::fmt;
use std::sync::Arc;

/// A function of the step for [`LambdaLr`](super::LambdaLr) and [`MultiplicativeLr`](super::MultiplicativeLr). Two are equal
/// if one is a clone of the other.
#[derive(Clone)]
pub struct LrLambda(Arc<dyn Fn(u64) -> f64 + Send + Sync>);

impl LrLambda {
    /// Wraps a closure from the number of steps taken to a factor.
    pub fn new(function: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    /// Returns the factor after `epoch` steps.
    pub fn factor(&self, epoch: u64) -> f64 {
        (self.0)(epoch)
    }
}

impl fmt::Debug for LrLambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LrLambda(..)")
    }
}

impl PartialEq for LrLambda {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
