// In Lightning's Python, these outputs are `None`.
use std::collections::HashMap;
use tch_lightning::prelude::*;

struct Manual {
    vs: nn::VarStore,
}

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.manual_backward(self, &batch.mean(None))?;
        Ok(())
    }

    fn on_train_batch_end(&mut self, outputs: &HashMap<String, Tensor>) {
        println!("{}", outputs["loss"]);
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_mean", batch.mean(None));
    }

    fn on_validation_batch_end(&mut self, outputs: &Option<Tensor>, batch_idx: usize) -> Result<()> {
        println!("{batch_idx} {outputs:?}");
        Ok(())
    }

    fn test_step(&mut self, batch: &Tensor) -> () {
        println!("{batch}");
    }

    fn on_test_batch_end(&mut self, outputs: &[Tensor]) {
        println!("{}", outputs.len());
    }

    fn predict_step(&mut self, batch: &Tensor) -> Result<()> {
        println!("{batch}");
        Ok(())
    }

    fn on_predict_batch_end(&mut self, ctx: &mut Context, outputs: Tensor) {
        ctx.print(outputs.mean(None));
    }
}

struct Automatic {
    vs: nn::VarStore,
}

#[lightning_module]
impl Automatic {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) {
        let _loss = batch.mean(None);
    }

    fn on_train_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }
}

fn main() {}
