use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let mut model = Self { vs: nn::VarStore::new(Device::Cpu) };
        model.save_hyperparameters();
        model.to(Device::Cpu);
        model
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        self.log("train_loss", &loss);
        self.log_dict([("train_loss", &loss)]);
        self.optimizers().zero_grad();
        self.manual_backward(&loss);
        self.print(loss.item());
        self.trainer().should_stop();
        if self.current_epoch() == self.global_step() {
            self.lr_schedulers().step();
        }
        ctx.log_dict([("train_loss", &loss)]);
        println!("{} {:?}", ctx.max_epochs(), ctx.logged_metrics());
        loss
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor) {
        self.eval();
        self.all_gather(batch);
        ctx.experiment().add_image("images", batch);
        ctx.test();
        ctx.datamodule();
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_epoch_end(&mut self, ctx: &mut Context, module: &mut impl LightningModule) {
        module.log("epoch", 1.0);
        self.log("epoch", 1.0);
        ctx.lightning_module();
        ctx.callbacks();
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn setup(&mut self) {
        self.save_hyperparameters();
        self.trainer();
    }
}

fn main() {}
