use tch_lightning::prelude::*;

struct Listed {
    vs: nn::VarStore,
}

#[lightning_module]
impl Listed {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> Vec<Callback> {
        vec![ModelCheckpoint::new(), EarlyStopping::new("val_loss")]
    }
}

struct Boxed {
    vs: nn::VarStore,
}

#[lightning_module]
impl Boxed {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> Result<Vec<Box<dyn Callback>>> {
        Ok(vec![Box::new(ModelCheckpoint::new())])
    }
}

fn main() {
    let config = TrainerConfig::default().max_epochs(3).callbacks((ModelCheckpoint::new(), EarlyStopping::new("val_loss")));
    let _ = Trainer::<Listed>::new(config);
}
