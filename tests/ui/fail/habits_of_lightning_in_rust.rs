use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        let outputs = self.layer.forward_t(&batch.0, self.training);
        outputs.cross_entropy_for_logits(&batch.1)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        let outputs = self.layer.ws.f_matmul(&batch.0)?;
        ctx.log("mean", &outputs);
    }

    fn test_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        self.layer.ws.f_matmul(&batch.0)?
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        ctx.should_stop = true;
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context) {
        ctx.optimizers()[0].set_lr(1e-4);
    }

    fn configure_callbacks(&self) -> Vec<Box<dyn Callback>> {
        Vec::new()
    }
}

impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 4, 1, nn::LinearConfig::default());
        Self { vs, layer }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig::default().max_epochs(3)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        let numbers = || Tensor::ones([8, 4], (Kind::Float, Device::Cpu));
        Ok(DataLoader::new(TensorDataset::new((numbers(), numbers()))?))
    }
}

fn main() -> ExitCode {
    seed_everything(42);
    Model::main::<Data>()
}
