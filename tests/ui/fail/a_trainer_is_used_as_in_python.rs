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

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }
}

fn set(model: &mut Model) -> Result<()> {
    let mut trainer = Trainer::new(TrainerConfig::default()).max_epochs(3);
    trainer.fit(model, ())?;
    Ok(())
}

fn set_twice(model: &mut Model) -> Result<()> {
    Trainer::new(TrainerConfig::default()).precision("16-mixed").devices(2).fit(model, ())?;
    Ok(())
}

fn trained(model: &mut Model) -> Result<()> {
    let mut trainer = Trainer::new(TrainerConfig::default());
    trainer.train(model, ())?;
    Ok(())
}

fn main() {
    let _ = (set, set_twice, trained);
}
