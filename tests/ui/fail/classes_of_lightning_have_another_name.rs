//! Callbacks of Lightning and metrics of torchmetrics that have another name here, as a type and where they are made.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
    accuracy: MulticlassAccuracy,
    loss: MeanMetric,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root() / "net", 4, 2, nn::LinearConfig::default());
        Self { vs, net, accuracy: MulticlassAccuracy::new(2), loss: MeanMetric::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
        self.accuracy.update(&self.net.forward(&batch.0), &batch.1)?;
        ctx.log("val_acc", &self.accuracy);
        ctx.log("val_loss", &self.loss);
        Ok(())
    }

    fn configure_callbacks(&self) -> (ModelCheckpoint, RichProgressBar) {
        (ModelCheckpoint::new(), RichProgressBar::new())
    }
}

struct Finding {
    vs: nn::VarStore,
}

#[lightning_module]
impl Finding {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> Vec<LearningRateFinder> {
        vec![LearningRateFinder::new()]
    }
}

fn main() {}
