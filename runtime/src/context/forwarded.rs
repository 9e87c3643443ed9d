//! Methods of [`RunContext`](super::RunContext) on [`Context`] itself, so that their arguments can read the context:
//! `ctx.log_text("epoch", format!("{}", ctx.current_epoch()))`. Called through `DerefMut`, they would borrow it before their arguments do
//! (<https://rust-lang.github.io/rfcs/2025-nested-method-calls.html>).

use super::phase::Context;
use crate::checkpoint::SaveRequest;
use crate::config::ConfigurationError;
use crate::loggers::{Figure, LoggerError, Table};
use tch::Tensor;

macro_rules! forwarded {
    ($($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),*) $(-> $returned:ty)?;)*) => {
        impl<At> Context<At> {
            $(
                #[doc = concat!("Forwards to [`RunContext::", stringify!($name), "`](crate::RunContext::", stringify!($name), ").")]
                $(#[$attribute])*
                pub fn $name(&mut self, $($argument: $type),*) $(-> $returned)? {
                    self.run.$name($($argument),*)
                }
            )*
        }
    };
}

forwarded! {
    fn log_histogram(name: impl Into<String>, values: &Tensor);
    fn log_image(name: impl Into<String>, image: &Tensor);
    fn log_images(name: impl Into<String>, images: &Tensor);
    fn log_text(name: impl Into<String>, text: impl Into<String>);
    fn log_table(name: impl Into<String>, table: Table);
    fn log_figure(name: impl Into<String>, figure: Figure);
    /// # Errors
    /// If a logger fails.
    fn log_to_loggers(metrics: &[(String, f64)], step: usize) -> Result<(), LoggerError>;
    #[track_caller]
    fn save_checkpoint(request: SaveRequest);
    fn stop_because(reason: impl Into<String>);
    /// # Errors
    /// If `batches` is 0.
    fn set_accumulate_grad_batches(batches: usize) -> Result<(), ConfigurationError>;
}
