use tch_lightning::prelude::*;

macro_rules! models {
    ($($name:ident)*) => {$(
        struct $name {
            vs: nn::VarStore,
        }
    )*};
}

models!(Itself WithoutForward Base Hook Calls Tuple Cloned Texts);

struct Layers {
    vs: nn::VarStore,
    net: nn::Linear,
    body: nn::SequentialT,
    memory: nn::LSTM,
}

struct Manual {
    vs: nn::VarStore,
}

#[lightning_module]
impl Itself {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        input.relu()
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        let logits = self(batch);
        logits.mean(None)
    }
}

#[lightning_module]
impl WithoutForward {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self(batch).mean(None)
    }
}

#[lightning_module]
impl Base {
    fn new() -> Self {
        super().__init__();
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

#[lightning_module]
impl Hook {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_start(&mut self) {
        super::on_train_start();
    }

    fn on_train_end(&mut self) {
        super().on_train_end();
    }
}

#[lightning_module]
impl Manual {
    fn new() -> Self {
        let mut this = Self { vs: nn::VarStore::new(Device::Cpu) };
        this.automatic_optimization = false;
        this
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_start(&mut self) {
        self.automatic_optimization = false;
    }
}

#[lightning_module]
impl Calls {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let loss = batch.mean(None);
        ctx.log("loss", &loss, true);
        ctx.log("loss", &loss)?;
        ctx.log("loss", &loss).prog_bar()?;
        Ok(loss)
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        ctx.print("epoch {} over", ctx.current_epoch());
        let epoch = ctx.current_epoch();
        ctx.print("epoch {epoch} over");
        if ctx.rank() == 0 {
            ctx.print("over");
        }
        let noise = ctx.broadcast(Tensor::randn([4], (Kind::Float, Device::Cpu)))?;
        println!("{noise}");
        Ok(())
    }
}

#[lightning_module]
impl Tuple {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        batch[0].mse_loss(&batch.1, tch::Reduction::Mean)
    }
}

#[lightning_module]
impl Cloned {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Tensor {
        let loss = batch.0.cross_entropy_for_logits(&batch.1);
        ctx.log("loss", loss.clone());
        loss
    }
}

#[lightning_module]
impl Texts {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        ctx.log("loss", batch).reduce("mean");
        batch.mean(None)
    }

    fn configure_optimizers(&self) -> ScheduledOptimizer {
        AdamW::new(1e-3).lr_scheduler(LrSchedulerConfig::from(StepLr::new(10)).interval("step"))
    }

    fn configure_callbacks(&self) -> (EarlyStopping,) {
        (EarlyStopping { monitor: "val_loss".into(), patience: 3, ..Default::default() },)
    }
}

#[lightning_module]
impl Layers {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        let hidden = self.net(batch);
        let outputs = self.body(&hidden.relu());
        self.memory(outputs).0.mean(None)
    }

    fn validation_step(&mut self, batch: &Tensor) {
        self.log("val_loss", batch, true);
        self.log_dict([("norm", batch)]);
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log_dict([("norm", batch)]);
    }
}

fn main() {}
