//! The model of the fixture of layout 1: a small one, with a buffer and an optimizer with state.

use tch_lightning::prelude::*;

pub type Rows = (Tensor, Tensor);

pub struct Small {
    pub vs: nn::VarStore,
    norm: nn::BatchNorm,
    layer: nn::Linear,
}

impl Small {
    pub fn new() -> Self {
        tch::manual_seed(1);
        let vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let norm = nn::batch_norm1d(&root / "norm", 2, nn::BatchNormConfig::default());
        let layer = nn::linear(&root / "layer", 2, 1, nn::LinearConfig::default());
        Self { vs, norm, layer }
    }

    fn loss(&self, (inputs, targets): &Rows, train: bool) -> Tensor {
        let outputs = self.layer.forward(&self.norm.forward_t(inputs, train));
        outputs.mse_loss(targets, tch::Reduction::Mean)
    }
}

#[lightning_module]
impl Small {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Tensor {
        self.loss(batch, true)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Rows) {
        ctx.log("val_loss", self.loss(batch, false));
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Rows) {
        ctx.log("test_loss", self.loss(batch, false));
    }

    fn predict_step(&mut self, batch: &Rows) -> Tensor {
        self.layer.forward(&self.norm.forward_t(&batch.0, false))
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(0.1)
    }
}

pub fn config() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(2),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

pub fn inputs() -> Tensor {
    Tensor::from_slice2(&[[0.0f32, 1.0], [1.0, 2.0], [2.0, -1.0], [3.0, 0.5]])
}

pub fn targets() -> Tensor {
    Tensor::from_slice2(&[[1.0f32], [0.0], [2.0], [-1.0]])
}

fn loader() -> DataLoader<Rows> {
    DataLoader::new(TensorDataset::new((inputs(), targets())).unwrap()).batch_size(2)
}

pub fn training() -> Loaders<Rows> {
    Loaders::train(loader())
}

pub fn evaluation() -> Loaders<Rows> {
    Loaders::evaluation(loader())
}
