use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_epoch_end(&mut self) {}

    fn on_epoch_start(&mut self) {}

    fn on_batch_end(&mut self) {}

    fn on_pretrain_routine_start(&mut self) {}

    fn training_step_end(&mut self) {}

    fn on_train_dataloader(&mut self) {}

    fn on_hpc_load(&mut self) {}

    fn tbptt_split_batch(&mut self) {}

    fn get_progress_bar_dict(&mut self) {}
}

fn main() {}
