use tch_lightning::loggers::CsvLogger;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn loader() -> Result<DataLoader<Tensor>> {
    Ok(DataLoader::new(TensorDataset::new(Tensor::from(1))?))
}

fn callbacks() {
    let early_stopping = EarlyStopping::new("loss");
    let _ = Model::trainer().callback(&early_stopping);
    let _ = Model::trainer().callback(vec![EarlyStopping::new("loss")]);
    let _ = Model::trainer().callback(CsvLogger::new("logs"));
    let _ = Model::trainer().callbacks((EarlyStopping::new("loss"), "csv"));
    let _ = Model::trainer().max_epochs(3);
}

fn data() -> Result<()> {
    let mut model = Model::new();
    Model::trainer().fit(&mut model, loader()?)?;
    Model::trainer().fit(&mut model, &mut loader()?)?;
    Model::trainer().validate(&mut model, ())?;
    Ok(())
}

fn main() {}
