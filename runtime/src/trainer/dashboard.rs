//! The dashboard of a `fit`.

use crate::dashboard::{Live, Plan, can_be_shown};
use crate::messages;
use crate::module::{LightningModule, Run};
use crate::profiler::short_type_name;

impl<M: LightningModule> Run<'_, M> {
    /// Opens the dashboard, if the configuration says so. It is closed at every end of the run. If it cannot be shown, the run continues
    /// without it, with a warning.
    pub(super) fn begin_dashboard(&mut self) {
        if !self.ctx.config().dashboard {
            return;
        }
        if let Err(reason) = can_be_shown() {
            messages::warning!("there is no dashboard, as {reason}");
            return;
        }
        let config = self.ctx.config();
        let plan = Plan {
            module: short_type_name(std::any::type_name::<M>()),
            folder: self.ctx.made_log_dir().map(|folder| folder.display().to_string()),
            max_epochs: config.epoch_limit(),
            max_steps: config.step_limit(),
            device: self.ctx.device(),
            from: self.ctx.position(),
            caught: self.ctx.signals().watched(),
        };
        match Live::begin(plan) {
            Ok(live) => self.ctx.set_observer(Box::new(live)),
            Err(error) => messages::warning!("there is no dashboard, as the terminal cannot be used: {error}"),
        }
    }
}
