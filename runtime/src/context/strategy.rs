//! The processes of the run, and the operations that all of them take part in.

use super::RunContext;
use super::error::ContextError;
use crate::checkpoint::SaveRequest;
use crate::json_float::JsonFloat;
use crate::json_path;
use crate::signal::Signal;
use crate::strategy::{
    Call, Collectives, Compared, Flags, NamedTensor, Operation, Rank, ReduceOperation, Strategy, StrategyError,
    broadcast_of_call, gather, gather_of_call, of_rank_zero,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::panic::Location;
use std::path::PathBuf;
use tch::Tensor;

#[derive(Serialize, Deserialize)]
struct OfRankZero(#[serde(with = "json_path")] PathBuf);

impl RunContext {
    /// The place of this process among those of the run.
    #[inline]
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// The number of processes of the run.
    #[inline]
    pub fn world_size(&self) -> usize {
        self.rank().world_size
    }

    /// Whether this is the process that writes logs and checkpoints; true in a run of one process.
    pub fn is_global_zero(&self) -> bool {
        self.rank().is_global_zero()
    }

    /// Returns a tensor of all processes, `[processes, …]`. It has the same shape and dtype in each. All processes must call this, in the
    /// same hook. Lightning's [`all_gather`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#all-gather).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// fn log_largest(ctx: &mut Context, norm: &Tensor) -> Result<()> {
    ///     let norms = ctx.all_gather(norm)?;
    ///     ctx.log("largest_norm", norms.max());
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StrategyError`] if another process has failed, or does not call this within the strategy's timeout;
    /// [`StrategyError::Disagreement`] if the processes have tensors of different shapes or dtypes, or one of them calls another
    /// operation or none.
    #[track_caller]
    pub fn all_gather(&self, tensor: &Tensor) -> Result<Tensor, StrategyError> {
        if self.world_size() > 1 {
            self.group().compare(self.called("all_gather").with_tensor(tensor))?;
        }
        self.group().all_gather(Operation::Called, tensor)
    }

    /// Returns the value of rank 0 in all processes, which must all call this. Lightning's
    /// [`broadcast`](https://lightning.ai/docs/pytorch/stable/extensions/strategy.html).
    ///
    /// # Errors
    /// As [`all_gather`](Self::all_gather), and if the value cannot be serialized.
    #[track_caller]
    pub fn broadcast<T: Serialize + DeserializeOwned>(&self, value: T) -> Result<T, StrategyError> {
        match self.world_size() {
            1 => Ok(value),
            _ => broadcast_of_call(self.group(), self.called("broadcast"), &value),
        }
    }

    /// Returns the values of all processes, by rank. All must call this.
    ///
    /// # Errors
    /// As [`broadcast`](Self::broadcast).
    #[track_caller]
    pub fn gather<T: Serialize + DeserializeOwned>(&self, value: T) -> Result<Vec<T>, StrategyError> {
        match self.world_size() {
            1 => Ok(vec![value]),
            _ => gather_of_call(self.group(), self.called("gather"), &value),
        }
    }

    /// Waits until all processes call this.
    ///
    /// # Errors
    /// As [`all_gather`](Self::all_gather).
    #[track_caller]
    pub fn barrier(&self) -> Result<(), StrategyError> {
        match self.world_size() {
            1 => Ok(()),
            // all are here when all have compared
            _ => self.group().compare(self.called("barrier")).map(drop),
        }
    }

    /// The call of an operation of all processes in the running hook, by the program's line that calls the method of this context.
    #[track_caller]
    fn called(&self, name: &str) -> Call {
        Call::new(name, self.hook(), Location::caller())
    }

    /// Returns a request to save a checkpoint as a call, as all processes must request it.
    #[track_caller]
    pub(super) fn called_save(&self, request: &SaveRequest) -> Call {
        let call = self.called("save_checkpoint");
        match request {
            SaveRequest { link_to: Some(_), .. } => call.with("a link"),
            SaveRequest { weights_only: true, .. } => call.with("`weights_only`"),
            SaveRequest { save_frozen: false, .. } => call.with("`save_frozen(false)`"),
            _ => call,
        }
    }

    /// Compares a call with those of the other processes, unless one of them has failed.
    pub(crate) fn compare(&self, call: Call) -> Result<(), StrategyError> {
        if self.is_together() { self.group().compare(call).map(drop) } else { Ok(()) }
    }

    /// Returns the value of rank 0, for a decision that all processes take alike.
    pub(crate) fn of_rank_zero<T: Serialize + DeserializeOwned>(
        &self,
        operation: Operation,
        value: T,
    ) -> Result<T, StrategyError> {
        if self.is_together() { of_rank_zero(self.group(), operation, &value) } else { Ok(value) }
    }

    /// Fails unless all processes have the same parameters, after the same number of optimizer steps.
    pub(crate) fn compare_replicas(&self, parameters: &[NamedTensor]) -> Result<(), ContextError> {
        if self.is_together() {
            self.strategy.compare_replicas(parameters, self.global_step())?;
        }
        Ok(())
    }

    /// Returns the values of all processes, by rank.
    pub(crate) fn of_all_ranks<T: Serialize + DeserializeOwned>(
        &self,
        operation: Operation,
        value: T,
    ) -> Result<Vec<T>, StrategyError> {
        if self.is_together() { gather(self.group(), operation, &value) } else { Ok(vec![value]) }
    }

    /// Whether there are several processes, of which none has failed.
    #[inline]
    pub(crate) fn is_together(&self) -> bool {
        self.world_size() > 1 && !self.is_separated
    }

    /// Ends the operations of all processes, as one of them has failed.
    pub(crate) fn separate(&mut self) {
        self.is_separated = true;
    }

    /// Returns the path of rank 0, which alone writes files.
    pub(crate) fn path_of_rank_zero(&self, path: PathBuf) -> Result<PathBuf, StrategyError> {
        let OfRankZero(path) = self.of_rank_zero(Operation::Paths, OfRankZero(path))?;
        Ok(path)
    }

    /// Returns the values of rank 0, for decisions that all processes take alike.
    pub(crate) fn values_of_rank_zero(
        &self,
        values: BTreeMap<String, f64>,
    ) -> Result<BTreeMap<String, f64>, StrategyError> {
        if !self.is_together() {
            return Ok(values);
        }
        let values: BTreeMap<String, JsonFloat> =
            values.into_iter().map(|(name, value)| (name, JsonFloat(value))).collect();
        let values = self.of_rank_zero(Operation::MonitoredValues, values)?;
        Ok(values.into_iter().map(|(name, JsonFloat(value))| (name, value)).collect())
    }

    /// What this process sends to the others with the gradients of a step.
    pub(crate) fn own_flags(&mut self) -> Flags {
        if !self.is_together() {
            return Flags::default();
        }
        let names = self.training_log_mut().choose_steps_to_join();
        let caught = self.signals().caught();
        let [interrupt, terminate] = Signal::ALL.map(|signal| f64::from(u8::from(caught == Some(signal))));
        Flags {
            interrupt,
            terminate,
            stops: f64::from(u8::from(self.should_stop())),
            names: Compared::new(names),
            requests: f64::from(self.observed_requests()),
        }
    }

    /// Agrees after an optimizer step on the flags that were sent with its gradients, and joins the values that it logged with `sync_dist`.
    /// A request to stop that came after the backward pass is sent with the gradients of the next step.
    pub(crate) fn agree_after_step(&mut self) -> Result<(), ContextError> {
        if !self.is_together() {
            return Ok(());
        }
        let Some(flags) = self.strategy.take_flags() else {
            // a step without gradients in any process has sent no flags; after local passes, the next averaged ones send them
            return if self.has_local_gradients() { Ok(()) } else { self.agree() };
        };
        let Flags { interrupt, terminate, stops, names, requests } = flags;
        let requests = (requests * self.world_size() as f64).round() as u8;
        let signals = [interrupt, terminate].into_iter().zip(Signal::ALL);
        let signal = signals.filter(|(flag, _)| *flag > 0.0).map(|(_, signal)| signal).next();
        self.agree_on(signal, stops > 0.0, requests)?;
        let device = self.device();
        let Self { logging, strategy, .. } = self;
        if names.differs() {
            logging.training.check_steps_to_join(strategy.group())?;
        }
        Ok(logging.training.join_steps(strategy.group(), device)?)
    }

    /// Lets the processes agree on whether to stop. All call it after a validation and an epoch.
    pub(crate) fn agree(&mut self) -> Result<(), ContextError> {
        if !self.is_together() {
            return Ok(());
        }
        let own = [
            self.signals().caught().map_or(0, Signal::number),
            i32::from(self.should_stop()),
            i32::from(self.observed_requests()),
        ];
        let all = Tensor::from_slice(&own.map(i64::from));
        self.group().all_reduce(Operation::Stop, &all, ReduceOperation::Max)?;
        let [signal, stops, requests] = <[i64; 3]>::try_from(Vec::try_from(&all)?).unwrap_or_default();
        let signal = Signal::ALL.into_iter().find(|one| i64::from(one.number()) == signal);
        self.agree_on(signal, stops != 0, u8::try_from(requests).unwrap_or_default())
    }

    fn agree_on(&mut self, signal: Option<Signal>, stops: bool, requests: u8) -> Result<(), ContextError> {
        self.agree_on_requests(requests);
        self.agree_on_signal(signal);
        if stops && !self.has_agreed_to_stop() {
            let reasons = self.of_all_ranks(Operation::Stop, self.stop_reason().map(str::to_owned))?;
            self.agree_to_stop(reasons.into_iter().flatten().next());
        }
        Ok(())
    }

    /// Joins the values of the running loop's epoch over all processes.
    pub(crate) fn join_logged_epoch(&mut self) -> Result<(), ContextError> {
        if self.is_together() {
            let stage = self.running_stage();
            let Self { logging, strategy, .. } = self;
            logging.of_stage(stage).0.join_epoch(strategy.group())?;
        }
        Ok(())
    }

    /// Joins the metrics of a training epoch that has no further batch, for a checkpoint: a run that resumes from it has their values
    /// alone.
    pub(crate) fn join_metrics_of_last_batch(&mut self) -> Result<(), ContextError> {
        if self.is_together() && self.any_rank(Operation::Checkpoint, self.progress().is_last_batch())? {
            let Self { logging, strategy, .. } = self;
            logging.training.join_metrics(strategy.group())?;
        }
        Ok(())
    }

    pub(crate) fn group(&self) -> &dyn Collectives {
        self.strategy.group()
    }

    pub(crate) fn strategy(&self) -> &dyn Strategy {
        &*self.strategy
    }

    pub(crate) fn strategy_mut(&mut self) -> &mut dyn Strategy {
        &mut *self.strategy
    }

    /// Whether it is true in any process; the same answer in all.
    pub(crate) fn any_rank(&self, operation: Operation, value: bool) -> Result<bool, ContextError> {
        if self.is_together() { Ok(self.group().any(operation, value)?) } else { Ok(value) }
    }
}
