use tch_lightning::prelude::*;

#[derive(Batch)]
struct Pair {
    images: Tensor,
    labels: Tensor,
}

struct Sliced {
    vs: nn::VarStore,
}

#[lightning_module]
impl Sliced {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &[Tensor]) -> Tensor {
        batch.images.mean(None)
    }

    fn validation_step(&mut self, batch: &Pair) -> Tensor {
        batch.labels.mean(None)
    }
}

struct Borrowing {
    vs: nn::VarStore,
}

#[lightning_module]
impl Borrowing {
    fn parameters(&mut self) -> nn::VarStore {
        self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Result<&Tensor> {
        let loss = batch.mean(None);
        Ok(&loss)
    }

    fn predict_step(&mut self, batch: &Tensor) -> &Tensor {
        batch
    }

    fn configure_optimizers(&mut self) -> &AdamW {
        &AdamW::new(1e-3)
    }

    fn configure_callbacks(&self) -> &ModelCheckpoint {
        &ModelCheckpoint::new()
    }

    fn optimizer_step(&mut self, closure: StepClosure<Self>) {
        closure.run_all();
    }

    fn on_train_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }

    fn onTrainEpochEnd(&mut self) {}

    fn after_validate(&mut self) {}

    fn setup(&mut self, stage: Option<Stage>) {
        println!("{stage}");
    }
}

struct Listing {
    vs: nn::VarStore,
}

#[lightning_module]
impl Listing {
    fn parameters(&mut self) -> Vec<Tensor> {
        self.vs.trainable_variables()
    }
}

fn main() {}
