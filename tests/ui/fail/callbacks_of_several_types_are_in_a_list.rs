use tch_lightning::callbacks::LearningRateMonitor;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root() / "net", 4, 2, nn::LinearConfig::default());
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1)
    }

    fn configure_optimizers(&mut self) -> Adam {
        Adam::new(1e-3)
    }

    fn configure_callbacks(&self) -> Vec<ModelCheckpoint> {
        vec![ModelCheckpoint::new().monitor("val_loss"), EarlyStopping::new("val_loss"), LearningRateMonitor::new()]
    }
}

fn main() {}
