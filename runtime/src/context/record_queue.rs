//! Histograms, images, figures, tables and texts that hooks log, queued until the next row is written.

use super::RunContext;
use crate::log::LogError;
use crate::loggers::{Binning, Figure, Histogram, Image, LoggedAt, LoggerError, Record, Table};
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
    /// The last binning of a histogram.
    binning: Option<Binning>,
}

enum Queued {
    Histogram { name: String, binned: Tensor },
    Image { name: String, pixels: Tensor },
    Text { name: String, text: String },
    Table { name: String, table: Table },
    Figure { name: String, figure: Figure },
}

impl RecordQueue {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self) -> Vec<(Queued, LoggedAt)> {
        self.bytes = 0;
        std::mem::take(&mut self.records)
    }

    /// Counts the values of a tensor in the bins of a histogram, on its device.
    fn bin(&mut self, values: &Tensor) -> Result<Tensor, LogError> {
        let (kind, device) = (values.f_kind()?, values.device());
        let binning = match self.binning.take().filter(|binning| binning.fits(kind, device)) {
            Some(binning) => binning,
            None => Binning::new(kind, device)?,
        };
        Ok(self.binning.insert(binning).bin(&detach(values)?)?)
    }
}

impl RunContext {
    /// Logs the distribution of a tensor's values, such as weights or gradients. Lightning has no method for it; its hooks call
    /// `self.logger.experiment.add_histogram(…)`.
    ///
    /// The values are counted in [bins](Histogram) on their device, and the counts are passed to the loggers with the next row, at the
    /// epoch's end or before the next checkpoint, so that a step does not wait for the device. In the hooks of a step,
    /// [`ctx.should_update_logs()`](Self::should_update_logs) returns whether the step's row is written. Nothing is logged without
    /// loggers, in a sanity check or in a [`FastDevRun`](crate::trainer::FastDevRun). As with [`ctx.log`](super::Context::log), a
    /// tensor that cannot be logged makes the hook fail when it returns: one that is empty, undefined (such as a gradient that was
    /// not computed) or complex.
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
        if let Some(mistake) = mistake {
            return self.refuse(name, mistake);
        }
        if !self.writes_records() {
            return;
        }
        match self.logging.loggers.queue.bin(values) {
            Ok(binned) => self.push(bytes_of(&binned), Queued::Histogram { name, binned }),
            Err(error) => self.refuse_logged(error.to_string()),
        }
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
        self.log_pixels(name.into(), image, mistake, copy);
    }

    /// Logs several images as one: a tensor `[images, channels, height, width]`, whose images stand in rows of eight with two pixels
    /// between them. Otherwise as [`log_image`](Self::log_image).
    pub fn log_images(&mut self, name: impl Into<String>, images: &Tensor) {
        let grid = |images: &Tensor| Ok(Image::grid(&detach(images)?)?);
        self.log_pixels(name.into(), images, Image::grid_mistake(images), grid);
    }

    /// Logs a text, such as the output of a language model. It is written in its order among [histograms](Self::log_histogram) and
    /// [images](Self::log_image).
    pub fn log_text(&mut self, name: impl Into<String>, text: impl Into<String>) {
        if self.writes_records() {
            let (name, text) = (name.into(), text.into());
            self.push(text.len(), Queued::Text { name, text });
        }
    }

    /// Logs a table, such as predictions next to their targets. It is written in its order among [histograms](Self::log_histogram) and
    /// [images](Self::log_image). Each row must have as many values as there are columns.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// use tch_lightning::loggers::Table;
    ///
    /// # fn log(ctx: &mut tch_lightning::RunContext) {
    /// let table = Table::new(["digit", "prediction"]).row([7, 7]).row([4, 9]);
    /// ctx.log_table("mistakes", table);
    /// # }
    /// ```
    pub fn log_table(&mut self, name: impl Into<String>, table: Table) {
        let name = name.into();
        if let Some(mistake) = table.mistake() {
            return self.refuse(name, mistake);
        }
        if self.writes_records() {
            let bytes =
                table.rows.iter().flatten().map(|value| size_of_val(value) + value.as_str().map_or(0, str::len));
            self.push(bytes.sum(), Queued::Table { name, table });
        }
    }

    /// Logs a drawing, such as a confusion matrix that a plotting crate has drawn. It is written in its order among
    /// [histograms](Self::log_histogram) and [images](Self::log_image).
    pub fn log_figure(&mut self, name: impl Into<String>, figure: Figure) {
        if self.writes_records() {
            self.push(figure.len(), Queued::Figure { name: name.into(), figure });
        }
    }

    /// Queues the pixels that `pixels` makes of a tensor, unless the tensor is refused or nothing is written.
    fn log_pixels(
        &mut self,
        name: String,
        tensor: &Tensor,
        mistake: Option<String>,
        pixels: impl FnOnce(&Tensor) -> Result<Tensor, LogError>,
    ) {
        if let Some(mistake) = mistake {
            return self.refuse(name, mistake);
        }
        if !self.writes_records() {
            return;
        }
        match pixels(tensor) {
            Ok(pixels) => self.push(bytes_of(&pixels), Queued::Image { name, pixels }),
            Err(error) => self.refuse_logged(error.to_string()),
        }
    }

    fn refuse(&mut self, name: String, mistake: impl Into<String>) {
        self.refuse_logged(LogError::Value { name, mistake: mistake.into() }.to_string());
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
        for (record, at) in self.logging.loggers.queue.take() {
            match &record {
                Queued::Histogram { name, binned } => match Histogram::read(binned) {
                    Ok(histogram) => self.hand_out(&Record::Histogram { name, histogram: &histogram }, at)?,
                    Err(error) => messages::warning!("the histogram `{name}` is lost, as it cannot be read: {error}"),
                },
                Queued::Text { name, text } => self.hand_out(&Record::Text { name, text }, at)?,
                Queued::Table { name, table } => self.hand_out(&Record::Table { name, table }, at)?,
                Queued::Figure { name, figure } => self.hand_out(&Record::Figure { name, figure }, at)?,
                Queued::Image { name, pixels } => match Image::read(pixels) {
                    Ok(image) => self.hand_out(&Record::Image { name, image: &image }, at)?,
                    Err(error) => messages::warning!("the image `{name}` is lost, because it cannot be read: {error}"),
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

fn bytes_of(tensor: &Tensor) -> usize {
    tensor.numel() * tensor.kind().elt_size_in_bytes()
}
