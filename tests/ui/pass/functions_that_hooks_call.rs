//! A function takes the `ctx` of every hook, also where `Context` is the trait of another crate in the file.

use anyhow::Context;
use tch_lightning::prelude::*;

type AnyContext = tch_lightning::Context;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        self.report(ctx, batch).context("cannot report")?;
        Ok(batch.mean(None))
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        let batches = Tensor::from(3.0);
        self.report(ctx, &batches).context("cannot report")
    }

    fn on_fit_start(&mut self, ctx: &mut Context) {
        announce(ctx);
    }

    fn report(&self, ctx: &mut AnyContext, value: &Tensor) -> Result<()> {
        announce(ctx);
        if !self.vs.is_empty() {
            ctx.log("mean", value.mean(None));
        }
        Ok(())
    }
}

fn announce(ctx: &mut AnyContext) {
    ctx.print(format!("epoch {}", ctx.current_epoch()));
}
