use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module(automatic_optimization = false)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn trainig_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let loss = batch.mean(None);
        ctx.manual_backward(self, &loss)?;
        Ok(loss)
    }

    fn configure_optimiser(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }

    fn on_train_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&mut self, module: &mut Model, outputs: &Tensor) {
        println!("{outputs} {:?}", module.vs);
    }
}

fn main() -> Result<()> {
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    Trainer::new(TrainerConfig::default()).callback(Watch).fit(&mut model, ())?;
    Ok(())
}
