//! The plan of a run: the hooks that it would call, in order, from the hooks that are overridden and the configuration.
//!
//! Nothing is loaded and no loop runs, so the order is written here once more; `tests/profiler/plan.rs` compares it with the calls of
//! runs.

mod evaluation;
mod every_hook;

pub(crate) use every_hook::plan_of_every_hook;

use super::Trainer;
use crate::config::{Every, TrainerConfig, ValCheckInterval};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{DataHooks, LightningDataModule, LightningModule, Loads, Run, overridden_hooks};
use crate::profiler::HookOwner;
use crate::stage::Stage;
use crate::strategy::SingleProcess;
use evaluation::{EvaluationHooks, PREDICTION, TEST, VALIDATION};
use std::any::type_name;
use std::fmt;

/// The hooks of a run, in order.
pub(crate) struct Plan {
    stage: Stage,
    callbacks: Vec<&'static str>,
    lines: Vec<Line>,
}

struct Line {
    depth: usize,
    text: Text,
}

enum Text {
    /// The beginning of a loop, whose lines are indented.
    Loop(String),
    Call {
        hook: Hook,
        owners: String,
        when: String,
    },
}

impl<M: LightningModule> Trainer<M> {
    /// Returns the plan of a run of this trainer. Of the hooks, only `configure_callbacks` is called.
    pub(crate) fn plan<D: Loads<M::Batch>>(
        &mut self,
        stage: Stage,
        module: &mut M,
        data: &mut D,
    ) -> Result<Plan, Error> {
        self.begin(stage, Box::new(SingleProcess))?;
        let mut data = data;
        let mut run = Run { module, callbacks: &mut self.callbacks, ctx: &mut self.ctx, data: &mut data };
        run.add_callbacks()?;
        let callbacks = &self.callbacks.list;
        let mut of_data = <D as DataHooks>::TABLE.overridden();
        of_data.extend(<D as LightningDataModule>::TABLE.overridden());
        let mut planner = Planner {
            config: self.ctx.config(),
            is_resumed: self.ctx.ckpt_path().is_some(),
            has_chosen_optimizer: self.ctx.chosen_optimizer().is_some(),
            is_automatic: M::AUTOMATIC_OPTIMIZATION,
            module: HookOwner::Module(type_name::<M>()).short_name(),
            of_module: overridden_hooks::<M>(),
            data: HookOwner::Module(type_name::<D>()).short_name(),
            of_data,
            callbacks: callbacks.iter().map(|callback| (callback.name(), callback.is_monitoring())).collect(),
            depth: 0,
            lines: Vec::new(),
        };
        planner.run(stage);
        Ok(Plan { stage, callbacks: callbacks.iter().map(|callback| callback.name()).collect(), lines: planner.lines })
    }
}

/// What is known of a run, and the lines so far.
struct Planner<'a> {
    config: &'a TrainerConfig,
    is_resumed: bool,
    /// Whether flags or files choose the optimizer.
    has_chosen_optimizer: bool,
    is_automatic: bool,
    module: String,
    of_module: Vec<Hook>,
    data: String,
    of_data: Vec<Hook>,
    /// The names of the callbacks, and whether each monitors logged values.
    callbacks: Vec<(&'static str, bool)>,
    depth: usize,
    lines: Vec<Line>,
}

/// When the training loader is created: the plan does not call `configure_optimizers`, and does not know.
const LOADED_EARLY: &str = "if it calls ctx.estimated_stepping_batches";
const LOADED_LATE: &str = "if not called before";

/// All callbacks, in their order.
const CALLBACKS: &str = "callbacks";

