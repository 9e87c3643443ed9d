use tch_lightning::Loaders;
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

struct Lettered {
    vs: nn::VarStore,
}

#[lightning_module]
impl Lettered {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, x: &Tensor, y: &Tensor) -> Tensor {
        x.cross_entropy_for_logits(y)
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(1e-3)
    }
}

struct Predicting {
    vs: nn::VarStore,
}

#[lightning_module]
impl Predicting {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step(&self, (images, _labels): &(Tensor, Tensor)) -> Tensor {
        images.argmax(-1, false)
    }
}

// the type of the batches is known, so that the runs bring no other mistake
fn main() -> Result<()> {
    let batches = || TensorDataset::new((Tensor::from(1.0), Tensor::from(1))).map(DataLoader::new);
    let vs = || nn::VarStore::new(Device::Cpu);
    Trainer::new(TrainerConfig::default()).fit(&mut Lettered { vs: vs() }, Loaders::train(batches()?))?;
    Trainer::new(TrainerConfig::default()).predict(&mut Predicting { vs: vs() }, Loaders::evaluation(batches()?))?;
    Ok(())
}
