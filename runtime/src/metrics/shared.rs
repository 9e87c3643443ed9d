//! The carrier of every metric's state.
//!
//! The states of two batches, or of two processes, are joined in the same way: by the [`DistReduceFx`] of each slot. A
//! metric therefore only says what the state of one batch is, and what the value of a state is; adding a batch, the value
//! of one alone, saving, loading and sharing are here.
//!
//! Nothing of an update waits for the device: the host looks at sizes, dtypes and devices, and no operator is used whose
//! result's size depends on values, as `nonzero`, indexing by a mask or `bincount`.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tch::{TchError, Tensor, no_grad};

use super::accumulated::Accumulated;
use super::error::Refusal;
use super::metric::joined;
use super::slot::Slot;
use super::{DistReduceFx, MetricError};

/// The mathematics of a metric. Beside these, it makes a batch's state from what it takes: a tensor for each slot that
/// shares no memory with its inputs.
pub(super) trait Formula: Clone + Send + 'static {
    /// The metric's name.
    fn name(&self) -> &'static str;

    fn slots(&self) -> Vec<Slot>;

    /// Whether the options make sense.
    fn validate(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// The value of a state, in memory of its own, without waiting for the device.
    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError>;

    /// Whether the state has a value. May wait for the device.
    fn check(&self, _state: &[Tensor]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A handle of a metric's state. It is behind a lock so that a model that owns a metric may be sent to a thread of its
/// own; in a training nobody contends for it.
pub(super) struct Shared<F, T = ()> {
    name: &'static str,
    carried: Arc<Mutex<Carried<F>>>,
    /// Tells the types of metrics apart that have the same formula.
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

    /// A metric with other options, hence with a state of its own.
    pub(super) fn with(self, change: impl FnOnce(&mut F)) -> Self {
        let mut formula = self.lock().formula.clone();
        change(&mut formula);
        Self::new(formula)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    fn lock(&self) -> MutexGuard<'_, Carried<F>> {
        // a panic leaves no state half-done: libtorch's part of an update is over before anything is kept of it
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a batch, whose state `batch` makes.
    pub(super) fn update(&self, batch: impl FnOnce(&F) -> Result<Vec<Tensor>, Refusal>) -> Result<(), MetricError> {
        self.lock().add(batch).map_err(|refusal| refusal.of(self.name, "update"))
    }

    /// Adds a batch, and returns the value of it alone.
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
        state.map_err(|error| MetricError::libtorch(self.name, "give its state", error))
    }

    pub(super) fn dist_reduce_fx(&self) -> Vec<(String, DistReduceFx)> {
        self.lock().accumulated.dist_reduce_fx()
    }

    pub(super) fn state_id(&self) -> usize {
        Arc::as_ptr(&self.carried).addr()
    }

    /// Joins a state in front of what there is.
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
        let state = self.accumulated.whole()?;
        self.formula.check(&state)?;
        self.value(&state)
    }
}
