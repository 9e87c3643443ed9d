//! A data module has the hooks around its loaders, parameters of its own, and state.

use tch_lightning::prelude::*;

#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
struct Hparams {
    /// Rows in a batch
    #[arg(long, default_value_t = 4)]
    batch_size: usize,
}

struct Data {
    hparams: Hparams,
    rows: Option<Tensor>,
}

#[lightning_datamodule]
impl Data {
    fn new(hparams: Hparams) -> Self {
        Self { hparams, rows: None }
    }

    fn prepare_data(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(std::env::temp_dir())
    }

    fn setup(&mut self, stage: Stage) {
        println!("{stage}");
        self.rows = Some(Tensor::zeros([8, 2], (Kind::Float, Device::Cpu)));
    }

    fn teardown(&mut self, _stage: Stage) {
        self.rows = None;
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        let rows = self.rows.as_ref().ok_or_else(|| anyhow!("no rows"))?;
        Ok(DataLoader::new(TensorDataset::new(rows.shallow_clone())?).batch_size(self.hparams.batch_size))
    }

    fn on_before_batch_transfer(&mut self, batch: Tensor, dataloader_idx: usize) -> Tensor {
        println!("a batch of loader {dataloader_idx}");
        batch
    }

    fn transfer_batch_to_device(&mut self, device: Device, batch: Tensor) -> Result<Tensor, tch::TchError> {
        batch.f_to_device(device)
    }

    fn on_after_batch_transfer(&mut self, batch: Tensor) -> Tensor {
        batch + 1.0
    }

    fn rows(&self) -> usize {
        self.hparams.batch_size
    }
}

#[test]
fn data_module_is_implemented() {
    use tch_lightning::module::{DataHooks, FromHparams};
    assert_eq!(<Data as DataHooks>::TABLE.overridden().len(), 7);
    assert_eq!(Data::from_hparams(Hparams { batch_size: 2 }).unwrap().rows(), 2);
}
