use tch::{Device, Kind, TchError, Tensor};

use crate::metrics::DistReduceFx;
use crate::metrics::error::{Refusal, require_option};
use crate::metrics::handle::compares;
use crate::metrics::inputs::{require, require_real, require_same_device, require_same_shape};
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};

/// The similarity of images in the brightness, the contrast and the structure of small windows: torchmetrics'
/// [`StructuralSimilarityIndexMeasure`](https://lightning.ai/docs/torchmetrics/stable/image/structural_similarity.html), the mean over all pixels
/// of all images. 1 for equal images.
///
/// `update` takes images `[batch, channels, height, width]` of any real dtype. The value is 0-dim.
///
/// State: `similarity` and `total`.
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use tch_lightning::metrics::{Metric, StructuralSimilarityIndexMeasure};
///
/// let similarity = StructuralSimilarityIndexMeasure::new(1.0);
/// let images = Tensor::rand([2, 3, 32, 32], (Kind::Float, Device::Cpu));
/// assert!((similarity.forward(&images, &images)?.double_value(&[]) - 1.0).abs() < 1e-6);
/// assert!(similarity.forward(&images, &images.flip([3]))?.double_value(&[]) < 0.2);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct StructuralSimilarityIndexMeasure(Shared<Similarity>);

compares!(StructuralSimilarityIndexMeasure);

impl StructuralSimilarityIndexMeasure {
    /// Creates a metric of images whose values differ by at most `data_range`, such as 1 or 255, with a Gaussian window.
    pub fn new(data_range: f64) -> Self {
        Self(Shared::new(Similarity { data_range, window: Window::Gaussian { sigma: 1.5 }, k1: 0.01, k2: 0.03 }))
    }

    /// Sets the standard deviation of the Gaussian window, in pixels. Default 1.5.
    pub fn sigma(self, sigma: f64) -> Self {
        Self(self.0.with(|formula| formula.window = Window::Gaussian { sigma }))
    }

    /// Uses a window in which each of this odd number of pixels, in both directions, counts as much, in place of a Gaussian one.
    pub fn uniform_kernel(self, kernel_size: i64) -> Self {
        Self(self.0.with(|formula| formula.window = Window::Uniform { kernel_size }))
    }

    /// Sets the constants that keep the quotients of dark and of even windows finite, as parts of the range. Default 0.01 and 0.03.
    pub fn constants(self, k1: f64, k2: f64) -> Self {
        Self(self.0.with(|formula| (formula.k1, formula.k2) = (k1, k2)))
    }
}

#[derive(Clone)]
struct Similarity {
    data_range: f64,
    window: Window,
    k1: f64,
    k2: f64,
}

#[derive(Debug, Clone, Copy)]
enum Window {
    Gaussian { sigma: f64 },
    Uniform { kernel_size: i64 },
}

impl Window {
    /// The number of pixels on each side of the one in the middle.
    fn margin(self) -> i64 {
        match self {
            Self::Gaussian { sigma } => (3.5 * sigma + 0.5) as i64,
            Self::Uniform { kernel_size } => (kernel_size - 1) / 2,
        }
    }

    /// Returns the weights of the pixels, whose sum is 1: `[channels, 1, height, width]`.
    fn weights(self, channels: i64, options: (Kind, Device)) -> Result<Tensor, TchError> {
        let margin = self.margin();
        let line = match self {
            Self::Gaussian { sigma } => {
                let distance = Tensor::f_arange_start(-margin, margin + 1, options)?;
                distance.f_div_scalar(sigma)?.f_square()?.f_div_scalar(-2.0)?.f_exp()?
            }
            Self::Uniform { .. } => Tensor::f_ones([2 * margin + 1], options)?,
        };
        let line = line.f_div(&line.f_sum(options.0)?)?;
        line.f_outer(&line)?.f_expand([channels, 1, -1, -1], false)
    }
}

