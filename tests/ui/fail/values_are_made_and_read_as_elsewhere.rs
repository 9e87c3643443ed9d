//! Errors from texts, numbers from tensors, loops over a store, and metrics as torchmetrics makes them.

use tch_lightning::metrics::{Accuracy, MetricCollection};
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
    metrics: MetricCollection,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root() / "net", 4, 2, nn::LinearConfig::default());
        let metrics = MetricCollection::new([Accuracy::multiclass(2)]);
        Self { vs, net, metrics }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Result<Tensor> {
        if batch.0.size()[0] == 0 {
            return Err("no samples".into());
        }
        Ok(self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1))
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
        let logits = self.net.forward(&batch.0);
        self.metrics.update(&logits, &batch.1)?;
        ctx.log_all(&self.metrics);
        Ok(())
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        let loss = self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1);
        ctx.print(f64::from(&loss));
    }

    fn on_fit_start(&mut self) {
        for parameter in self.parameters() {
            let _ = parameter;
        }
    }

    fn on_fit_end(&mut self) {
        let norms: Vec<Tensor> = self.parameters().iter().map(|parameter| parameter.norm()).collect();
        drop(norms);
    }

    fn on_test_start(&mut self) -> Result<()> {
        let accuracy = Accuracy::new("multiclass", 10);
        drop(accuracy);
        Ok(())
    }

    fn on_test_end(&mut self, ctx: &mut Context) -> Result<()> {
        if ctx.current_epoch() == 0 {
            return Err(format!("epoch {}", ctx.current_epoch()));
        }
        Ok(())
    }

    fn configure_optimizers(&mut self) -> Adam {
        Adam::new(1e-3)
    }
}

fn main() {}
