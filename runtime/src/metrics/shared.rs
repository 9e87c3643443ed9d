//! The shared state of a metric.
//!
//! The states of two batches, or of two processes, are joined in the same way: by the [`DistReduceFx`] of each slot. A metric
//! therefore only computes the state of one batch and the value of a state; adding a batch, the value of a single batch, saving,
//! loading and sharing are implemented here.
//!
//! An update does not wait for the device: the host reads only sizes, dtypes and devices, and no operator is used whose result's
//! size depends on values, such as `nonzero`, indexing by a mask or `bincount`.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tch::{TchError, Tensor, no_grad};

use super::accumulated::Accumulated;
use super::error::Refusal;
use super::metric::joined;
use super::slot::Slot;
use super::{DistReduceFx, MetricError};

/// The mathematics of a metric. Each metric also computes the state of a batch from its inputs: one tensor per slot, which
/// shares no memory with the inputs.
pub(super) trait Formula: Clone + Send + 'static {
    /// The metric's name.
    fn name(&self) -> &'static str;

    fn slots(&self) -> Vec<Slot>;

    /// Checks the options.
    fn validate(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Returns the value of a state, which shares no memory with it, without waiting for the device.
    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError>;

    /// Checks that the state has a value. May wait for the device.
    fn check(&self, _state: &[Tensor]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A handle to a metric's state. The lock makes a model with metrics `Send`; it is not contended during training.
pub(super) struct Shared<F, T = ()> {
    name: &'static str,
    carried: Arc<Mutex<Carried<F>>>,
    /// Distinguishes the types of metrics with the same formula.
    task: PhantomData<fn() -> T>,
}

struct Carried<F> {
    formula: F,
    accumulated: Accumulated,
}

impl<F, T> Clone for Shared<F, T> {
    fn clone(&self) -> Self {
        Self { name: self.name, carried: Arc::clone(&self.carried), task: PhantomData }
    }
}

impl<F: Formula, T> fmt::Debug for Shared<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.name).field("updates", &self.lock().accumulated.updates()).finish()
    }
}

impl<F: Formula, T> Shared<F, T> {
    pub(super) fn new(formula: F) -> Self {
        let name = formula.name();
        let accumulated = Accumulated::new(formula.slots());
        Self { name, carried: Arc::new(Mutex::new(Carried { formula, accumulated })), task: PhantomData }
    }

    /// Returns a metric with other options, and with a new state.
    pub(super) fn with(self, change: impl FnOnce(&mut F)) -> Self {
        let mut formula = self.lock().formula.clone();
        change(&mut formula);
        Self::new(formula)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    fn lock(&self) -> MutexGuard<'_, Carried<F>> {
        // a poisoned lock is safe to use: an update stores its result only after all operations have succeeded
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a batch, whose state `batch` returns.
    pub(super) fn update(&self, batch: impl FnOnce(&F) -> Result<Vec<Tensor>, Refusal>) -> Result<(), MetricError> {
        self.lock().add(batch).map_err(|refusal| refusal.of(self.name, "update"))
    }

    /// Adds a batch, and returns the value of only this batch.
    pub(super) fn forward(
        &self,
        batch: impl FnOnce(&F) -> Result<Vec<Tensor>, Refusal>,
    ) -> Result<Tensor, MetricError> {
        self.update(batch)?;
        self.batch_value()
    }

    pub(super) fn compute(&self) -> Result<Tensor, MetricError> {
        let mut carried = self.lock();
        if carried.accumulated.updates() == 0 {
            return Err(MetricError::NoUpdates { metric: self.name });
        }
        carried.compute().map_err(|refusal| refusal.of(self.name, "compute"))
    }

    pub(super) fn batch_value(&self) -> Result<Tensor, MetricError> {
        let carried = self.lock();
        let state = carried.accumulated.last().ok_or(MetricError::NoUpdates { metric: self.name })?;
        carried.value(state).map_err(|refusal| refusal.of(self.name, "compute"))
    }

    pub(super) fn reset(&self) {
        self.lock().accumulated.reset();
    }

    pub(super) fn state(&self) -> Result<Vec<(String, Tensor)>, MetricError> {
        let state = self.lock().accumulated.state();
        state.map_err(|error| MetricError::libtorch(self.name, "return its state", error))
    }

    pub(super) fn dist_reduce_fx(&self) -> Vec<(String, DistReduceFx)> {
        self.lock().accumulated.dist_reduce_fx()
    }

    pub(super) fn state_id(&self) -> usize {
        Arc::as_ptr(&self.carried).addr()
    }

    /// Prepends a state to the accumulated one.
    pub(super) fn join_state(&self, earlier: Vec<(String, Tensor)>) -> Result<(), MetricError> {
        let joined = joined(earlier, self.state()?, self.dist_reduce_fx());
        let joined = joined.map_err(|error| MetricError::libtorch(self.name, "join two states", error))?;
        self.take_over(joined, Accumulated::replace)
    }

    pub(super) fn load_state(&self, state: Vec<(String, Tensor)>) -> Result<(), MetricError> {
        self.take_over(state, Accumulated::load)
    }

    fn take_over(
        &self,
        state: Vec<(String, Tensor)>,
        take: fn(&mut Accumulated, Vec<Tensor>) -> Result<(), TchError>,
    ) -> Result<(), MetricError> {
        let accumulated = &mut self.lock().accumulated;
        let arranged = accumulated.arrange(state);
        let arranged =
            arranged.map_err(|mismatch| MetricError::State { metric: self.name, mismatch: mismatch.into() })?;
        take(accumulated, arranged).map_err(|error| MetricError::libtorch(self.name, "load the saved state", error))
    }
}

impl<F: Formula> Carried<F> {
    fn add(&mut self, batch: impl FnOnce(&F) -> Result<Vec<Tensor>, Refusal>) -> Result<(), Refusal> {
        no_grad(|| {
            self.formula.validate()?;
            self.accumulated.add(batch(&self.formula)?)
        })
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, Refusal> {
        Ok(no_grad(|| self.formula.value(state))?)
    }

    fn compute(&mut self) -> Result<Tensor, Refusal> {
        let state = self.accumulated.joined()?;
        self.formula.check(&state)?;
        self.value(&state)
    }
}
