//! A scheduler in the place of a callback, so that the compiler's error says where it belongs.

use super::{Callback, LightningModule};
use crate::schedule::each_schedule;

/// A scheduler, whatever its type.
#[derive(Debug)]
pub enum AnyScheduler {}

/// Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "a scheduler is not a callback [TL0606]",
    label = "return it from `configure_optimizers` with its optimizer, `AdamW::new(1e-3).lr_scheduler(scheduler)`"
)]
pub trait IsCallback {}

macro_rules! in_callbacks {
    ($($scheduler:ty),* $(,)?) => {$(
        impl<M: LightningModule> Callback<M> for $scheduler where for<'any> AnyScheduler: IsCallback {}
    )*};
}

each_schedule!(in_callbacks);