impl Similarity {
    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        require_real("predictions", preds)?;
        require_real("targets", target)?;
        require_same_device(preds, target)?;
        require_same_shape(preds, target)?;
        let shape = preds.size();
        let margin = self.window.margin();
        require(shape.len() == 4 && shape[2] > margin && shape[3] > margin, || {
            format!(
                "its shape is {shape:?}, but it must be [batch, channels, height, width] with a height and a width above \
                 {margin}, half of the window"
            )
        })?;
        let kind = if preds.kind() == Kind::Double { Kind::Double } else { Kind::Float };
        let similarity = self.of_images(&preds.f_to_kind(kind)?, &target.f_to_kind(kind)?)?;
        let total = Tensor::f_full([0i64; 0], shape[0], (Kind::Int64, preds.device()))?;
        Ok(vec![similarity.f_sum(real(preds.device()))?, total])
    }

    /// Returns the similarity of each image, `[batch]`.
    fn of_images(&self, preds: &Tensor, target: &Tensor) -> Result<Tensor, TchError> {
        let margin = self.window.margin();
        let (batch, channels) = (preds.size()[0], preds.size()[1]);
        let padded = |images: &Tensor| images.f_reflection_pad2d([margin; 4]);
        let (preds, target) = (padded(preds)?, padded(target)?);
        let weights = self.window.weights(channels, (preds.kind(), preds.device()))?;
        let inputs = [
            preds.shallow_clone(),
            target.shallow_clone(),
            preds.f_square()?,
            target.f_square()?,
            preds.f_mul(&target)?,
        ];
        let means = Tensor::f_cat(&inputs, 0)?.f_conv2d::<&Tensor>(&weights, None, [1, 1], [0, 0], [1, 1], channels)?;
        let mean = |index: i64| means.f_narrow(0, index * batch, batch);
        let (of_preds, of_target) = (mean(0)?, mean(1)?);
        let (squared_preds, squared_target) = (of_preds.f_square()?, of_target.f_square()?);
        let product = of_preds.f_mul(&of_target)?;
        // rounding can make a variance negative
        let variances = mean(2)?.f_sub(&squared_preds)?.f_clamp_min(0)?;
        let variances = variances.f_add(&mean(3)?.f_sub(&squared_target)?.f_clamp_min(0)?)?;
        let covariance = mean(4)?.f_sub(&product)?;
        let [c1, c2] = [self.k1, self.k2].map(|k| (k * self.data_range).powi(2));
        let twice = |tensor: &Tensor, c: f64| tensor.f_mul_scalar(2.0)?.f_add_scalar(c);
        let numerator = twice(&product, c1)?.f_mul(&twice(&covariance, c2)?)?;
        let brightness = squared_preds.f_add(&squared_target)?.f_add_scalar(c1)?;
        let pixels = numerator.f_div(&brightness.f_mul(&variances.f_add_scalar(c2)?)?)?;
        pixels.f_mean_dim([1i64, 2, 3].as_slice(), false, None)
    }
}

impl Formula for Similarity {
    fn name(&self) -> &'static str {
        "StructuralSimilarityIndexMeasure"
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot::real("similarity", DistReduceFx::Sum, []), Slot::count("total", [])]
    }

    fn validate(&self) -> Result<(), Refusal> {
        let is_positive = |number: f64| number > 0.0 && number.is_finite();
        require_option(is_positive(self.data_range), || {
            format!("data_range must be a number above 0, but it is {}", self.data_range)
        })?;
        match self.window {
            Window::Gaussian { sigma } => {
                require_option(is_positive(sigma), || format!("sigma must be a number above 0, but it is {sigma}"))
            }
            Window::Uniform { kernel_size } => require_option(kernel_size > 0 && kernel_size % 2 == 1, || {
                format!("kernel_size must be an odd number above 0, but it is {kernel_size}")
            }),
        }
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        state[0].f_div(&state[1])
    }
}
