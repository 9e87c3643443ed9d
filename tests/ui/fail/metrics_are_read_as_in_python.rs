use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_acc", batch.mean(None));
    }
}

fn main() -> Result<()> {
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    let mut trainer = Model::trainer();
    let results = trainer.validate(&mut model, ())?;
    println!("{}", results[0]["val_acc"]);
    println!("{}", trainer.validate(&mut model, ())?[0]["val_acc"] > 0.5);
    println!("{:?}", results[0].get("val_acc"));
    println!("{}", trainer.callback_metrics["val_acc"]);
    Ok(())
}
