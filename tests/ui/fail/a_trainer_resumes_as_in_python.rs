use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root() / "net", 4, 2, nn::LinearConfig::default());
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1)
    }

    fn configure_optimizers(&mut self) -> Adam {
        Adam::new(1e-3)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        let inputs = Tensor::rand([8, 4], (Kind::Float, Device::Cpu));
        let labels = Tensor::zeros([8], (Kind::Int64, Device::Cpu));
        Ok(DataLoader::new(TensorDataset::new((inputs, labels))?).batch_size(4))
    }
}

fn main() -> Result<()> {
    let mut trainer = Trainer::new(TrainerConfig::default().max_epochs(1)).resume_from_checkpoint("last");
    trainer.fit(&mut Model::new(), ())?;
    Ok(())
}
