//! What `configure_optimizers` may return.

use tch_lightning::Hook;
use tch_lightning::optim::{Algorithm, ParameterGroups};
use tch_lightning::prelude::*;

macro_rules! with {
    ($name:ident, $output:ty, $value:expr) => {
        struct $name {
            vs: nn::VarStore,
        }

        // automatic optimization has one optimizer
        #[lightning_module(automatic_optimization = false)]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn configure_optimizers(&self) -> $output {
                $value
            }
        }
    };
}

with!(One, AdamW, AdamW::new(1e-3));
with!(OneOrError, Result<Sgd>, Ok(Sgd::new(0.1)));
with!(OneOrTorchsError, Result<Adam, tch::TchError>, Ok(Adam::new(0.1)));
with!(Pair, (Sgd, AdamW), (Sgd::new(0.1), AdamW::new(1e-3)));
with!(Several, Vec<Adam>, vec![Adam::new(1e-3), Adam::new(1e-4)]);
with!(Three, (Sgd, Adam, AdamW), (Sgd::new(0.1), Adam::new(0.1), AdamW::new(1e-3)));
with!(Any, Optimizers, AdamW::new(1e-3).into());
with!(Groups, ParameterGroups<AdamW>, ParameterGroups::new(AdamW::new(1e-3)).group("**.bias", AdamW::new(1e-2)));
with!(Chosen, ParameterGroups, Algorithm::from(AdamW::new(1e-3)).over("generator.**"));
with!(
    Gan,
    Result<(ParameterGroups<Adam>, ParameterGroups<Adam>)>,
    Ok((Adam::new(1e-3).over("generator.**"), Adam::new(1e-4).over("discriminator.**")))
);
with!(GroupsAndOne, (ParameterGroups<Sgd>, AdamW), (Sgd::new(0.1).over("**.weight"), AdamW::new(1e-3)));
with!(SeveralGroups, Vec<ParameterGroups<Adam>>, vec![Adam::new(1e-3).over("generator.**")]);

with!(Scheduled, (AdamW, StepLr), (AdamW::new(1e-3), StepLr::new(10)));
with!(
    BothScheduled,
    Result<Vec<(AdamW, CosineAnnealingLr)>>,
    Ok(vec![(AdamW::new(1e-3), CosineAnnealingLr::new(10)), (AdamW::new(1e-4), CosineAnnealingLr::new(10))])
);
with!(
    Configured,
    (ParameterGroups<Adam>, LrSchedulerConfig),
    (Adam::new(1e-3).over("**"), LrSchedulerConfig::from(StepLr::new(10)).interval(Interval::Step))
);

/// A scheduler in a pair with its optimizer, as Lightning has it.
struct Trained {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Trained {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch).mean(None)
    }

    fn configure_optimizers(&self) -> (Sgd, StepLr) {
        (Sgd::new(0.1), StepLr::new(1))
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([2, 1], (Kind::Float, Device::Cpu)))?))
    }
}

#[test]
fn scheduler_in_a_pair_schedules_its_optimizer() {
    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
    let config = TrainerConfig {
        max_epochs: Some(2),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    };
    let mut trainer = Trainer::new(config);
    trainer.fit(&mut Trained { vs, layer }, ()).unwrap();
    // a tenth after each epoch, PyTorch's default `gamma`
    let lr = trainer.context().lr_schedulers()[0].last_lr()[0];
    assert!((lr - 0.001).abs() < 1e-12, "{lr}");
}

#[test]
fn optimizers_are_accepted() {
    let or_error = [OneOrError::hooks(), OneOrTorchsError::hooks()];
    let all = [One::hooks(), Pair::hooks(), Three::hooks(), Several::hooks(), Any::hooks()];
    let groups = [Groups::hooks(), Chosen::hooks(), Gan::hooks(), GroupsAndOne::hooks(), SeveralGroups::hooks()];
    let scheduled = [Scheduled::hooks(), BothScheduled::hooks(), Configured::hooks()];
    assert!(
        all.iter().chain(&groups).chain(&or_error).chain(&scheduled).all(|hooks| *hooks == [Hook::ConfigureOptimizers])
    );
}
