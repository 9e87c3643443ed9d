// A loss without a graph trains nothing: the backward pass would fail in the first step.
use tch_lightning::prelude::*;

macro_rules! module {
    ($name:ident) => {
        struct $name {
            vs: nn::VarStore,
        }
    };
}

module!(Detached);

#[lightning_module]
impl Detached {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let loss = batch.mean(None);
        ctx.log("loss", &loss);
        Ok(loss.detach())
    }
}

module!(Bound);

#[lightning_module]
impl Bound {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = tch::no_grad(|| batch.mean(None));
        ctx.log("loss", &loss);
        loss
    }
}

module!(Guarded);

#[lightning_module]
impl Guarded {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Option<Tensor> {
        let _guard = tch::no_grad_guard();
        let loss = batch.mean(None);
        Some(loss)
    }
}

module!(Manual);

// a backward pass of its own
#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None).detach()
    }
}

fn main() {}
