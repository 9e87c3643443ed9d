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

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        batch.0.cross_entropy_for_logits(&batch.1)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        ctx.log("val_loss", batch.0.cross_entropy_for_logits(&batch.1));
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(1e-3)
    }

    fn train_dataloader(&mut self) -> DataLoader {
        DataLoader::new(vec![([0.0_f32; 4], 0_i64); 8])
    }

    fn val_dataloader(&mut self) -> Result<(DataLoader<(Tensor, Tensor)>, DataLoader<(Tensor, Tensor)>)> {
        Ok((self.train_dataloader()?, self.train_dataloader()?))
    }
}

fn main() -> ExitCode {
    Model::main()
}
