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
}

struct Squares;

impl Dataset for Squares {
    type Sample = (Tensor, Tensor);

    fn len(&self) -> usize {
        10
    }

    fn get_item(&self, index: usize) -> Result<Self::Sample> {
        Ok((Tensor::from(index as f32), Tensor::from(index as i64)))
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> DataLoader<Squares> {
        DataLoader::new(Squares)
    }

    fn val_dataloader(&mut self) -> DataLoader<Box<dyn Dataset<Sample = (Tensor, Tensor)>>> {
        todo!()
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
