//! `ctx` may be asked for as a context of the hook's moment, under any name of it, or as the run's.

use tch_lightning::prelude::*;
use tch_lightning::{Hook, RunContext, context::phase};

type Alias = Context;
type Stepping = Context<phase::Step>;
type OfTheRun = tch_lightning::RunContext;
type Reference<'c> = &'c mut RunContext;
type Generic<At> = Context<At>;

mod renamed {
    pub(super) use tch_lightning::{Context as Ctx, RunContext as RunCtx};
}

macro_rules! context {
    () => {
        Context
    };
}

struct Model {
    vs: nn::VarStore,
    steps: usize,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut RunContext, batch: &Tensor) -> Tensor {
        self.steps = ctx.global_step();
        batch.mean(None)
    }

    fn validation_step(&mut self, ctx: &mut Alias, batch: &Tensor) {
        ctx.log("mean", batch.mean(None));
    }

    fn test_step(&mut self, ctx: &mut Stepping, batch: &Tensor) {
        ctx.log("mean", batch.mean(None));
    }

    fn on_fit_start(&mut self, ctx: &mut RunContext) {
        ctx.stop();
    }

    fn on_fit_end(&mut self, ctx: &mut tch_lightning::RunContext) -> Result<()> {
        self.steps += ctx.global_step();
        Ok(())
    }

    fn on_train_start(&mut self, ctx: &RunContext) {
        self.steps = ctx.global_step();
    }

    fn on_train_end<'c>(&mut self, ctx: &'c mut OfTheRun) {
        ctx.stop();
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Alias) {
        ctx.log("epoch_start", 1.0);
    }

    fn on_train_epoch_end(&mut self, ctx: &mut renamed::Ctx) {
        ctx.log("epoch_end", 1.0);
    }

    fn on_validation_epoch_start(&mut self, ctx: &mut renamed::RunCtx) {
        ctx.stop();
    }

    fn on_validation_epoch_end(&mut self, ctx: &Alias) {
        self.steps = ctx.global_step();
    }

    fn on_test_epoch_end(&mut self, ctx: &mut Generic<phase::Epoch>) {
        ctx.log("epoch", 1.0);
    }

    fn on_test_epoch_start(&mut self, ctx: &mut context!()) {
        ctx.log("epoch", 1.0);
    }

    fn setup(&mut self, ctx: Reference<'_>) {
        ctx.stop();
    }

    fn teardown(&mut self, ctx: &mut Alias) {
        helper(ctx);
    }
}

fn helper(ctx: &mut RunContext) {
    ctx.stop();
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn setup(&mut self, ctx: &mut RunContext) {
        ctx.stop();
    }

    fn train_dataloader(&mut self, ctx: &mut Alias) -> Result<DataLoader<Tensor>> {
        bail!("epoch {}", ctx.current_epoch())
    }
}

struct Watcher;

#[lightning_callback]
impl Watcher {
    fn on_train_epoch_end(&mut self, ctx: &mut RunContext) {
        ctx.stop();
    }

    fn on_fit_end(&mut self, ctx: &mut Alias, module: &mut Model) {
        module.steps = ctx.global_step();
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 15);
    assert!(Model::hooks().contains(&Hook::OnValidationEpochStart));
}
