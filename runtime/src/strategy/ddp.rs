use super::collectives::{gather, of_rank_zero};
use super::config::{DdpConfig, GradientCompression};
use super::replicas::fingerprints;
use super::world::World;
use super::{
    Collectives, Difference, Flags, NamedTensor, Operation, ReduceOperation, Strategy, StrategyError, ranks_in_words,
};
use crate::counted::counted;
use crate::data::Seed;
use crate::hook::Hook;
use crate::native::{Descriptors, Reducer, ReducerOptions};
use crate::signal::{Caught, Signal};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tch::{Device, Tensor};

/// The strategy `ddp`: each process trains a replica of the module, and the gradients are averaged during the backward pass. PyTorch's
/// [distributed data parallel](https://docs.pytorch.org/docs/stable/notes/ddp.html).
pub(crate) struct Ddp {
    world: Arc<World>,
    config: DdpConfig,
    /// The buffers, if they are to be those of rank 0 in each step.
    buffers: Vec<Tensor>,
    replica: Option<Replica>,
    flags: Option<Flags>,
    /// The order of the gradients in the run that is resumed.
    resumed_order: Vec<String>,
}

/// The parameters that are trained, with what averages their gradients.
struct Replica {
    reducer: Reducer,
    names: Vec<String>,
    /// Whether the running backward pass averages.
    is_prepared: bool,
}

/// The operation of all ranks in a backward pass, as errors name it.
const AVERAGING: &str = Operation::Gradients.name();

/// What comes before the indices of the parameters in c10d's message.
const UNUSED: &str = "Parameter indices which did not receive grad for rank ";

impl Replica {
    /// Returns the names of the parameters that c10d's message lists as unused.
    fn unused(&self, message: &str) -> Vec<String> {
        let Some((_, rest)) = message.split_once(UNUSED) else { return Vec::new() };
        let line = rest.lines().next().unwrap_or_default();
        let indices = line.split_once(':').map_or("", |(_, indices)| indices);
        let names = indices.split_whitespace().filter_map(|index| self.names.get(index.parse::<usize>().ok()?));
        names.cloned().collect()
    }
}

impl Ddp {
    pub(super) fn new(world: Arc<World>, config: DdpConfig) -> Self {
        Self { world, config, buffers: Vec::new(), replica: None, flags: None, resumed_order: Vec::new() }
    }

    fn options(&self, device: Device) -> ReducerOptions {
        // numbers of `c10::ScalarType`
        let compression = self.config.gradient_compression.map(|compression| match compression {
            GradientCompression::Bf16 => 15,
            GradientCompression::Fp16 => 5,
        });
        ReducerOptions {
            find_unused_parameters: self.config.find_unused_parameters,
            gradient_as_bucket_view: self.config.gradient_as_bucket_view,
            static_graph: self.config.static_graph,
            // on a GPU, reading them from the gradients would wait for the device
            separate_flags: device != Device::Cpu,
            compression: compression.unwrap_or(-1),
            bucket_bytes: self.config.bucket_cap_mb << 20,
        }
    }

    /// Fails unless all ranks have tensors of the same names, shapes and dtypes.
    fn check_same(&self, tensors: &[NamedTensor]) -> Result<(), StrategyError> {
        let described = |(name, tensor): &NamedTensor| format!("{name} {:?} {:?}", tensor.size(), tensor.kind());
        let own: Vec<String> = tensors.iter().map(described).collect();
        let all = gather(self.group(), Operation::Parameters, &own)?;
        let Some((rank, other)) = all.iter().enumerate().find(|(_, other)| **other != all[0]) else { return Ok(()) };
        let (mine, theirs) = (&all[0], other);
        let pair = mine.iter().zip(theirs).find(|(one, other)| one != other);
        let difference = match pair {
            Some((one, other)) => format!("has the parameter or buffer {other}, and rank 0 has {one}"),
            None => format!("has {} parameters and buffers, and rank 0 has {}", theirs.len(), mine.len()),
        };
        self.world.all_find_the_same();
        Err(StrategyError::Differs { rank, host: self.world.host(rank), difference })
    }

    /// Fails unless all ranks train the parameters with these names.
    fn check_trained(&self, names: &[String]) -> Result<(), StrategyError> {
        let all = gather(self.group(), Operation::Parameters, &names.to_vec())?;
        let is_trained_by = |name: &String, rank: &usize| all[*rank].contains(name);
        for parameter in all.iter().flatten() {
            let (trained, frozen): (Vec<usize>, Vec<usize>) =
                (0..all.len()).partition(|rank| is_trained_by(parameter, rank));
            if !frozen.is_empty() {
                self.world.all_find_the_same();
                let [frozen, trained] = [frozen, trained].map(|ranks| ranks_in_words(&ranks));
                return Err(StrategyError::Frozen { parameter: parameter.clone(), frozen, trained });
            }
        }
        Ok(())
    }

