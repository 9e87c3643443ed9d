use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor, index: i64) -> Tensor {
        batch * index
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }
}

fn main() -> Result<()> {
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    Model::trainer().fit(&mut model, ())?;
    Ok(())
}
