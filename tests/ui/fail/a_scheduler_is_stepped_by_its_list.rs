use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module(automatic_optimization = false)]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root() / "net", 4, 2, nn::LinearConfig::default());
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
        let loss = self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1);
        ctx.optimizer(0).zero_grad()?;
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, 0)?;
        ctx.lr_schedulers().step();
        Ok(())
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        ctx.lr_schedulers()[1].step(0.5);
    }

    fn configure_optimizers(&mut self) -> (Adam, StepLr) {
        (Adam::new(1e-3), StepLr::new(10))
    }
}

fn main() {}
