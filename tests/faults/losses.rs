//! A loss that is NaN or infinite.

use crate::child::{Program, sentence, text};
use tch_lightning::__testing::watch_losses_as_on_a_gpu;
use tch_lightning::prelude::*;
use tch_lightning::profiler::count_operators;
use tch_lightning::{
    Error, callbacks::LambdaCallback, device::Accelerator, loggers::CsvLogger, module::Optimizers,
    trainer::NonFiniteLoss,
};
use tests::faults::{Net, config, nan_at};

fn with(policy: NonFiniteLoss) -> TrainerConfig {
    TrainerConfig { on_non_finite_loss: policy, ..config() }
}

/// Trains, with losses looked at as on the CPU or as on a GPU.
fn fit(net: &mut Net, config: TrainerConfig, on_a_gpu: bool) -> std::result::Result<Trainer<Net>, Error> {
    let switch = LambdaCallback::new().on_fit_start(move |ctx, _: &mut Net| {
        if on_a_gpu {
            watch_losses_as_on_a_gpu(ctx);
        }
        Ok(())
    });
    let mut trainer = Trainer::new(config).callback(switch);
    trainer.fit(net, ())?;
    Ok(trainer)
}

const HELP: &str = ": a lower learning rate, `gradient_clip_val` or `detect_anomaly` may help, and `on_non_finite_loss` can skip \
                    such steps or ignore them";

#[test]
fn run_stops_with_the_weights_of_the_step_before() {
    for on_a_gpu in [false, true] {
        // six batches are an epoch, so that the device is heard of at its end
        let mut net = Net::new(nan_at(&[3, 4]));
        let said = fit(&mut net, config(), on_a_gpu).err().unwrap().to_string();
        assert_eq!(said, format!("the loss was NaN at epoch 0, batch 3{HELP}"));
        let mut good = Net::new(nan_at(&[])).batches(&[0, 1, 2]);
        fit(&mut good, TrainerConfig { max_epochs: Some(1), ..config() }, on_a_gpu).unwrap();
        assert_eq!(net.weights(), good.weights(), "on a GPU: {on_a_gpu}");
    }
}

#[test]
fn loss_without_a_graph_is_explained() {
    let said = fit(&mut Net::new(|_, loss| Ok(loss.detach())), config(), false).err().unwrap().to_string();
    let explanation = "the loss has no graph: compute it from parameters that are not frozen, outside of `tch::no_grad` and without `detach`";
    let is_located = said.starts_with("`backward` failed in `fit` at epoch 0, batch 0: at ");
    assert!(is_located && said.ends_with(&format!(": {explanation}")), "{said}");
}

#[test]
fn first_bad_batch_is_named_when_the_host_waits_for_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let switch = LambdaCallback::new().on_fit_start(|ctx, _: &mut Net| {
        watch_losses_as_on_a_gpu(ctx);
        Ok(())
    });
    let config = TrainerConfig { log_every_n_steps: 2, ..config() };
    let mut trainer = Trainer::new(config).callback(switch).logger(CsvLogger::new(folder.path()));
    let said = trainer
        .fit(&mut Net::new(|ctx, loss| Ok(if ctx.batch_idx() == Some(2) { loss / 0.0 } else { loss })), ())
        .unwrap_err()
        .to_string();
    assert_eq!(said, format!("the loss was inf at epoch 0, batch 2{HELP}"));
    assert_eq!(trainer.context().total_batches(), 4, "the second row is where the host waits");
}

#[test]
fn steps_are_skipped_and_counted() {
    for on_a_gpu in [false, true] {
        for optimizers in [
            Optimizers::from(Sgd::new(0.1).momentum(0.9)),
            Adam::new(0.1).weight_decay(0.1).into(),
            RmsProp::new(0.01).into(),
        ] {
            let mut net = Net::new(nan_at(&[1, 4])).optimizers(optimizers.clone());
            let one_epoch = TrainerConfig { max_epochs: Some(1), ..with(NonFiniteLoss::SkipStep) };
            let trainer = fit(&mut net, one_epoch, on_a_gpu).unwrap();
            assert_eq!(trainer.context().global_step(), 6, "as for a loss of None");
            let mut good = Net::new(nan_at(&[])).batches(&[0, 2, 3, 5]).optimizers(optimizers);
            fit(&mut good, TrainerConfig { max_epochs: Some(1), ..config() }, on_a_gpu).unwrap();
            assert_eq!(net.weights(), good.weights(), "on a GPU: {on_a_gpu}");
        }
    }
}

#[test]
fn bad_batch_spoils_its_accumulation_window() {
    for on_a_gpu in [false, true] {
        let mut net = Net::new(nan_at(&[2]));
        let windows =
            TrainerConfig { max_epochs: Some(1), accumulate_grad_batches: 2, ..with(NonFiniteLoss::SkipStep) };
        fit(&mut net, windows, on_a_gpu).unwrap();
        let mut good = Net::new(nan_at(&[])).batches(&[0, 1, 4, 5]);
        fit(&mut good, TrainerConfig { max_epochs: Some(1), accumulate_grad_batches: 2, ..config() }, on_a_gpu)
            .unwrap();
        assert_eq!(net.weights(), good.weights(), "on a GPU: {on_a_gpu}");
    }
}

#[test]
fn run_can_ignore_a_non_finite_loss_as_lightning_does() {
    let mut net = Net::new(nan_at(&[5]));
    fit(&mut net, with(NonFiniteLoss::Ignore), false).unwrap();
    assert!(net.weights().iter().all(|weight| weight.is_nan()));
}

