use super::error_rate::{ErrorRate, Unit, compares_texts};
use crate::metrics::shared::Shared;

/// The number of words that a recognizer of speech inserted, left out or replaced, divided by the number of words of the targets:
/// torchmetrics' [`WordErrorRate`](https://lightning.ai/docs/torchmetrics/stable/text/word_error_rate.html).
///
/// Words are divided by white space. The value is 0-dim; NaN, or infinite, if the targets have no words.
///
/// State: `errors` and `total`, on the CPU.
///
/// ```
/// use tch_lightning::metrics::{Metric, WordErrorRate};
///
/// let rate = WordErrorRate::new();
/// rate.update(&["this is the prediction", "there is an other sample"], &["this is the reference", "there is another one"])?;
/// assert_eq!(rate.compute()?.double_value(&[]), 0.5);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct WordErrorRate(Shared<ErrorRate>);

compares_texts!(WordErrorRate, Unit::Word);
