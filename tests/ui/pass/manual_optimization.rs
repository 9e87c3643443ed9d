//! A module that steps two optimizers by itself: one for each of its halves, each with its own backward pass.

use tch_lightning::RunContext;
use tch_lightning::context::phase::Step;
use tch_lightning::module::TrainingContext;
use tch_lightning::prelude::*;

struct Pair {
    vs: nn::VarStore,
    first: nn::Linear,
    second: nn::Linear,
}

#[lightning_module(automatic_optimization = false)]
impl Pair {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        for optimizer in 0..2 {
            ctx.toggle_optimizer(optimizer);
            let loss = (self.first.forward(batch) + self.second.forward(batch)).square().mean(None);
            ctx.optimizer(optimizer).zero_grad()?;
            ctx.manual_backward(self, &loss)?;
            ctx.manual_step(self, optimizer)?;
            ctx.untoggle_optimizer();
        }
        Ok(())
    }

    fn configure_optimizers(&self) -> (Sgd, AdamW) {
        (Sgd::new(0.1), AdamW::new(1e-3))
    }

    fn on_before_optimizer_step(&mut self, _optimizer: OptimizerIndex) {}
}

/// What looks like a pass or a step of the module's own, and is none.
struct Attacking(Pair);

/// A clock of the user's own, which has a `step`.
struct Clock(usize);

impl Clock {
    fn step(&mut self) {
        self.0 += 1;
    }
}

#[lightning_module(automatic_optimization = false)]
impl Attacking {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        let opt = ctx.optimizer(0);
        opt.zero_grad()?;
        opt.set_lr(0.1);
        let lr = ctx.optimizer(0).lr();
        let mut opt = Clock(0);
        opt.step();
        let input = batch.detach().set_requires_grad(true);
        input.square().sum(None).backward();
        let loss = (input.grad() * lr + self.0.first.forward(batch)).mean(None);
        ctx.manual_backward(self, &loss)?;
        ctx.no_sync(|ctx| ctx.manual_backward(self, &self.0.second.forward(batch).mean(None)))?;
        if opt.0 > 1 {
            let opt = ctx.optimizer(0);
            opt.zero_grad()?;
        } else {
            ctx.optimizer(0).set_lr(0.1);
        }
        Ok(ctx.manual_step(self, 0)?)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Written {
    vs: nn::VarStore,
}

/// The types under which `training_step` can take its context.
macro_rules! written_as {
    ($($name:ident: $context:ty;)*) => {$(
        mod $name {
            use super::*;

            pub struct Model(pub Written);

            #[lightning_module(automatic_optimization = false)]
            impl Model {
                fn parameters(&mut self) -> &mut nn::VarStore {
                    &mut self.0.vs
                }

                fn training_step(&mut self, ctx: $context, _batch: &Tensor) {
                    assert_eq!(ctx.global_step(), 0);
                }

                fn configure_optimizers(&self) -> Optimizers {
                    Optimizers::default()
                }
            }
        }
    )*};
}

written_as! {
    of_a_step: &mut Context<Step>;
    shared: &Context;
    under_its_own_name: &mut TrainingContext<'_, Self>;
    of_the_run: &RunContext;
}

fn main() {
    let vs = nn::VarStore::new(Device::Cpu);
    let linear = |name| nn::linear(vs.root() / name, 2, 1, nn::LinearConfig::default());
    let (first, second) = (linear("first"), linear("second"));
    let mut pair = Pair { vs, first, second };
    let data = Tensor::ones([6, 2], (Kind::Float, Device::Cpu));
    let loader = DataLoader::new(TensorDataset::new(data).unwrap()).batch_size(2);
    let config =
        TrainerConfig { max_epochs: Some(1), logger: false.into(), enable_checkpointing: false, ..Default::default() };
    let mut trainer = Trainer::new(config);
    trainer.fit(&mut pair, tch_lightning::Loaders::train(loader)).unwrap();
    // three batches, each with a step of both optimizers
    assert_eq!(trainer.context().global_step(), 6);
    assert_eq!(trainer.context().optimizers()[1].steps(), 3);

    let written = || Written { vs: nn::VarStore::new(Device::Cpu) };
    let _ = (of_a_step::Model(written()), shared::Model(written()));
    let _ = (under_its_own_name::Model(written()), of_the_run::Model(written()));
}