#[test]
fn l_bfgs_cannot_skip_a_step_but_can_stop() {
    let mut net = Net::new(nan_at(&[1])).optimizers(Lbfgs::new(0.1));
    let said = fit(&mut net, with(NonFiniteLoss::SkipStep), false).err().unwrap().to_string();
    assert_eq!(said, "`on_non_finite_loss` is skip-step, but L-BFGS cannot skip a step: choose stop or ignore");
    for on_a_gpu in [false, true] {
        let mut net = Net::new(nan_at(&[1])).optimizers(Lbfgs::new(0.1));
        let said = fit(&mut net, config(), on_a_gpu).err().unwrap().to_string();
        assert!(said.starts_with("the loss was NaN at epoch 0, batch 1: "), "{said}");
    }
}

#[test]
fn scaler_handles_its_own_infinities() {
    for (on_a_gpu, policy) in
        [(false, NonFiniteLoss::Stop), (true, NonFiniteLoss::Stop), (true, NonFiniteLoss::SkipStep)]
    {
        // losses of 1e36 are finite, and with the first scale of 65536 they are not
        let mut net = Net::new(|_, loss| Ok(loss * 1e36));
        let mixed = TrainerConfig { precision: Precision::Float16Mixed, max_epochs: Some(1), ..with(policy) };
        let trainer = fit(&mut net, mixed, on_a_gpu).unwrap();
        // halved after each of six batches
        let scale = trainer.context().grad_scaler().unwrap().get_scale().double_value(&[]);
        assert_eq!(scale, 1024.0);
        assert_eq!(net.weights(), [0.0; 3]);
    }
}

#[test]
fn finite_loss_calls_no_operator_on_the_cpu() {
    let operators = |policy| {
        let mut net = Net::new(nan_at(&[]));
        let config = TrainerConfig { accelerator: Accelerator::Cpu, ..with(policy) };
        let (outcome, operators) = count_operators(|| fit(&mut net, config, false).map(drop));
        outcome.unwrap();
        operators
    };
    assert_eq!(operators(NonFiniteLoss::Stop), operators(NonFiniteLoss::Ignore));
    assert_eq!(operators(NonFiniteLoss::SkipStep), operators(NonFiniteLoss::Ignore));
}

#[test]
fn device_is_not_synchronized_in_a_step() {
    // of ten more steps, apart from what an epoch costs once
    let waits = |batches: usize, policy| {
        let all: Vec<usize> = (0..batches).map(|batch| batch % 6).collect();
        let mut net = Net::new(nan_at(&[])).batches(&all);
        let config = TrainerConfig { max_epochs: Some(1), ..with(policy) };
        let (outcome, operators) = count_operators(|| fit(&mut net, config, true).map(drop));
        outcome.unwrap();
        ["aten::_local_scalar_dense", "aten::_to_copy"].map(|name| operators.get(name).copied().unwrap_or(0))
    };
    for policy in [NonFiniteLoss::Stop, NonFiniteLoss::SkipStep] {
        assert_eq!(waits(20, policy)[0], waits(10, policy)[0], "{policy:?}");
    }
}

#[test]
fn program_reports_how_many_steps_were_skipped() {
    let program = Program::new();
    let output = program.run("fit --fault nan --width 1 --max-epochs 1 --on-non-finite-loss skip-step");
    let log = text(output.stderr);
    assert!(output.status.success(), "{log}");
    let warning =
        "warning: the loss of 5 batches was NaN or infinite, first at epoch 0, batch 0, and their steps were skipped";
    assert!(log.lines().any(|line| line == warning), "{log}");
    let output = program.run("fit --fault nan --width 1");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(sentence(&text(output.stderr)), format!("the loss was NaN at epoch 0, batch 0{HELP}"));
}

/// Manual optimization of two optimizers over the two parameters.
struct Manual {
    net: Net,
}

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.net.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
        let loss = self.net.layer.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean);
        let loss = (self.net.fault)(ctx, loss)?;
        ctx.optimizer(0).zero_grad()?;
        ctx.manual_backward(self, &loss)?;
        ctx.manual_step(self, 0)?;
        Ok(())
    }

    fn configure_optimizers(&self) -> Optimizers {
        self.net.optimizers.clone()
    }

    fn train_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        self.net.train_dataloader()
    }
}

#[test]
fn manual_optimization_stops_and_skips_as_well() {
    for on_a_gpu in [false, true] {
        let run = |net: Net, policy| {
            let switch = LambdaCallback::new().on_fit_start(move |ctx, _: &mut Manual| {
                if on_a_gpu {
                    watch_losses_as_on_a_gpu(ctx);
                }
                Ok(())
            });
            let mut manual = Manual { net };
            let config = TrainerConfig { max_epochs: Some(1), ..with(policy) };
            let outcome = Trainer::new(config).callback(switch).fit(&mut manual, ());
            (outcome.map_err(|error| error.to_string()), manual.net.weights())
        };
        let momentum = || Sgd::new(0.1).momentum(0.9);
        let good = run(Net::new(nan_at(&[])).batches(&[0, 1, 2]).optimizers(momentum()), NonFiniteLoss::Stop);
        let stopped = run(Net::new(nan_at(&[3])).optimizers(momentum()), NonFiniteLoss::Stop);
        assert_eq!(stopped, (Err(format!("the loss was NaN at epoch 0, batch 3{HELP}")), good.1));
        let good = run(Net::new(nan_at(&[])).batches(&[0, 1, 3, 4, 5]).optimizers(momentum()), NonFiniteLoss::Stop);
        let skipped = run(Net::new(nan_at(&[2])).optimizers(momentum()), NonFiniteLoss::SkipStep);
        assert_eq!(skipped, good, "on a GPU: {on_a_gpu}");
    }
}