impl Planner<'_> {
    fn run(&mut self, stage: Stage) {
        self.module(Hook::ConfigureCallbacks);
        self.data_and_module(Hook::PrepareData, false);
        self.data_and_module(Hook::Setup, true);
        self.module(Hook::ConfigureShardedModel);
        self.module(Hook::ConfigureModel);
        if self.is_resumed {
            let has_state = "if the checkpoint has a state of it";
            self.data_module_when(Hook::LoadStateDict, has_state);
            self.both_module_first(Hook::OnLoadCheckpoint);
            self.of_callbacks_when(Hook::LoadStateDict, has_state);
        }
        match stage {
            Stage::Fit => self.fit(),
            Stage::Validate => self.evaluation_alone(&VALIDATION, Hook::ValDataloader),
            Stage::Test => self.evaluation_alone(&TEST, Hook::TestDataloader),
            Stage::Predict => self.evaluation_alone(&PREDICTION, Hook::PredictDataloader),
        }
        self.data_and_module(Hook::Teardown, true);
    }

    fn fit(&mut self) {
        self.optimizers();
        self.both(Hook::OnFitStart);
        let validates = self.of_module.contains(&Hook::ValidationStep)
            && !self.config.limit_val_batches.is_zero()
            && self.loads(Hook::ValDataloader);
        let checks = validates && self.config.sanity_batches() != Some(0);
        if checks {
            self.of_callbacks(Hook::OnSanityCheckStart);
            self.loader(Hook::ValDataloader, "");
            let batches = self.config.sanity_batches().map(|batches| format!(", at most {batches} of each loader"));
            self.evaluation(&VALIDATION, &format!("for each batch of the sanity check{}", batches.unwrap_or_default()));
            self.of_callbacks(Hook::OnSanityCheckEnd);
        }
        if !self.config.limit_train_batches.is_zero() {
            let when = if self.may_load_early() { LOADED_LATE } else { "" };
            self.loader(Hook::TrainDataloader, when);
            let first_is_validated = self.config.check_val_every_n_epoch.is_none_or(|epochs| epochs == 1);
            if validates && !checks && first_is_validated {
                self.loader(Hook::ValDataloader, "");
            }
            self.both(Hook::OnTrainStart);
            let epochs = self.config.epoch_limit().map(|epochs| format!(", at most {epochs}")).unwrap_or_default();
            self.within(format!("for each epoch{epochs}"), |plan| plan.epoch(validates, checks || first_is_validated));
            self.both(Hook::OnTrainEnd);
        }
        self.both(Hook::OnFitEnd);
        if self.config.enable_checkpointing {
            self.within("whenever a checkpoint is written".to_owned(), |plan| {
                plan.both(Hook::OnSaveCheckpoint);
                plan.of_callbacks(Hook::StateDict);
                plan.data_module(Hook::StateDict);
            });
        }
    }

    /// Whether the module's own `configure_optimizers` may request the number of steps, which it gets in a second call.
    fn may_load_early(&self) -> bool {
        !self.has_chosen_optimizer && self.of_module.contains(&Hook::ConfigureOptimizers)
    }

    fn optimizers(&mut self) {
        if self.has_chosen_optimizer {
            return;
        }
        self.module(Hook::ConfigureOptimizers);
        if self.may_load_early() {
            self.within(LOADED_EARLY.to_owned(), |plan| {
                plan.loader(Hook::TrainDataloader, "");
                plan.module(Hook::ConfigureOptimizers);
            });
        }
    }

    fn epoch(&mut self, validates: bool, is_loaded: bool) {
        let reloads = self.config.reload_dataloaders_every_n_epochs;
        let again = format!("again, every {reloads} epochs");
        if reloads > 0 {
            self.loader(Hook::TrainDataloader, &again);
        }
        self.both(Hook::OnTrainEpochStart);
        self.within("for each training batch".to_owned(), |plan| {
            plan.training_batch();
            if validates {
                let due = plan.validation_is_due();
                plan.within(due, |plan| {
                    plan.module_when(Hook::OnValidationModelZeroGrad, "if the optimizer has just stepped");
                    match (reloads, is_loaded) {
                        (0, true) => {}
                        (0, false) => plan.loader(Hook::ValDataloader, "the first time"),
                        _ => plan.loader(Hook::ValDataloader, &again),
                    }
                    plan.evaluation(&VALIDATION, "for each validation batch");
                });
            }
        });
        self.train_epoch_end();
    }

    fn training_batch(&mut self) {
        self.transfer();
        self.both(Hook::OnTrainBatchStart);
        if self.is_automatic {
            let window = self.config.accumulate_grad_batches;
            let of_window =
                |place: &str| if window > 1 { format!("{place} of {window} batches") } else { String::new() };
            let (first, last) = (&of_window("the first"), &of_window("the last"));
            self.module_when(Hook::OptimizerStep, last);
            self.module(Hook::TrainingStep);
            self.both_when(Hook::OnBeforeZeroGrad, first);
            self.module_when(Hook::OptimizerZeroGrad, first);
            self.backward();
            self.both_when(Hook::OnBeforeOptimizerStep, last);
            self.module_when(Hook::ConfigureGradientClipping, last);
            self.module_when(Hook::LrSchedulerStep, "if a scheduler is due");
        } else {
            self.module(Hook::TrainingStep);
            self.within("whenever it calls manual_backward".to_owned(), Self::backward);
            self.within("whenever it calls manual_step".to_owned(), |plan| plan.both(Hook::OnBeforeOptimizerStep));
        }
        self.both(Hook::OnTrainBatchEnd);
    }

    fn backward(&mut self) {
        self.both(Hook::OnBeforeBackward);
        self.module(Hook::Backward);
        self.both(Hook::OnAfterBackward);
    }

    fn validation_is_due(&self) -> String {
        let epochs = match self.config.check_val_every_n_epoch {
            None | Some(1) => String::new(),
            Some(epochs) => format!(" of every {epochs} epochs"),
        };
        match self.config.val_check_interval {
            ValCheckInterval::EPOCH_END => format!("after the last batch{epochs}"),
            ValCheckInterval::Fraction(part) => format!("after every {part} of the batches{epochs}"),
            ValCheckInterval::Every(Every::Batches(batches)) => format!("after every {batches} batches{epochs}"),
            interval => format!("after every {interval}{epochs}"),
        }
    }

    /// Callbacks that monitor logged values follow the module.
    fn train_epoch_end(&mut self) {
        if self.callbacks.iter().all(|(_, monitors)| !monitors) {
            return self.both(Hook::OnTrainEpochEnd);
        }
        let those = |monitoring: bool| -> Vec<String> {
            let those = self.callbacks.iter().filter(|(_, monitors)| *monitors == monitoring);
            those.map(|(name, _)| (*name).to_owned()).collect()
        };
        let (before, after) = (those(false), those(true));
        let module = self.owner(Hook::OnTrainEpochEnd);
        self.call(Hook::OnTrainEpochEnd, before.into_iter().chain(module).chain(after).collect(), "");
    }

    fn evaluation_alone(&mut self, hooks: &EvaluationHooks, dataloader: Hook) {
        self.loader(dataloader, "");
        self.evaluation(hooks, "for each batch");
    }

    fn evaluation(&mut self, hooks: &EvaluationHooks, each: &str) {
        self.module(hooks.model_eval);
        self.both(hooks.start);
        self.both(hooks.epoch_start);
        self.within(each.to_owned(), |plan| {
            plan.transfer();
            plan.both(hooks.batch_start);
            plan.module(hooks.step);
            plan.both(hooks.batch_end);
        });
        self.both(hooks.epoch_end);
        self.both(hooks.end);
        if let Some(model_train) = hooks.model_train {
            self.module(model_train);
        }
    }

    /// The hooks around the move of a batch to the device, each of the data module if it overrides it.
    fn transfer(&mut self) {
        self.loader(Hook::OnBeforeBatchTransfer, "");
        self.loader(Hook::TransferBatchToDevice, "");
        self.loader(Hook::OnAfterBatchTransfer, "");
    }

    /// Whether there is a loader.
    fn loads(&self, dataloader: Hook) -> bool {
        self.of_data.contains(&dataloader) || self.of_module.contains(&dataloader)
    }

    /// Returns the module, if it is called for a hook.
    fn owner(&self, hook: Hook) -> Option<String> {
        named(&self.module, &self.of_module, hook)
    }

    fn call(&mut self, hook: Hook, owners: Vec<String>, when: &str) {
        if !owners.is_empty() {
            let (owners, when) = (owners.join(", "), when.to_owned());
            self.lines.push(Line { depth: self.depth, text: Text::Call { hook, owners, when } });
        }
    }

    /// A hook of the module.
    fn module(&mut self, hook: Hook) {
        self.module_when(hook, "");
    }

    fn module_when(&mut self, hook: Hook, when: &str) {
        let owner = self.owner(hook);
        self.call(hook, owner.into_iter().collect(), when);
    }

    /// A hook of the data module only.
    fn data_module(&mut self, hook: Hook) {
        self.data_module_when(hook, "");
    }

    fn data_module_when(&mut self, hook: Hook, when: &str) {
        let owner = named(&self.data, &self.of_data, hook);
        self.call(hook, owner.into_iter().collect(), when);
    }

    /// A hook of the data module, or of the module if the data module does not override it.
    fn loader(&mut self, hook: Hook, when: &str) {
        let of_data = self.of_data.contains(&hook).then(|| named(&self.data, &self.of_data, hook)).flatten();
        let owner = of_data.or_else(|| self.owner(hook));
        self.call(hook, owner.into_iter().collect(), when);
    }

    /// A hook of the data module and then of the module, after the callbacks if they have it.
    fn data_and_module(&mut self, hook: Hook, of_callbacks: bool) {
        let callbacks = self.callbacks().filter(|_| of_callbacks);
        let data = named(&self.data, &self.of_data, hook);
        let owners = callbacks.into_iter().chain(data).chain(self.owner(hook)).collect();
        self.call(hook, owners, "");
    }

    /// A hook of the callbacks.
    fn of_callbacks(&mut self, hook: Hook) {
        self.of_callbacks_when(hook, "");
    }

    fn of_callbacks_when(&mut self, hook: Hook, when: &str) {
        let callbacks = self.callbacks();
        self.call(hook, callbacks.into_iter().collect(), when);
    }

    /// A hook of the callbacks and then of the module.
    fn both(&mut self, hook: Hook) {
        self.both_when(hook, "");
    }

    fn both_when(&mut self, hook: Hook, when: &str) {
        let owners = self.callbacks().into_iter().chain(self.owner(hook)).collect();
        self.call(hook, owners, when);
    }

    fn both_module_first(&mut self, hook: Hook) {
        let owners = self.owner(hook).into_iter().chain(self.callbacks()).collect();
        self.call(hook, owners, "");
    }

    fn callbacks(&self) -> Option<String> {
        (!self.callbacks.is_empty()).then(|| CALLBACKS.to_owned())
    }

    fn within(&mut self, title: String, body: impl FnOnce(&mut Self)) {
        self.lines.push(Line { depth: self.depth, text: Text::Loop(title) });
        self.depth += 1;
        body(self);
        self.depth -= 1;
    }
}

