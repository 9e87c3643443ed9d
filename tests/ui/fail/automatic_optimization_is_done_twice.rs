use tch_lightning::prelude::*;

macro_rules! models {
    ($($name:ident)*) => {$(
        struct $name {
            vs: nn::VarStore,
        }
    )*};
}

models!(Stepping OfTch OfLightning Optional Another Shadowed Both);

#[lightning_module]
impl OfTch {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        loss.backward();
        loss
    }
}

#[lightning_module]
impl OfLightning {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let loss = batch.mean(None);
        self.backward(ctx, &loss)?;
        Ok(loss)
    }
}

#[lightning_module]
impl Optional {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Result<Option<Tensor>> {
        let loss = batch.mean(None);
        if loss.isnan().double_value(&[]) != 0.0 {
            return Ok(None);
        }
        loss.backward();
        Ok(Some(loss))
    }
}

// the gradient of another value, and of an earlier one of the name
#[lightning_module]
impl Another {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        let attack = batch.square().sum(None);
        attack.backward();
        let loss = (batch + batch.grad()).mean(None);
        loss
    }
}

#[lightning_module]
impl Shadowed {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        let loss = batch.square().sum(None);
        loss.backward();
        let loss = (batch + batch.grad()).mean(None);
        loss
    }
}

#[lightning_module]
impl Stepping {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        ctx.optimizer(0).zero_grad()?;
        let loss = batch.mean(None);
        ctx.optimizer(0).step()?;
        Ok(loss)
    }
}

// of several calls that belong to one mistake, the first is reported
#[lightning_module]
impl Both {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let loss = batch.mean(None);
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, 0)?;
        Ok(loss)
    }
}

fn main() {}
