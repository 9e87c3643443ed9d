//! `ctx.print`: lines above the progress bar.

use super::RunContext;
use crate::terminal;
use std::fmt::Display;

impl RunContext {
    /// Prints a line to stdout, above the progress bar, which `println!` would tear. Lightning's
    /// [`self.print`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#print): with several processes, only rank 0
    /// prints. A closed pipe and a full disk are ignored: they are not a reason to stop training.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore }
    /// #[lightning_module]
    /// impl Model {
    ///     fn on_train_epoch_end(&self, ctx: &mut Context) {
    ///         ctx.print(format!("epoch {} is done", ctx.current_epoch()));
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    ///
    /// Outside of hooks, [`messages::print`](crate::messages::print) prints, in every process. Warnings are better reported as events of
    /// `tracing`, see [`messages`](crate::messages).
    pub fn print(&self, text: impl Display) {
        if self.is_global_zero() {
            let _ = terminal::print(text);
        }
    }
}
