//! The traits and their markers can be implemented without the macro.

use tch_lightning::context::phase::Outside;
use tch_lightning::prelude::*;
use tch_lightning::{
    LightningModule,
    module::{
        Batched, CheckpointHooks, DataHooks, DataHooksTable, LightningModuleTable, ModelHooks, Optimizes, StepOutputs,
        TrainingContext, Trains,
    },
};

struct Line {
    vs: nn::VarStore,
    layer: nn::Linear,
}

impl Batched for Line {
    type Batch = (Tensor, Tensor);
}

impl StepOutputs for Line {
    type TrainingOutput = Tensor;
    type ValidationOutput = ();
    type TestOutput = ();
    type Prediction = ();
}

impl ModelHooks for Line {}

impl CheckpointHooks for Line {}

impl DataHooks for Line {
    const TABLE: DataHooksTable<Self> =
        DataHooksTable { train_dataloader: Some(<Self as DataHooks>::train_dataloader), ..DataHooksTable::NONE };

    fn train_dataloader(&mut self, _: &mut Context<Outside>) -> Result<DataLoader<Self::Batch>> {
        let x = Tensor::linspace(-1.0, 1.0, 8, (Kind::Float, Device::Cpu)).unsqueeze(1);
        let y = &x * 3.0;
        Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(4))
    }
}

impl LightningModule for Line {
    const TABLE: LightningModuleTable<Self> = LightningModuleTable {
        training_step: Some(<Self as LightningModule>::training_step),
        configure_optimizers: Some(<Self as LightningModule>::configure_optimizers),
        ..LightningModuleTable::NONE
    };

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(
        &mut self,
        _: &mut TrainingContext<'_, Self>,
        (x, y): &(Tensor, Tensor),
        _: usize,
    ) -> Result<Tensor> {
        Ok(self.layer.forward(x).mse_loss(y, tch::Reduction::Mean))
    }

    fn configure_optimizers(&mut self, _: &mut Context<Outside>) -> Result<Optimizers> {
        Ok(Sgd::new(0.1).into())
    }
}

impl Trains for Line {}

impl Optimizes for Line {}

#[test]
fn module_of_traits_by_hand_can_be_trained() {
    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
    let mut trainer = Trainer::new(TrainerConfig {
        max_epochs: Some(1),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    });
    trainer.fit(&mut Line { vs, layer }, ()).unwrap();
    assert_eq!(trainer.context().global_step(), 2);
}
