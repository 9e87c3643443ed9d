use tch_lightning::prelude::*;
use tch_lightning::serde_json::Value;

struct Counter {
    batches: u64,
}

#[lightning_callback]
impl Counter {
    fn on_train_batch_end(&mut self) {
        self.batches += 1;
    }

    fn state_dict(&self) -> Value {
        self.batches.into()
    }
}

struct Data {
    seen: u64,
}

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0]))?))
    }

    fn load_state_dict(&mut self, state_dict: &Value) {
        self.seen = state_dict.as_u64().unwrap_or_default();
    }
}

fn main() {}