    /// Returns the error of replicas whose fingerprints differ, of which the last one is the number of steps.
    fn replicas_differ(&self, parameters: &[NamedTensor], own: &Tensor) -> Result<StrategyError, StrategyError> {
        let all = self.world.all_gather(Operation::Replicas, own)?.f_to_device(Device::Cpu)?;
        let all: Vec<Vec<i64>> = Vec::try_from(&all)?;
        self.world.all_find_the_same();
        let of = |rank: usize, index: usize| all[rank][index];
        let differing = |index: usize| (1..all.len()).find(|rank| of(*rank, index) != of(0, index));
        let steps = parameters.len();
        if let Some(rank) = differing(steps) {
            let in_words = |rank| counted(usize::try_from(of(rank, steps)).unwrap_or_default(), "optimizer step");
            let (here, there) = (in_words(0), in_words(rank));
            return Ok(StrategyError::Steps { rank, host: self.world.host(rank), here, there });
        }
        let first = (0..steps).find_map(|index| Some((differing(index)?, index)));
        let (rank, index) = first.unwrap_or_default();
        let parameter = parameters[index].0.clone();
        Ok(StrategyError::Replicas { rank, host: self.world.host(rank), parameter })
    }
}

/// Returns the indices of `order` in `names`; none if it does not have each of them once.
fn indices(order: &[String], names: &[String]) -> Vec<usize> {
    let own: HashMap<&String, usize> = names.iter().enumerate().map(|(index, name)| (name, index)).collect();
    let indices: Vec<usize> = order.iter().filter_map(|name| own.get(name).copied()).collect();
    let distinct: BTreeSet<&usize> = indices.iter().collect();
    let is_complete = distinct.len() == names.len() && order.len() == names.len();
    if is_complete { indices } else { Vec::new() }
}

impl Strategy for Ddp {
    fn group(&self) -> &dyn Collectives {
        &*self.world
    }

    fn place(&mut self, device: Device) -> Result<(), StrategyError> {
        self.world.place(device)
    }

    fn seed(&self, own: Seed) -> Result<Seed, StrategyError> {
        of_rank_zero(self.group(), Operation::Seed, &own)
    }

    fn setup(&mut self, parameters: &[NamedTensor], buffers: &[NamedTensor]) -> Result<(), StrategyError> {
        self.check_same(parameters)?;
        self.check_same(buffers)?;
        let trained = parameters.iter().filter(|(_, parameter)| parameter.requires_grad());
        self.check_trained(&trained.map(|(name, _)| name.clone()).collect::<Vec<_>>())?;
        let all: Vec<&Tensor> = parameters.iter().chain(buffers).map(|(_, tensor)| tensor).collect();
        if !all.is_empty() {
            // the first operation on GPUs makes their connections
            let before = Descriptors::now();
            self.world.broadcast(Operation::Parameters, &all)?;
            before.close_later_ones_on_exec();
        }
        if self.config.broadcast_buffers {
            self.buffers = buffers.iter().map(|(_, buffer)| buffer.shallow_clone()).collect();
        }
        Ok(())
    }

    fn difference(
        &self,
        operation: Operation,
        value: Value,
        described: Value,
    ) -> Result<Option<Difference>, StrategyError> {
        let mut all: Vec<(Value, Value)> = gather(self.group(), operation, &(value, described))?;
        let Some(rank) = all.iter().position(|(value, _)| *value != all[0].0) else { return Ok(None) };
        self.world.all_find_the_same();
        let (there, here) = (all.swap_remove(rank).1, all.swap_remove(0).1);
        Ok(Some(Difference { rank, host: self.world.host(rank), here, there }))
    }

