use super::error_rate::{ErrorRate, Unit, compares_texts};
use crate::metrics::shared::Shared;

/// The number of characters that a recognizer inserted, left out or replaced, divided by the number of characters of the targets:
/// torchmetrics' [`CharErrorRate`](https://lightning.ai/docs/torchmetrics/stable/text/char_error_rate.html).
///
/// The value is 0-dim; NaN, or infinite, if the targets are empty.
///
/// State: `errors` and `total`, on the CPU.
///
/// ```
/// use tch_lightning::metrics::{CharErrorRate, Metric};
///
/// let rate = CharErrorRate::new();
/// rate.update(&["bo0k", "cat"], &["book", "chat"])?;
/// assert_eq!(rate.compute()?.double_value(&[]), 2.0 / 8.0);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct CharErrorRate(Shared<ErrorRate>);

compares_texts!(CharErrorRate, Unit::Char);
