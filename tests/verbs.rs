//! What every verb does of itself, whatever the module.
#![allow(missing_docs)]

use std::process::Command;
use tch_lightning::prelude::*;

/// A model whose layer is made late, under the name that the hook had before Lightning 2.0.
struct Late {
    vs: nn::VarStore,
    layer: Option<nn::Linear>,
    asked: usize,
}

impl Late {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), layer: None, asked: 0 }
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let layer = self.layer.as_ref().ok_or_else(|| anyhow!("the layer is not made yet"))?;
        Ok(layer.forward(x))
    }
}

fn loader() -> Result<DataLoader<Tensor>> {
    Ok(DataLoader::new(TensorDataset::new(Tensor::ones([4, 2], (Kind::Float, Device::Cpu)))?).batch_size(2))
}

#[lightning_module]
impl Late {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_sharded_model(&mut self) {
        self.asked += 1;
        if self.layer.is_none() {
            self.layer = Some(nn::linear(self.vs.root(), 2, 1, nn::LinearConfig::default()));
        }
    }

    fn training_step(&self, batch: &Tensor) -> Result<Tensor> {
        Ok(self.forward(batch)?.square().mean(Kind::Float))
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.log("val_mean", self.forward(batch)?.mean(Kind::Float));
        Ok(())
    }

    fn test_step(&self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        ctx.log("test_mean", self.forward(batch)?.mean(Kind::Float));
        Ok(())
    }

    fn predict_step(&self, batch: &Tensor) -> Result<Tensor> {
        self.forward(batch)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.5)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        loader()
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        loader()
    }

    fn test_dataloader(&self) -> Result<DataLoader<Tensor>> {
        loader()
    }

    fn predict_dataloader(&self) -> Result<DataLoader<Tensor>> {
        loader()
    }
}

fn trainer() -> Trainer<Late> {
    Trainer::new(TrainerConfig {
        max_epochs: Some(1),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    })
}

#[test]
fn verbs_call_configure_model_before_they_use_the_module() {
    let mut late = Late::new();
    let mut trainer = trainer();
    trainer.fit(&mut late, ()).unwrap();
    assert_eq!(late.asked, 1);
    let validated = trainer.validate(&mut late, ()).unwrap();
    let tested = trainer.test(&mut late, ()).unwrap();
    let predicted = trainer.predict(&mut late, ()).unwrap();
    assert_eq!(late.asked, 4);

    // all rows are alike, so that all means are what is predicted for one of them
    let one = predicted[1].double_value(&[0, 0]);
    assert_eq!((predicted.len(), predicted[0].size()), (2, vec![2, 1]));
    let means = [validated["val_mean"], tested["test_mean"]];
    assert!(means.iter().all(|mean| (mean - one).abs() < 1e-6), "{validated:?} {tested:?} {one}");
    assert_eq!((validated.len(), tested.len()), (1, 1));
}

#[test]
fn fit_without_validation_data_succeeds() {
    let mut trainer = trainer();
    trainer.fit(&mut Late::new(), Loaders::train(loader().unwrap())).unwrap();
    assert_eq!(trainer.context().global_step(), 2);
}

#[test]
fn validation_without_data_is_reported_as_skipped() {
    // in a process of its own, whose standard error stream can be read
    let fit = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "fit_without_validation_data_succeeds"])
        .output()
        .unwrap();
    let said = String::from_utf8(fit.stderr).unwrap();
    let warning = "warning: there is a `validation_step` but no `val_dataloader`: validation is skipped\n";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
}
