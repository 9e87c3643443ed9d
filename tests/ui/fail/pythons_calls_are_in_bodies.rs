//! Calls of Lightning's and PyTorch's Python in bodies, which the compiler would advise to shorten.

use tch_lightning::callbacks::{LambdaCallback, Timer};
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        let logits = self.net.forward(&batch.0.view(-1, 4));
        logits.cross_entropy_for_logits(&batch.1)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        let count = batch.len();
        ctx.log("count", count);
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        let loss = self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1);
        ctx.log_all([("loss", &loss)]).prog_bar(true);
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        ctx.lr_scheduler(0).step();
    }

    fn on_train_end(&mut self, ctx: &mut Context) {
        ctx.lr_scheduler_step(0);
    }

    fn configure_optimizers(&mut self) -> (Adam, SequentialLr) {
        let schedule = SequentialLr::new(vec![LinearLr::default(), StepLr::new(3)], vec![5]);
        (Adam::new(1e-3), schedule)
    }

    fn configure_callbacks(&self) -> (LearningRateMonitor, Timer) {
        (LearningRateMonitor::new().logging_interval("step"), Timer::new())
    }
}

struct Data {
    images: Tensor,
    labels: Tensor,
}

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        Ok(DataLoader::new(TensorDataset::new((&self.images, &self.labels))?))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        Ok(DataLoader::new(TensorDataset::new(vec![self.images.shallow_clone(), self.labels.shallow_clone()])?))
    }
}

struct Watched {
    vs: nn::VarStore,
}

#[lightning_module]
impl Watched {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> LambdaCallback {
        LambdaCallback::new().on_train_end(|_, _| Ok(()))
    }
}

struct Timed {
    vs: nn::VarStore,
}

#[lightning_module]
impl Timed {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> Timer {
        Timer::new("00:12:00:00")
    }
}

fn main() {}
