use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn main() -> Result<()> {
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    let train = DataLoader::new(TensorDataset::new(Tensor::from(1))?);
    Ok(Model::trainer().fit(&mut model, train)?)
}
