//! The model of `table.py`.

use crate::table::Values;
use tch_lightning::prelude::*;
use tch_lightning::{LightningModule, device::Accelerator, module::Optimizers};

pub type Rows = (Tensor, Tensor);

/// One linear layer, 4 to 1, perhaps behind a batch norm.
pub struct Line {
    pub vs: nn::VarStore,
    pub layer: nn::Linear,
    norm: Option<nn::BatchNorm>,
    optimizers: Optimizers,
    fails: bool,
}

impl Line {
    pub fn new(optimizers: impl Into<Optimizers>) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let mut layer = nn::linear(vs.root() / "layer", 4, 1, nn::LinearConfig::default());
        let weight = (Tensor::arange_start(1, 5, (Kind::Double, Device::Cpu)).sin() / 2.0).to_kind(Kind::Float);
        tch::no_grad(|| {
            layer.ws.copy_(&weight.view([1, 4]));
            let _ = layer.bs.as_mut().map(|bias| bias.zero_());
        });
        Self { vs, layer, norm: None, optimizers: optimizers.into(), fails: false }
    }

    /// `NormedLine` of `table.py`.
    pub fn normed(optimizers: impl Into<Optimizers>) -> Self {
        let line = Self::new(optimizers);
        let config = nn::BatchNormConfig { momentum: 0.3, ws_init: nn::Init::Const(1.0), ..Default::default() };
        let norm = nn::batch_norm1d(line.vs.root() / "norm", 4, config);
        Self { norm: Some(norm), ..line }
    }

    /// `Failing` of `table.py`.
    pub fn failing(self) -> Self {
        Self { fails: true, ..self }
    }

    fn loss(&self, (x, y): &Rows, train: bool) -> Tensor {
        let x = self.norm.as_ref().map_or_else(|| x.shallow_clone(), |norm| norm.forward_t(x, train));
        self.layer.forward(&x).mse_loss(y, tch::Reduction::Mean)
    }
}

/// Row `n = 1, 2, …` has `x[j] = sin(0.1 (n + offset) (j + 1))` for `j` in `0..4`, and `y = cos(0.3 (n + offset))`.
pub fn loader(offset: i64, batches: i64) -> Result<DataLoader<Rows>> {
    let n = Tensor::arange_start(offset + 1, offset + 2 * batches + 1, (Kind::Double, Device::Cpu)).unsqueeze(1);
    let j = Tensor::arange_start(1, 5, (Kind::Double, Device::Cpu));
    let x = (&n * j * 0.1).sin().to_kind(Kind::Float);
    let y = (n * 0.3).cos().to_kind(Kind::Float);
    Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(2))
}

#[lightning_module]
impl Line {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Rows) -> Result<Tensor> {
        if self.fails {
            bail!("no more");
        }
        let loss = self.loss(batch, true);
        ctx.log("train_loss", &loss);
        Ok(loss)
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Rows) {
        ctx.log("val_loss", self.loss(batch, false));
    }

    fn test_step(&self, ctx: &mut Context, batch: &Rows) {
        ctx.log("test_loss", self.loss(batch, false));
    }

    fn predict_step(&self, batch: &Rows) -> Tensor {
        self.layer.forward(&batch.0)
    }

    fn configure_optimizers(&self) -> Optimizers {
        self.optimizers.clone()
    }

    fn train_dataloader(&self) -> Result<DataLoader<Rows>> {
        loader(0, 4)
    }

    fn val_dataloader(&self) -> Result<DataLoader<Rows>> {
        loader(1000, 2)
    }

    fn test_dataloader(&self) -> Result<DataLoader<Rows>> {
        loader(2000, 2)
    }

    fn predict_dataloader(&self) -> Result<DataLoader<Rows>> {
        loader(3000, 2)
    }
}

/// As `fit` of `table.py` has it.
pub fn config() -> TrainerConfig {
    TrainerConfig {
        accelerator: Accelerator::Cpu,
        max_epochs: Some(3),
        enable_checkpointing: false,
        num_sanity_val_steps: 0,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

/// Fails unless the module's tensors have these values, to single precision.
#[track_caller]
pub fn assert_values(module: &mut impl LightningModule, expected: &Values) {
    let variables = module.parameters().variables();
    let names = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        let mut names: Vec<String> = names.cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&mut variables.keys()), names(&mut expected.keys()));
    for (name, expected) in expected {
        let values = Vec::<f64>::try_from(variables[name].detach().flatten(0, -1).to_kind(Kind::Double)).unwrap();
        let differs = |(value, expected): (&f64, &f64)| (value - expected).abs() > 5e-5 * expected.abs().max(0.1);
        assert_eq!(values.len(), expected.len(), "{name}");
        assert!(!values.iter().zip(expected).any(differs), "{name}: {values:?}, not {expected:?}");
    }
}
