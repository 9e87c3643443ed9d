use tch_lightning::prelude::*;

struct Forgotten {
    vs: nn::VarStore,
}

#[lightning_module]
impl Forgotten {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) {
        let _loss = batch.mean(None);
    }
}

struct Unit {
    vs: nn::VarStore,
}

#[lightning_module]
impl Unit {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Result<()> {
        batch.mean(None).backward();
        Ok(())
    }
}

fn main() {}
