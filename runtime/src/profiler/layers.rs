//! The layers that a module calls, with the shapes of their inputs and outputs.

use crate::native::{FlopCounter, LayerObserver, NativeError, ObservedLayer};
use indexmap::IndexSet;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tch::Tensor;
use tch::nn::VarStore;

/// A layer that was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerCall {
    /// The path of the layer in the `VarStore`, such as `encoder.conv1`; empty for tensors of the root.
    pub layer: String,
    /// The shape of the first tensor, other than parameters and buffers, that the layer's first call takes.
    pub input: Vec<i64>,
    /// The shape of the first tensor that it returns; `None` if the call failed.
    pub output: Option<Vec<i64>>,
    /// The number of floating-point operations of all calls, as [`count_flops`](super::count_flops) counts them, without backward passes.
    pub flops: u64,
    /// The number of calls.
    pub calls: u64,
}

/// Calls `work`, and returns its value with the layers that it called, in the order of their first calls.
///
/// tch's layers do not know their names, so they are recognized by their tensors: an operator of libtorch that takes a parameter or a
/// buffer of `store`, or a view of one, and another tensor, is a call of the layer that owns the parameter. Two operators with parameters
/// of one layer are two calls. Layers without parameters, such as an activation, do not appear. Only operators that this thread calls are
/// observed, and those of backward passes are not.
///
/// ```
/// use tch_lightning::prelude::*;
/// use tch_lightning::profiler::observe_layers;
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let net = nn::seq()
///     .add(nn::conv2d(vs.root() / "conv", 1, 4, 3, nn::ConvConfig::default()))
///     .add_fn(|x| x.relu().flatten(1, -1))
///     .add(nn::linear(vs.root() / "fc", 4 * 6 * 6, 10, nn::LinearConfig::default()));
/// let images = Tensor::zeros([16, 1, 8, 8], (Kind::Float, Device::Cpu));
/// let (_, layers) = observe_layers(&vs, || net.forward(&images));
/// assert_eq!(layers[0].layer, "conv");
/// assert_eq!(layers[0].output, Some(vec![16, 4, 6, 6]));
/// assert_eq!(layers[1].input, [16, 144]);
/// assert_eq!(layers[1].flops, 2 * 16 * 144 * 10);
/// ```
///
/// If libtorch refuses to register the observer, the list is empty.
pub fn observe_layers<T>(store: &VarStore, work: impl FnOnce() -> T) -> (T, Vec<LayerCall>) {
    let observation = StepObservation::start(store.variables());
    let value = work();
    let step = observation.and_then(|observation| observation.finish(None, false));
    (value, step.map(|step| step.layers).unwrap_or_default())
}

/// The layers and the floating-point operations of a training step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObservedStep {
    /// The number of samples in the batch, if it is known.
    pub samples: Option<usize>,
    /// The number of floating-point operations, those of the backward pass included, as [`count_flops`](super::count_flops) counts them.
    pub flops: u64,
    /// Whether the step failed. The operations and the layers are those until then.
    pub has_failed: bool,
    /// The layers that were called, in the order of their first calls.
    pub layers: Vec<LayerCall>,
}

impl ObservedStep {
    /// Returns the calls of the layer with this path; `None` if it was not called.
    pub fn layer(&self, path: &str) -> Option<&LayerCall> {
        self.layers.iter().find(|call| call.layer == path)
    }
}

/// Observes the operators of a training step on this thread.
pub(crate) struct StepObservation {
    names: IndexSet<String>,
    // the observer is dropped before the counter that it reads
    observer: LayerObserver,
    counter: FlopCounter,
}

impl StepObservation {
    /// Starts to observe the layers of parameters and buffers by their paths.
    pub(crate) fn start(variables: HashMap<String, Tensor>) -> Result<Self, NativeError> {
        let mut names = IndexSet::new();
        let number = |(path, tensor): (String, Tensor)| {
            let layer = path.rsplit_once('.').map_or("", |(layer, _)| layer);
            (names.insert_full(layer.to_owned()).0, tensor)
        };
        let tensors: Vec<(usize, Tensor)> = variables.into_iter().map(number).collect();
        let counter = FlopCounter::start()?;
        Ok(Self { names, observer: LayerObserver::start(&tensors)?, counter })
    }

    /// Returns what was observed of a step with a batch of `samples`.
    pub(crate) fn finish(self, samples: Option<usize>, has_failed: bool) -> Result<ObservedStep, NativeError> {
        let layer = |ObservedLayer { layer, input, output, flops, calls }| LayerCall {
            layer: self.names[layer].clone(),
            input,
            output,
            flops,
            calls,
        };
        let layers = self.observer.called().into_iter().map(layer).collect();
        drop(self.observer);
        Ok(ObservedStep { samples, flops: self.counter.finish()?, has_failed, layers })
    }
}
