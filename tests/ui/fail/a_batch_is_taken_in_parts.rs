use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, images: &Tensor, labels: &Tensor) -> Tensor {
        images.cross_entropy_for_logits(labels)
    }

    fn validation_step(&mut self, ctx: &mut Context, (images, labels): &(Tensor, Tensor)) {
        ctx.log("val_loss", images.cross_entropy_for_logits(labels));
    }
}

fn main() {}
