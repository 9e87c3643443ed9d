//! The example of Lightning's page of hooks: each parameter's gradient as a histogram, every 25 steps.

use crate::model::config;
use serde_json::Value;
use tch_lightning::loggers::TensorBoardLogger;
use tch_lightning::prelude::*;
use tests::python;

/// Three times the sum of the weights: the gradient of each of the four weights is 3.
struct Sum {
    vs: nn::VarStore,
    weight: Tensor,
}

#[lightning_module]
impl Sum {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        (&self.weight * batch).sum(Kind::Float)
    }

    // https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#on-before-optimizer-step
    fn on_before_optimizer_step(&self, ctx: &mut Context, optimizer: OptimizerIndex) {
        // example to inspect gradient information in tensorboard
        if ctx.global_step().is_multiple_of(25) {
            // don't make the tf file huge
            for (name, parameter) in ctx.optimizer(optimizer).parameters() {
                ctx.log_histogram(name, &parameter.grad());
            }
        }
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        let threes = Tensor::full([60, 1], 3.0, (Kind::Float, Device::Cpu));
        Ok(DataLoader::new(TensorDataset::new(threes)?))
    }
}

#[test]
fn gradients_are_histograms_of_tensorboard() {
    let root = tempfile::tempdir().unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let weight = vs.root().zeros("weight", &[4]);
    let config = TrainerConfig { max_epochs: Some(1), ..config(root.path()) };
    Trainer::new(config).logger(TensorBoardLogger::new(root.path())).fit(&mut Sum { vs, weight }, ()).unwrap();
    let Some(printed) = python::run("loggers/events.py", [root.path()]) else { return };
    let read: Value = serde_json::from_str(&printed).unwrap();
    let histograms = read["histograms"]["weight"].as_array().unwrap();
    assert_eq!(histograms.iter().map(|histogram| histogram["step"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 25, 50]);
    for histogram in histograms {
        let field = |name: &str| histogram[name].as_f64().unwrap();
        assert_eq!(["num", "min", "max", "sum", "sum_squares"].map(field), [4.0, 3.0, 3.0, 12.0, 36.0]);
    }
}
