//! Detection of NaN and infinite losses in a `fit`, and skipping of their steps.

use super::RunContext;
use super::error::ContextError;
use crate::config::NonFiniteLoss;
use crate::messages;
use crate::native::{keep_loss, read_scalar};
use crate::optim::OptimizerIndex;
use crate::strategy::{Operation, ReduceOperation};
use tch::{Device, Kind, TchError, Tensor};

/// The epoch and the batch of a loss.
type BatchLocation = (usize, usize);

type BadLoss = (BatchLocation, f64);

/// The losses checked so far.
#[derive(Default)]
pub(super) struct Losses {
    /// Whether losses on the CPU are treated like losses on a GPU, for tests without a GPU.
    as_on_a_gpu: bool,
    /// Losses on a device that have not been read back yet.
    gathered: Option<Gathered>,
    /// Whether a loss of the current accumulation window was not finite, as far as the host has read it.
    window_is_bad: bool,
    skipped: usize,
    /// The first skipped batch.
    first: Option<BatchLocation>,
}

/// Losses of one device, which stay there until the host synchronizes with it anyway.
struct Gathered {
    /// Tensors of shape `[CHUNK]`; all but the last are full.
    chunks: Vec<Tensor>,
    /// The epoch and the batch of each loss.
    locations: Vec<BatchLocation>,
    one: Tensor,
    /// `[]` f32: 1 if a loss was bad, in the running accumulation window or, under `NonFiniteLoss::Stop`, at any time.
    found: Tensor,
}

const CHUNK: usize = 256;

impl Gathered {
    fn new(device: Device, kind: Kind) -> Result<Self, TchError> {
        let kept = if kind == Kind::Double { Kind::Double } else { Kind::Float };
        Ok(Self {
            chunks: vec![Tensor::f_zeros([CHUNK as i64], (kept, device))?],
            locations: Vec::new(),
            one: Tensor::f_ones([0i64; 0], (Kind::Float, device))?,
            found: Tensor::f_zeros([0i64; 0], (Kind::Float, device))?,
        })
    }

    fn add(&mut self, loss: &Tensor, location: BatchLocation) -> Result<(), ContextError> {
        let (chunk, within) = (self.locations.len() / CHUNK, self.locations.len() % CHUNK);
        if chunk == self.chunks.len() {
            self.chunks.push(self.chunks[0].f_zeros_like()?);
        }
        keep_loss(loss, &self.chunks[chunk].f_select(0, within as i64)?, &self.found, &self.one)?;
        self.locations.push(location);
        Ok(())
    }

    /// Removes all losses and returns the bad ones with their locations. Waits for the device.
    fn take(&mut self) -> Result<Vec<BadLoss>, TchError> {
        let locations = std::mem::take(&mut self.locations);
        let mut losses: Vec<f64> = Vec::with_capacity(locations.len());
        for chunk in &self.chunks[..locations.len().div_ceil(CHUNK)] {
            losses.extend(Vec::<f64>::try_from(chunk.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?)?);
        }
        Ok(locations.into_iter().zip(losses).filter(|(_, loss)| !loss.is_finite()).collect())
    }
}

impl Losses {
    /// The state for the next run.
    pub(super) fn of_next_run(self) -> Self {
        Self { as_on_a_gpu: self.as_on_a_gpu, ..Self::default() }
    }
}

impl RunContext {
    /// Treats losses on the CPU like losses on a GPU, for tests without a GPU.
    pub(crate) fn watch_losses_as_on_a_gpu(&mut self) {
        self.optimization.losses.as_on_a_gpu = true;
    }

    /// Checks the loss of the current batch. Returns false if it was read and is not finite, so that its backward pass is skipped.
    pub(crate) fn watch_loss(
        &mut self,
        loss: &Tensor,
        optimizer: Option<OptimizerIndex>,
    ) -> Result<bool, ContextError> {
        if self.config.on_non_finite_loss == NonFiniteLoss::Ignore {
            return Ok(true);
        }
        let number = read_scalar(loss).filter(|_| !self.optimization.losses.as_on_a_gpu);
        match number.or_else(|| self.waits_for_loss(optimizer).then(|| loss.f_double_value(&[]).ok()).flatten()) {
            Some(loss) if loss.is_finite() => Ok(true),
            Some(loss) => self.bad_loss(self.batch_location(), loss).map(|()| false),
            None if loss.is_floating_point() && loss.numel() == 1 => self.collect_loss(loss).map(|()| true),
            // autograd reports the error
            None => Ok(true),
        }
    }

    /// Checks a loss of L-BFGS, which reads it immediately.
    fn waits_for_loss(&self, optimizer: Option<OptimizerIndex>) -> bool {
        optimizer.is_some_and(|OptimizerIndex(index)| !self.optimization.optimizers[index].can_skip_steps())
    }

    fn batch_location(&self) -> BatchLocation {
        (self.current_epoch(), self.batch_idx().unwrap_or_default())
    }

    fn bad_loss(&mut self, (epoch, batch_idx): BatchLocation, loss: f64) -> Result<(), ContextError> {
        if self.config.on_non_finite_loss == NonFiniteLoss::Stop {
            return Err(ContextError::NonFiniteLoss { epoch, batch_idx, loss });
        }
        self.optimization.losses.window_is_bad = true;
        self.count_skipped((epoch, batch_idx));
        Ok(())
    }

    fn count_skipped(&mut self, location: BatchLocation) {
        self.optimization.losses.skipped += 1;
        self.optimization.losses.first.get_or_insert(location);
    }

