//! The watch over the losses of a `fit`: whether one is NaN or infinite, and what becomes of its step.

use super::RunContext;
use super::error::ContextError;
use crate::config::NonFiniteLoss;
use crate::messages;
use crate::native::{keep_loss, read_scalar};
use crate::optim::OptimizerIndex;
use tch::{Device, Kind, TchError, Tensor};

/// The epoch and the batch of a loss.
type Place = (usize, usize);

type BadLoss = (Place, f64);

/// What is known of the losses so far.
#[derive(Default)]
pub(super) struct Losses {
    /// Whether losses on the CPU are looked at as those on a GPU are: so that tests need none.
    as_on_a_gpu: bool,
    /// Losses on a device that nobody has waited for yet.
    gathered: Option<Gathered>,
    /// Whether a loss of the running accumulation window is known to be bad.
    window_is_bad: bool,
    skipped: usize,
    /// The first that was skipped.
    first: Option<Place>,
}

/// Losses of one device, which stay there until the host waits for it anyway.
struct Gathered {
    /// `[CHUNK]` each, of which all but the last are full.
    chunks: Vec<Tensor>,
    /// Of each loss.
    places: Vec<Place>,
    one: Tensor,
    /// `[]` f32: 1 where a loss was bad. In the running accumulation window, or at all where training is to stop.
    found: Tensor,
}

const CHUNK: usize = 256;

impl Gathered {
    fn new(device: Device, kind: Kind) -> Result<Self, TchError> {
        let kept = if kind == Kind::Double { Kind::Double } else { Kind::Float };
        Ok(Self {
            chunks: vec![Tensor::f_zeros([CHUNK as i64], (kept, device))?],
            places: Vec::new(),
            one: Tensor::f_ones([0i64; 0], (Kind::Float, device))?,
            found: Tensor::f_zeros([0i64; 0], (Kind::Float, device))?,
        })
    }

    fn add(&mut self, loss: &Tensor, place: Place) -> Result<(), ContextError> {
        let (chunk, within) = (self.places.len() / CHUNK, self.places.len() % CHUNK);
        if chunk == self.chunks.len() {
            self.chunks.push(self.chunks[0].f_zeros_like()?);
        }
        keep_loss(loss, &self.chunks[chunk].f_select(0, within as i64)?, &self.found, &self.one)?;
        self.places.push(place);
        Ok(())
    }

    /// The bad losses with their places. Waits for the device, and forgets them all.
    fn take(&mut self) -> Result<Vec<BadLoss>, TchError> {
        let places = std::mem::take(&mut self.places);
        let mut losses: Vec<f64> = Vec::with_capacity(places.len());
        for chunk in &self.chunks[..places.len().div_ceil(CHUNK)] {
            losses.extend(Vec::<f64>::try_from(chunk.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?)?);
        }
        Ok(places.into_iter().zip(losses).filter(|(_, loss)| !loss.is_finite()).collect())
    }
}

impl Losses {
    /// The watch over the losses of the next run.
    pub(super) fn of_next_run(self) -> Self {
        Self { as_on_a_gpu: self.as_on_a_gpu, ..Self::default() }
    }
}

impl RunContext {
    /// For tests without a GPU: looks at losses on the CPU as at those on a GPU.
    pub(crate) fn watch_losses_as_on_a_gpu(&mut self) {
        self.optimization.losses.as_on_a_gpu = true;
    }

    /// Looks at the loss of the running batch. Returns whether it is known to be good, or at least not known to be bad, so that its
    /// backward pass is to run.
    pub(crate) fn watch_loss(
        &mut self,
        loss: &Tensor,
        optimizer: Option<OptimizerIndex>,
    ) -> Result<bool, ContextError> {
        if self.config.on_non_finite_loss == NonFiniteLoss::GoOn {
            return Ok(true);
        }
        let number = read_scalar(loss).filter(|_| !self.optimization.losses.as_on_a_gpu);
        match number.or_else(|| self.waits_for_loss(optimizer).then(|| loss.f_double_value(&[]).ok()).flatten()) {
            Some(loss) if loss.is_finite() => Ok(true),
            Some(loss) => self.bad_loss(self.place(), loss).map(|()| false),
            None if loss.is_floating_point() && loss.numel() == 1 => self.gather(loss).map(|()| true),
            // autograd says what is wrong with it
            None => Ok(true),
        }
    }

    /// L-BFGS reads its loss at once.
    fn waits_for_loss(&self, optimizer: Option<OptimizerIndex>) -> bool {
        optimizer.is_some_and(|OptimizerIndex(place)| !self.optimization.optimizers[place].can_skip_steps())
    }

    fn place(&self) -> Place {
        (self.current_epoch(), self.batch_idx().unwrap_or_default())
    }

    fn bad_loss(&mut self, (epoch, batch_idx): Place, loss: f64) -> Result<(), ContextError> {
        if self.config.on_non_finite_loss == NonFiniteLoss::Stop {
            return Err(ContextError::NonFiniteLoss { epoch, batch_idx, loss });
        }
        self.optimization.losses.window_is_bad = true;
        self.count_skipped((epoch, batch_idx));
        Ok(())
    }

    fn count_skipped(&mut self, place: Place) {
        self.optimization.losses.skipped += 1;
        self.optimization.losses.first.get_or_insert(place);
    }

    fn gather(&mut self, loss: &Tensor) -> Result<(), ContextError> {
        let place = self.place();
        let gathered = match &mut self.optimization.losses.gathered {
            Some(gathered) if gathered.found.device() == loss.device() => gathered,
            other => {
                // what other devices hold is read before it is let go
                if other.is_some() {
                    self.read_losses()?;
                }
                self.optimization.losses.gathered.insert(Gathered::new(loss.device(), loss.kind())?)
            }
        };
        gathered.add(loss, place)
    }

    /// A new accumulation window begins.
    pub(crate) fn begin_loss_window(&mut self) -> Result<(), TchError> {
        self.optimization.losses.window_is_bad = false;
        match &mut self.optimization.losses.gathered {
            // where training stops, no later step is taken either
            Some(gathered) if self.config.on_non_finite_loss == NonFiniteLoss::SkipStep => {
                gathered.found = gathered.found.f_zeros_like()?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes an optimizer's next step one that is left out if a loss of the window was bad. The gradients are unscaled.
    pub(crate) fn skip_step_of_bad_loss(&mut self, OptimizerIndex(place): OptimizerIndex) -> Result<(), ContextError> {
        let optimizer = &mut self.optimization.optimizers[place];
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

    /// Takes over whether a loss was bad in the part of the accumulation window that the run before has done.
    pub(super) fn skip_next_step(&mut self, skips: bool) {
        self.optimization.losses.window_is_bad = skips;
    }

    /// Reads back the losses that are still on the device (synchronizes).
    ///
    /// # Errors
    /// [`ContextError::NonFiniteLoss`] with the first bad one, where training is to stop.
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

    /// Says how many steps were left out, and forgets them.
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
                 left out"
            );
        }
    }
}
