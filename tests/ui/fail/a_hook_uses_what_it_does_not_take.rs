use tch_lightning::Loaders;
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
        let loss = batch.mean(None);
        ctx.log("loss", &loss);
        loss
    }

    fn validation_step(&mut self, batch: &Tensor) {
        if batch_idx > 3 {
            println!("{batch}");
        }
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(1e-3)
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_fit_end(&mut self) {
        println!("{}", ctx.global_step());
    }
}

fn main() {
    let data = || Loaders::train(DataLoader::new(TensorDataset::new(Tensor::from(1.0)).unwrap()));
    let _ = Trainer::new(TrainerConfig::default()).callback(Watch).fit(&mut Model { vs: nn::VarStore::new(Device::Cpu) }, data());
}
