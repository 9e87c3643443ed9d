//! The hooks around an optimizer's step, written out.

use tch_lightning::prelude::*;
use tch_lightning::trainer::GradientClipAlgorithm;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn backward(&mut self, loss: &Tensor) -> Result<(), tch::TchError> {
        loss.f_backward()
    }

    fn optimizer_step(
        &mut self,
        optimizer: OptimizerIndex,
        closure: &mut StepClosure<'_, Self>,
        ctx: &mut Context,
    ) -> Result<()> {
        closure.run(self, ctx)?;
        Ok(ctx.optimizer(optimizer).step()?)
    }

    fn configure_gradient_clipping(
        &mut self,
        ctx: &mut Context,
        optimizer: OptimizerIndex,
        gradient_clip_val: Option<f64>,
        gradient_clip_algorithm: GradientClipAlgorithm,
    ) -> Result<()> {
        let value = gradient_clip_val.unwrap_or(1.0);
        ctx.clip_gradients(optimizer, value, gradient_clip_algorithm)
    }

    fn on_save_checkpoint(&mut self, checkpoint: &mut Checkpoint) {
        println!("{:?}", checkpoint.metadata);
    }

    fn on_load_checkpoint(&mut self, checkpoint: &Checkpoint) {
        println!("{:?}", checkpoint.metadata);
    }

    fn on_exception(&mut self, exception: &tch_lightning::Error) {
        println!("{exception}");
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 7);
}
