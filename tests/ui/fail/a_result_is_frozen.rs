use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn main() -> Result<()> {
    let mut model = Model::load_from_checkpoint("last.ckpt");
    model.freeze();
    Ok(())
}
