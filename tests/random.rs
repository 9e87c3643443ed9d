//! Random numbers are the process's, so that this test is alone in its own.

use tch_lightning::prelude::*;
use tch_lightning::{Loaders, Trainer, seed_everything, trainer::LearningRateFinder};

struct Noisy {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Noisy {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        self.layer.forward(&batch.dropout(0.5, true)).square().mean(None)
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_loss", self.layer.forward(&batch.rand_like()).mean(None));
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn trained(num_sanity_val_steps: i64, tests_rates: bool) -> Vec<f32> {
    seed_everything(7);
    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root(), 4, 1, nn::LinearConfig::default());
    let mut noisy = Noisy { vs, layer };
    let loader = || DataLoader::new(TensorDataset::new(Tensor::ones([8, 4], (Kind::Float, Device::Cpu))).unwrap());
    let mut trainer = Trainer::new(TrainerConfig {
        max_epochs: Some(1),
        num_sanity_val_steps,
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    });
    if tests_rates {
        trainer.lr_find(&mut noisy, Loaders::train(loader()), &LearningRateFinder::new()).unwrap();
    }
    trainer.fit(&mut noisy, Loaders::train(loader()).with_validation(loader())).unwrap();
    Vec::try_from(noisy.layer.ws.flatten(0, -1)).unwrap()
}

#[test]
fn setup_before_training_draws_none_of_its_random_numbers() {
    assert_eq!(trained(0, false), trained(2, false));
    assert_eq!(trained(0, false), trained(0, true));
}
