use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        batch.0.mse_loss(&batch.1, tch::Reduction::Mean)
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }
}

struct Data;

fn main() -> Result<()> {
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    Model::trainer().fit(&mut model, &mut Data)?;
    Ok(())
}
