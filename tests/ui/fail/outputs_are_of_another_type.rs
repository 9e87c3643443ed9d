use tch_lightning::prelude::*;

struct Predictions {
    rows: Tensor,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module(automatic_optimization = false)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.manual_backward(self, &batch.mean(None))?;
        Ok(())
    }

    fn validation_step(&mut self, batch: &Tensor) -> Result<f64> {
        Ok(batch.double_value(&[0]))
    }

    fn on_validation_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("mean", batch.mean(None));
    }

    fn on_test_batch_end(&mut self, outputs: &Predictions) {
        println!("{}", outputs.rows);
    }

    fn predict_step(&mut self, batch: &Tensor) {
        println!("{batch}");
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&mut self, module: &mut Model, outputs: &Tensor) {
        println!("{} {outputs}", module.vs.len());
    }

    fn on_validation_batch_end(&mut self, outputs: &f64) {
        println!("{outputs}");
    }

    fn on_test_batch_end(&mut self, outputs: &Option<Tensor>) {
        println!("{outputs:?}");
    }

    fn on_predict_batch_end(&mut self, outputs: &[Tensor]) {
        println!("{}", outputs.len());
    }
}

fn main() {}
