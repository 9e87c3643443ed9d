//! Histograms, images and texts that hooks log, queued until the next row is written.

use super::RunContext;
use crate::log::LogError;
use crate::loggers::{Image, LoggedAt, LoggerError, Record};
use crate::messages;
use crate::native::detach;
use tch::Tensor;

/// The number of queued bytes above which the records are written.
const MOST_BYTES: usize = 64 << 20;

/// Records queued until the next row is written, as reading their values waits for the device.
#[derive(Default)]
pub(super) struct RecordQueue {
    records: Vec<(Queued, LoggedAt)>,
    bytes: usize,
}

enum Queued {
    Histogram { name: String, values: Tensor },
    Image { name: String, pixels: Tensor },
    Text { name: String, text: String },
}

impl RecordQueue {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl RunContext {
    /// Logs the distribution of a tensor's values, such as weights or gradients. Lightning has no method for it; its hooks call
    /// `self.logger.experiment.add_histogram(…)`.
    ///
    /// The values are copied on their device, and passed to the loggers with the next row, at the epoch's end or before the next
    /// checkpoint, so that a step does not wait for the device. In the hooks of a step,
    /// [`ctx.should_update_logs()`](Self::should_update_logs) returns whether the step's row is written. Nothing is logged without
    /// loggers, in a sanity check or in a [`FastDevRun`](crate::trainer::FastDevRun). As with [`ctx.log`](super::Context::log), a tensor that cannot
    /// be logged makes the hook fail when it returns: one that is empty, undefined (such as a gradient that was not computed) or
    /// complex.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore, layer: nn::Linear }
    /// #[lightning_module]
    /// impl Model {
    ///     fn on_before_optimizer_step(&self, ctx: &mut Context) {
    ///         if ctx.should_update_logs() {
    ///             ctx.log_histogram("layer/weight.grad", &self.layer.ws.grad());
    ///         }
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    pub fn log_histogram(&mut self, name: impl Into<String>, values: &Tensor) {
        let name = name.into();
        let mistake = match () {
            () if !values.defined() => Some("an undefined tensor, such as a gradient that was not computed"),
            () if values.numel() == 0 => Some("an empty tensor: a histogram has one value or more"),
            () if values.is_complex() => Some("complex numbers: log their absolute values, or their parts"),
            () => None,
        };
        self.queue(values, mistake.map(str::to_owned), name, |name, values| Queued::Histogram { name, values });
    }

    /// Logs an image: a tensor `[channels, height, width]` with 1, 3 or 4 channels, of bytes, or of floating-point numbers from 0 to 1;
    /// those beyond are clamped. It is copied and written as a [histogram](Self::log_histogram) is.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Gan { vs: nn::VarStore, generator: nn::Linear }
    /// #[lightning_module]
    /// impl Gan {
    ///     fn on_train_epoch_end(&self, ctx: &mut Context) {
    ///         let noise = Tensor::randn([1, 64], (Kind::Float, ctx.device()));
    ///         let digit = tch::no_grad(|| self.generator.forward(&noise)).view([1, 8, 8]);
    ///         ctx.log_image("digit", &digit);
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    pub fn log_image(&mut self, name: impl Into<String>, image: &Tensor) {
        let mistake = if image.defined() { Image::mistake(image) } else { Some("an undefined tensor".to_owned()) };
        self.queue(image, mistake, name.into(), |name, pixels| Queued::Image { name, pixels });
    }

    /// Logs a text, such as the output of a language model. It is written in its order among [histograms](Self::log_histogram) and
    /// [images](Self::log_image).
    pub fn log_text(&mut self, name: impl Into<String>, text: impl Into<String>) {
        if self.writes_records() {
            let (name, text) = (name.into(), text.into());
            self.push(text.len(), Queued::Text { name, text });
        }
    }

    fn queue(
        &mut self,
        tensor: &Tensor,
        mistake: Option<String>,
        name: String,
        make: impl FnOnce(String, Tensor) -> Queued,
    ) {
        if let Some(mistake) = mistake {
            return self.refuse_logged(LogError::Value { name, mistake }.to_string());
        }
        if !self.writes_records() {
            return;
        }
        match copy(tensor) {
            Ok(copy) => self.push(copy.numel() * copy.kind().elt_size_in_bytes(), make(name, copy)),
            Err(error) => self.refuse_logged(error.to_string()),
        }
    }

    fn writes_records(&self) -> bool {
        self.has_loggers() && !self.sanity_checking() && !self.is_fast_dev_run()
    }

    fn push(&mut self, bytes: usize, record: Queued) {
        let at = self.logged_at();
        let queue = &mut self.logging.loggers.queue;
        queue.records.push((record, at));
        queue.bytes += bytes;
        if queue.bytes > MOST_BYTES
            && let Err(error) = self.write_queue()
        {
            self.refuse_logged(error.to_string());
        }
    }

    /// Passes the queued records to the loggers. Waits for the device only if there are any.
    pub(super) fn write_queue(&mut self) -> Result<(), LoggerError> {
        if self.logging.loggers.queue.records.is_empty() {
            return Ok(());
        }
        for (record, at) in self.logging.loggers.queue.take().records {
            match &record {
                Queued::Histogram { name, values } => self.hand_out(&Record::Histogram { name, values }, at)?,
                Queued::Text { name, text } => self.hand_out(&Record::Text { name, text }, at)?,
                Queued::Image { name, pixels } => match Image::read(pixels) {
                    Ok(image) => self.hand_out(&Record::Image { name, image: &image }, at)?,
                    Err(error) => messages::warning!("the image `{name}` is lost, as it cannot be read: {error}"),
                },
            }
        }
        Ok(())
    }
}

/// Copies the values of a tensor, without its graph.
fn copy(tensor: &Tensor) -> Result<Tensor, LogError> {
    Ok(detach(tensor)?.f_to_dtype(tensor.f_kind()?, false, true)?)
}
