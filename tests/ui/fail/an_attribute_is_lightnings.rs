use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
    /// A field of the user's, with a name of Lightning's
    device: Device,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = self.net.forward(&batch.to_device(self.device)).mean(None);
        if self.current_epoch > 3 {
            ctx.print("late");
        }
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        println!("{} of {}", self.global_step, self.trainer.max_epochs);
        ctx.log("mean", batch.mean(None));
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        self.logger.experiment.add_scalar("mean", batch.mean(None));
        ctx.logger.log_metrics([("mean", batch.mean(None))]);
    }

    fn on_fit_end(&mut self, ctx: &mut Context) {
        let epochs = ctx.trainer.max_epochs;
        println!("{epochs}");
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }

    fn report(&self, ctx: &mut Context) {
        ctx.print(ctx.trainer.callback_metrics);
        self.trainer.should_stop = true;
        println!("{:?}", ctx.trainer().callback_metrics["val_loss"]);
    }

    fn ready(&self) -> bool {
        self.training
    }
}

fn main() {}
