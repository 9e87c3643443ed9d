use tch_lightning::metrics::Accuracy;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
    accuracy: Accuracy,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        let outputs = self.net.forward(&batch.0);
        self.accuracy(&outputs, &batch.1);
        ctx.log("val_acc", &self.accuracy);
    }

    fn predict_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        self.net(&batch.0)
    }
}

fn main() {}