    fn compare_replicas(&self, parameters: &[NamedTensor], steps: usize) -> Result<(), StrategyError> {
        let steps = Tensor::from_slice(&[i64::try_from(steps).unwrap_or(i64::MAX)]);
        let own = match parameters {
            _ if !self.config.compare_parameters => steps,
            [] => steps,
            [(_, first), ..] => Tensor::f_cat(&[fingerprints(parameters)?, steps.f_to_device(first.device())?], 0)?,
        };
        // the largest and, negated, the smallest of all ranks at once
        let extremes = Tensor::f_stack(&[&own, &own.f_bitwise_not()?], 0)?;
        self.world.all_reduce(Operation::Replicas, &extremes, ReduceOperation::Max)?;
        let differ = extremes.f_get(0)?.f_ne_tensor(&extremes.f_get(1)?.f_bitwise_not()?)?;
        if differ.f_any()?.f_int64_value(&[])? == 0 {
            return Ok(());
        }
        let compared = if self.config.compare_parameters { parameters } else { &[] };
        Err(self.replicas_differ(compared, &own)?)
    }

    fn train(&mut self, parameters: Vec<NamedTensor>) -> Result<(), StrategyError> {
        let names: Vec<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
        self.check_trained(&names)?;
        if self.replica.as_ref().is_some_and(|replica| replica.names == names) {
            return Ok(());
        }
        // its hooks are removed before those of the next one are added
        self.replica = None;
        if parameters.is_empty() {
            return Ok(());
        }
        let options = self.options(parameters[0].1.device());
        let order = indices(&std::mem::take(&mut self.resumed_order), &names);
        let reducer = self.world.run(Operation::Reducer, |group| Reducer::new(group, &parameters, &order, &options))?;
        self.replica = Some(Replica { reducer, names, is_prepared: false });
        Ok(())
    }

    fn gradient_order(&self) -> Result<Vec<String>, StrategyError> {
        let Some(Replica { reducer, names, .. }) = &self.replica else { return Ok(Vec::new()) };
        Ok(reducer.order()?.into_iter().filter_map(|index| names.get(index).cloned()).collect())
    }

    fn set_gradient_order(&mut self, names: Vec<String>) {
        self.resumed_order = names;
    }

    fn send_buffers(&mut self) -> Result<(), StrategyError> {
        let buffers: Vec<&Tensor> = self.buffers.iter().collect();
        if buffers.is_empty() { Ok(()) } else { self.world.broadcast(Operation::Buffers, &buffers) }
    }

    fn begin_backward(&mut self, loss: &Tensor) -> Result<(), StrategyError> {
        let Some(replica) = &mut self.replica else { return Ok(()) };
        self.world.count_backward();
        let outputs: &[&Tensor] = if self.config.find_unused_parameters { &[loss] } else { &[] };
        replica.reducer.prepare(outputs).map_err(|source| self.world.explain(AVERAGING, source))?;
        replica.is_prepared = true;
        Ok(())
    }

    fn end_backward(&mut self, flags: Flags) -> Result<(), StrategyError> {
        let Some(replica) = self.replica.as_mut().filter(|replica| replica.is_prepared) else { return Ok(()) };
        replica.is_prepared = false;
        self.world.count_backward();
        let finished = replica.reducer.finish(flags);
        let flags = finished.map_err(|source| match replica.unused(&source.to_string()) {
            unused if unused.is_empty() => self.world.explain(AVERAGING, source),
            unused => StrategyError::UnusedParameters(unused),
        })?;
        self.flags = Some(flags);
        Ok(())
    }

    fn backward_without_loss(&mut self, flags: Flags) -> Result<(), StrategyError> {
        let Some(replica) = &mut self.replica else { return Ok(()) };
        // as many as for a backward pass
        self.world.count_backward();
        self.world.count_backward();
        let outcome = replica.reducer.prepare(&[]).and_then(|()| replica.reducer.contribute_zeros());
        let outcome = outcome.and_then(|()| replica.reducer.finish(flags));
        self.flags = Some(outcome.map_err(|source| self.world.explain(AVERAGING, source))?);
        Ok(())
    }

    fn set_place(&self, hook: Option<Hook>, batch_idx: Option<usize>) {
        self.world.set_place(hook, batch_idx);
    }

    fn take_flags(&mut self) -> Option<Flags> {
        self.flags.take()
    }

    fn explain_backward(&self, message: &str) -> Option<StrategyError> {
        self.replica.as_ref().filter(|replica| replica.is_prepared)?;
        self.world.explain_text(AVERAGING, message)
    }

    fn share_signals(&self, caught: Caught) {
        self.world.share_signals(caught);
    }

    #[inline]
    fn failure(&self) -> Option<StrategyError> {
        self.world.failure()
    }

    fn fail(&mut self, error: &str, signal: Option<Signal>) -> Option<StrategyError> {
        self.replica = None;
        self.world.fail(error, signal)
    }

    fn end(&mut self) {
        self.replica = None;
        self.buffers.clear();
        self.world.end_run();
    }
}
