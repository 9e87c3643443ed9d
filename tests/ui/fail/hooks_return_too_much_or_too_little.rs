use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Result<(Tensor, Tensor)> {
        Ok((batch.mean(None), batch.shallow_clone()))
    }

    fn on_train_epoch_end(&mut self) -> Option<()> {
        None
    }

    fn on_train_end(&mut self) -> Result<usize> {
        Ok(1)
    }

    fn on_validation_epoch_end(&mut self) -> Tensor {
        Tensor::from(0)
    }

    fn on_test_epoch_end(&mut self) -> std::result::Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }

    fn validation_step(&mut self, batch: &Tensor) {
        println!("{batch}");
    }

    fn test_step(&mut self, batch: &Tensor) {
        println!("{batch}");
    }
}

struct Other {
    vs: nn::VarStore,
}

#[lightning_module]
impl Other {
    fn parameters(&mut self) -> Result<&mut nn::VarStore> {
        Ok(&mut self.vs)
    }

    fn training_step(&mut self, batch: &Tensor) -> Result<()> {
        drop(batch.mean(None));
        Ok(())
    }
}

fn main() {}
