use tch_lightning::lora::Lora;
use tch_lightning::metrics::{self, Multiclass};
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
    recall: metrics::Recall<Multiclass>,
}

#[lightning_module(automatic_optimization = false)]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 4, 3, nn::LinearConfig::default());
        Self { vs, layer, recall: metrics::Recall::multiclass(3).average("macro") }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
        let loss = self.layer.forward(&batch.0).cross_entropy_for_logits(&batch.1);
        let optimizers = ctx.optimizers();
        optimizers.zero_grad()?;
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, 0)?;
        ctx.stop_training();
        Ok(())
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn main() {
    let config = TrainerConfig::default().max_time("00:00:10:00");
    let lora = Lora::new(8, ["**.q", "**.v"]).lora_alpha(16.0);
    let one = Lora::new(8, 4);
    let weights = Model::new().state_dict();
}
