use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn __init__(&mut self) {}

    fn automatic_optimization(&self) -> bool {
        false
    }

    fn example_input_array(&self) -> Tensor {
        Tensor::from(1.0)
    }

    fn on_validation_epoch_end(&mut self, outputs: &[Tensor]) {
        println!("{}", outputs.len());
    }

    fn validation_step(&mut self, batch: &Tensor, batch_nb: usize) {
        println!("{batch_nb} {}", batch.numel());
    }

    fn on_train_batch_start(&mut self, batch: &Tensor, batch_idx: usize) {
        if batch_idx > 3 && batch.numel() == 0 {
            return -1;
        }
    }

    fn optimizer_step(&mut self, optimizer_idx: usize, optimizer_closure: &mut StepClosure<'_, Self>) {
        println!("{optimizer_idx}");
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn __init__(&mut self) {}
}

fn main() {}