/// Returns an owner, with a star if it overrides the hook; `None` if the hook is not called, as its default does nothing.
fn named(owner: &str, overridden: &[Hook], hook: Hook) -> Option<String> {
    let overrides = overridden.contains(&hook);
    (overrides || !hook.does_nothing_by_default()).then(|| format!("{owner}{}", if overrides { "*" } else { "" }))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the hooks of `{}`, in order; * overrides a hook", self.stage)?;
        match &self.callbacks[..] {
            [] => writeln!(f, "callbacks: none")?,
            callbacks => writeln!(f, "{CALLBACKS}: {}", callbacks.join(", "))?,
        }
        for Line { depth, text } in &self.lines {
            write!(f, "\n{:indent$}", "", indent = 2 * depth)?;
            match text {
                Text::Loop(title) => write!(f, "{title}:")?,
                Text::Call { hook, owners, when } if when.is_empty() => {
                    write!(f, "{:width$}  {owners}", hook.name(), width = COLUMN - 2 * depth)?;
                }
                Text::Call { hook, owners, when } => {
                    write!(f, "{:width$}  {owners}  ({when})", hook.name(), width = COLUMN - 2 * depth)?;
                }
            }
        }
        Ok(())
    }
}

/// The width of the column of hooks, for the longest name within three loops.
const COLUMN: usize = 36;
