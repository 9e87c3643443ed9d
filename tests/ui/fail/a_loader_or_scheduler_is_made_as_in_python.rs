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

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from(1.0))?).num_workers(2))
    }

    fn configure_optimizers(&mut self) -> ScheduledOptimizer {
        AdamW::new(1e-3).lr_scheduler(ReduceLrOnPlateau::default()).monitor("val_loss")
    }

    fn on_fit_start(&mut self, context: &mut Context) {
        println!("{}", context.current_epoch());
    }
}

fn main() {
    let trainer = Trainer::<Model>::default().max_epochs(3);
    drop(trainer);
}
