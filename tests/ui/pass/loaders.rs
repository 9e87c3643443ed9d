//! What the hooks of a data module that load may return.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

type Rows = (Tensor, Tensor);

fn loader() -> Result<DataLoader<Rows>> {
    Ok(DataLoader::new(TensorDataset::new((Tensor::from_slice(&[1.0]), Tensor::from_slice(&[2.0])))?))
}

struct Plain;

#[lightning_datamodule]
impl Plain {
    fn train_dataloader(&mut self) -> DataLoader<Rows> {
        loader().unwrap()
    }

    fn val_dataloader(&mut self) -> Vec<DataLoader<(Tensor, Tensor)>> {
        vec![loader().unwrap()]
    }

    fn test_dataloader(&mut self) -> DataLoaders<Rows> {
        loader().unwrap().into()
    }
}

struct OrError;

#[lightning_datamodule]
impl OrError {
    fn train_dataloader(&mut self, _ctx: &mut Context) -> Result<DataLoader<Rows>> {
        loader()
    }

    fn val_dataloader(&mut self) -> anyhow::Result<Vec<DataLoader<Rows>>> {
        Ok(vec![loader()?, loader()?])
    }

    fn predict_dataloader(&mut self) -> Result<DataLoaders<Rows>> {
        Ok(loader()?.into())
    }
}

#[test]
fn loaders_are_accepted() {
    use tch_lightning::module::DataHooks;
    let plain = [Hook::TrainDataloader, Hook::ValDataloader, Hook::TestDataloader];
    assert_eq!(<Plain as DataHooks>::TABLE.overridden(), plain);
    let or_error = [Hook::TrainDataloader, Hook::ValDataloader, Hook::PredictDataloader];
    assert_eq!(<OrError as DataHooks>::TABLE.overridden(), or_error);
}
