use tch_lightning::module::TrainingContext;
use tch_lightning::prelude::*;

macro_rules! models {
    ($($name:ident)*) => {$(
        struct $name {
            vs: nn::VarStore,
            net: nn::Linear,
        }
    )*};
}

models!(Stepping Named Every Returning Helped Between Kept Several NoSync Ignored);

#[lightning_module(automatic_optimization = false)]
impl Stepping {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
        let loss = self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1);
        ctx.optimizer(1).zero_grad()?;
        loss.backward();
        ctx.optimizer(1).step()?;
        Ok(())
    }
}

#[lightning_module(automatic_optimization = false)]
impl Named {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
        let opt = ctx.optimizer(0);
        opt.zero_grad()?;
        let loss = self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1);
        ctx.manual_backward(self, &loss)?;
        opt.step()?;
        Ok(())
    }
}

#[lightning_module(automatic_optimization = false)]
impl Every {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.manual_backward(self, &batch.mean(None))?;
        if batch.numel() > 1 {
            for optimizer in ctx.optimizers_mut() {
                optimizer.step()?;
            }
        }
        ctx.optimizers_mut()[1].step()?;
        Ok(())
    }
}

// the loss that a step of manual optimization returns is logged
#[lightning_module(automatic_optimization = false)]
impl Returning {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        loss.backward();
        loss
    }
}

#[lightning_module(automatic_optimization = false)]
impl Helped {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        self.optimize(ctx, batch.mean(None))
    }

    fn optimize(&mut self, ctx: &mut TrainingContext<'_, Self>, loss: Tensor) -> Result<()> {
        (loss * 2.0).backward();
        Ok(ctx.manual_step(self, 0)?)
    }
}

#[lightning_module(automatic_optimization = false)]
impl Between {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        Ok(ctx.manual_backward(self, &batch.mean(None))?)
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context) -> Result<()> {
        Ok(ctx.optimizer(0).step()?)
    }
}

#[lightning_module(automatic_optimization = false)]
impl Kept {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        let opt = ctx.optimizer(0);
        ctx.manual_backward(self, &batch.mean(None))?;
        opt.zero_grad()?;
        Ok(())
    }
}

#[lightning_module(automatic_optimization = false)]
impl Several {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        let (g, d) = ctx.optimizers();
        g.zero_grad()?;
        ctx.manual_backward(self, &batch.mean(None))?;
        d.zero_grad()?;
        Ok(())
    }
}

#[lightning_module(automatic_optimization = false)]
impl NoSync {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.no_sync(|| ctx.manual_backward(self, &batch.mean(None)))?;
        Ok(())
    }
}

#[lightning_module(automatic_optimization = false)]
impl Ignored {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.no_sync(|_| ctx.manual_backward(self, &batch.mean(None)))?;
        Ok(())
    }
}

fn main() {}
