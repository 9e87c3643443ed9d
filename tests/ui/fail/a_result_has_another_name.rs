use tch_lightning::prelude::*;

#[derive(Debug, thiserror::Error)]
#[error("mine")]
struct Mine;
type Fallible<T> = std::result::Result<T, Mine>;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Fallible<Tensor> {
        Ok(batch.mean(None))
    }

    fn validation_step(&mut self, batch: &Tensor) -> Fallible<()> {
        let _ = batch;
        Err(Mine)
    }

    fn predict_step(&mut self, batch: &Tensor) -> Option<Fallible<Tensor>> {
        Some(Ok(batch.mean(None)))
    }

    fn on_fit_start(&mut self) -> Fallible<()> {
        Ok(())
    }
}

fn main() {}
