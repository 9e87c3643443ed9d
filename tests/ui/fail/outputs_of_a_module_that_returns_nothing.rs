// The callback is for every module with this output, which the module of this run does not have.
use tch_lightning::Loaders;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module(automatic_optimization = false)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.manual_backward(self, &batch.mean(None))?;
        Ok(())
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }
}

fn main() -> Result<()> {
    let loader = DataLoader::new(TensorDataset::new(Tensor::from(1))?);
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    Model::trainer().callback(Watch).fit(&mut model, Loaders::train(loader))?;
    Ok(())
}