    fn collect_loss(&mut self, loss: &Tensor) -> Result<(), ContextError> {
        let location = self.batch_location();
        let gathered = match &mut self.optimization.losses.gathered {
            Some(gathered) if gathered.found.device() == loss.device() => gathered,
            other => {
                // losses on another device are read before they are dropped
                if other.is_some() {
                    self.read_losses()?;
                }
                self.optimization.losses.gathered.insert(Gathered::new(loss.device(), loss.kind())?)
            }
        };
        gathered.add(loss, location)
    }

    /// Begins a new accumulation window.
    pub(crate) fn begin_loss_window(&mut self) -> Result<(), TchError> {
        self.optimization.losses.window_is_bad = false;
        match &mut self.optimization.losses.gathered {
            // if training stops at a bad loss, no later step may be applied either
            Some(gathered) if self.config.on_non_finite_loss == NonFiniteLoss::SkipStep => {
                gathered.found = gathered.found.f_zeros_like()?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes the optimizer skip its next step if a loss of the window was bad. The gradients must be unscaled.
    pub(crate) fn skip_step_of_bad_loss(&mut self, OptimizerIndex(index): OptimizerIndex) -> Result<(), ContextError> {
        let optimizer = &mut self.optimization.optimizers[index];
        if self.optimization.losses.window_is_bad {
            optimizer.zero_grad()?;
            optimizer.also_skip_next_step_if(&Tensor::from(1f32))?;
        }
        if let Some(gathered) = &self.optimization.losses.gathered
            && optimizer.can_skip_steps()
            && (optimizer.skips_without_waiting() || self.config.on_non_finite_loss == NonFiniteLoss::SkipStep)
        {
            optimizer.also_skip_next_step_if(&gathered.found)?;
        }
        Ok(())
    }

    /// Agrees with the other processes on whether the step of this window is skipped, as a loss of any of them may be bad. All of them call
    /// this before the backward pass that ends the window. Returns whether any of them `has_loss`.
    pub(crate) fn agree_on_losses(&mut self, has_loss: bool) -> Result<bool, ContextError> {
        let is_bad = self.optimization.losses.window_is_bad;
        let all = Tensor::from_slice(&[has_loss, is_bad].map(i64::from));
        self.group().all_reduce(Operation::Losses, &all, ReduceOperation::Max)?;
        let [any_has_loss, any_is_bad] = <[i64; 2]>::try_from(Vec::try_from(&all)?).unwrap_or_default();
        if any_is_bad != 0 && !is_bad {
            self.optimization.losses.window_is_bad = true;
            self.count_skipped(self.batch_location());
        }
        let skips = self.config.on_non_finite_loss == NonFiniteLoss::SkipStep;
        let device = if self.optimization.losses.as_on_a_gpu { Device::Cpu } else { self.device() };
        if skips && (device != Device::Cpu || self.optimization.losses.as_on_a_gpu) {
            if self.optimization.losses.gathered.is_none() {
                self.optimization.losses.gathered = Some(Gathered::new(device, Kind::Float)?);
            }
            if let Some(gathered) = &self.optimization.losses.gathered {
                self.group().all_reduce(Operation::Losses, &gathered.found, ReduceOperation::Max)?;
            }
        }
        Ok(any_has_loss != 0)
    }

    /// Whether the backward pass of a manual optimization runs: not where its step is skipped, in any process.
    pub(crate) fn all_losses_are_finite(&mut self, is_finite: bool) -> Result<bool, ContextError> {
        if !self.is_together() || self.config.on_non_finite_loss != NonFiniteLoss::SkipStep {
            return Ok(is_finite);
        }
        self.agree_on_losses(is_finite)?;
        Ok(!self.optimization.losses.window_is_bad)
    }

    /// Whether a loss of the running accumulation window was bad. Waits for the device.
    pub(super) fn skips_next_step(&self) -> Result<bool, TchError> {
        let found = self
            .optimization
            .losses
            .gathered
            .as_ref()
            .map_or(Ok(0.0), |gathered| gathered.found.f_double_value(&[]))?;
        Ok(self.optimization.losses.window_is_bad || found != 0.0)
    }

    /// Restores whether a loss was bad in the part of the accumulation window before the resume.
    pub(super) fn skip_next_step(&mut self, skips: bool) {
        self.optimization.losses.window_is_bad = skips;
    }

    /// Reads back the losses that are still on the device (synchronizes).
    ///
    /// # Errors
    /// [`ContextError::NonFiniteLoss`] for the first bad one, under `NonFiniteLoss::Stop`.
    pub(crate) fn read_losses(&mut self) -> Result<(), ContextError> {
        let Some(gathered) = &mut self.optimization.losses.gathered else { return Ok(()) };
        for ((epoch, batch_idx), loss) in gathered.take()? {
            if self.config.on_non_finite_loss == NonFiniteLoss::Stop {
                return Err(ContextError::NonFiniteLoss { epoch, batch_idx, loss });
            }
            self.count_skipped((epoch, batch_idx));
        }
        Ok(())
    }

    /// Warns of the skipped steps, and resets their number.
    pub(crate) fn report_skipped(&mut self) {
        let losses = std::mem::take(&mut self.optimization.losses);
        let (first, skipped) = (losses.first, losses.skipped);
        self.optimization.losses = losses.of_next_run();
        if let Some((epoch, batch_idx)) = first {
            let (batches, steps) = match skipped {
                1 => ("1 batch".to_owned(), "its step was"),
                skipped => (format!("{skipped} batches"), "their steps were"),
            };
            messages::warning!(
                { epoch, batch_idx, skipped },
                "the loss of {batches} was NaN or infinite, first at epoch {epoch}, batch {batch_idx}, and {steps} \
                 skipped"
            );
        }
    }
}
