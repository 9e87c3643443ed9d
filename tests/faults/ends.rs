//! Errors and panics in hooks, workers, callbacks and loggers: each is one sentence that says where, everyone hears of it, and
//! what is asked for is written.

use tch_lightning::data::Dataset;
use tch_lightning::prelude::*;
use tch_lightning::{
    Error, Loaders,
    callbacks::{LambdaCallback, OnExceptionCheckpoint},
    loggers::{LoggedAt, Logger, Record, RunStatus},
};
use tests::faults::{Events, Net, config};

/// A logger that tells what it gets, and panics at a row.
struct Told {
    events: Events,
    panics: bool,
}

impl Logger for Told {
    fn log(&mut self, record: &Record<'_>, _: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(_) = record else { return Ok(()) };
        assert!(!self.panics, "the disk is gone");
        Ok(())
    }

    fn finalize(&mut self, status: RunStatus) -> anyhow::Result<()> {
        self.events.tell(format!("logger: {status:?}"));
        Ok(())
    }
}

/// Fits, and expects an error: its sentence, of which everyone must have heard in Lightning's order, with the checkpoint written.
fn failing(mut net: Net, callback: Option<LambdaCallback<Net>>, panics: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path());
    let (events, told) = (net.events.clone(), net.events.clone());
    let listening = LambdaCallback::new()
        .on_exception(move |_, _: &mut Net, error| {
            told.tell(format!("callback: {error}"));
            Ok(())
        })
        .teardown(|_, _, _| -> Result<()> { panic!("teardown is not called after an error") });
    let mut trainer = Trainer::new(TrainerConfig { log_every_n_steps: 2, ..config() })
        .logger(Told { events: events.clone(), panics })
        .callback(listening)
        .callback(save.clone());
    if let Some(callback) = callback {
        trainer = trainer.callback(callback);
    }
    let said = trainer.fit(&mut net, ()).unwrap_err().to_string();
    assert_eq!(events.all(), [format!("callback: {said}"), format!("module: {said}"), "logger: Failed".to_owned()]);
    Checkpoint::read(&save.ckpt_path()).unwrap();
    said
}

fn at_batch(batch: usize, fault: impl Fn() -> Result<()> + 'static) -> Net {
    Net::new(move |ctx, loss| {
        if (ctx.current_epoch(), ctx.batch_idx()) == (1, Some(batch)) {
            fault()?;
        }
        Ok(loss)
    })
}

#[test]
fn run_that_ends_well_finishes_its_loggers_last() {
    let mut net = Net::new(|_, loss| Ok(loss));
    let events = net.events.clone();
    Trainer::new(config()).logger(Told { events: events.clone(), panics: false }).fit(&mut net, ()).unwrap();
    assert_eq!(events.all(), ["module: teardown", "logger: Success"]);
}

#[test]
fn error_of_a_hook() {
    let said = failing(at_batch(3, || bail!("no labels")), None, false);
    assert_eq!(said, "`training_step` failed in `fit` at epoch 1, batch 3: no labels");
}

#[test]
fn panic_of_a_hook() {
    let said = failing(at_batch(3, || panic!("no labels")), None, false);
    assert!(
        said.starts_with(
            "`training_step` failed in `fit` at epoch 1, batch 3: no labels (panicked at tests/faults/ends.rs:"
        ),
        "{said}"
    );
}

#[test]
fn exception_of_libtorch() {
    let torch = || {
        let _ = Tensor::from_slice(&[1.0, 2.0]) + Tensor::from_slice(&[1.0, 2.0, 3.0]);
        Ok(())
    };
    let said = failing(at_batch(0, torch), None, false);
    let sentence = "`training_step` failed in `fit` at epoch 1, batch 0: The size of tensor a (2) must match the size of tensor b \
                    (3) at non-singleton dimension 0 (panicked at faults/ends.rs:";
    assert!(said.starts_with(sentence), "{said}");
}

#[test]
fn memory_that_is_out() {
    let full = || {
        bail!(
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.15 GiB of which 1.20 GiB is \
             free. Including non-PyTorch memory, this process has 77.94 GiB memory in use."
        )
    };
    let said = failing(at_batch(2, full), None, false);
    assert_eq!(
        said,
        "`training_step` failed in `fit` at epoch 1, batch 2: CUDA out of memory (Tried to allocate 2.00 GiB; GPU 0 has a \
         total capacity of 79.15 GiB of which 1.20 GiB is free): a smaller batch size needs less memory, where \
         `accumulate_grad_batches` makes up for it, and so does `precision` with bf16-mixed or 16-mixed"
    );
}

#[test]
fn memory_of_the_host_that_is_out() {
    let full = || {
        let _ = Tensor::empty([1 << 50], (Kind::Float, Device::Cpu));
        Ok(())
    };
    let said = failing(at_batch(2, full), None, false);
    assert!(said.contains("batch 2: DefaultCPUAllocator: can't allocate memory (you tried to allocate "), "{said}");
    assert!(said.contains("a smaller batch size needs less memory"), "{said}");
}

#[test]
fn panic_of_a_callback() {
    let panicking = LambdaCallback::new().on_train_batch_end(|_, _: &mut Net, _, _, batch_idx| {
        assert_ne!(batch_idx, 4, "no such batch");
        Ok(())
    });
    let said = failing(Net::new(|_, loss| Ok(loss)), Some(panicking), false);
    let sentence = "`on_train_batch_end` of the callback LambdaCallback failed in `fit` at epoch 0, batch 4: ";
    assert!(said.starts_with(sentence) && said.contains("no such batch"), "{said}");
}

#[test]
fn panic_of_on_exception_does_not_skip_the_others() {
    let panicking = LambdaCallback::new().on_exception(|_, _: &mut Net, _| -> Result<()> { panic!("once more") });
    let said = failing(at_batch(1, || bail!("no labels")), Some(panicking), false);
    assert_eq!(said, "`training_step` failed in `fit` at epoch 1, batch 1: no labels");
}

#[test]
fn panic_of_a_logger() {
    let said = failing(Net::new(|_, loss| Ok(loss)), None, true);
    assert!(
        said.starts_with("the logger `Told` failed in `fit` at epoch 0, batch 1: the disk is gone (panicked at "),
        "{said}"
    );
}

/// Numbers, one of which cannot be read.
#[derive(Clone)]
struct Damaged;

impl Dataset for Damaged {
    type Sample = Tensor;

    fn len(&self) -> usize {
        12
    }

    fn get_item(&self, index: usize) -> Result<Tensor> {
        assert_ne!(index, 7, "it is torn");
        Ok(Tensor::from(index as f32).view([1]))
    }
}

struct Sum {
    vs: nn::VarStore,
    weight: Tensor,
    events: Events,
}

#[lightning_module]
impl Sum {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        (batch * &self.weight).mean(Kind::Float)
    }

    fn validation_step(&self, ctx: &mut Context, batch_idx: usize) -> Result<()> {
        if !ctx.sanity_checking() && batch_idx == 1 {
            bail!("no truth");
        }
        Ok(())
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.0)
    }

    fn on_exception(&self, exception: &Error) {
        self.events.tell(exception.to_string());
    }
}

fn sum() -> Sum {
    let vs = nn::VarStore::new(Device::Cpu);
    let weight = vs.root().zeros("weight", &[1]);
    Sum { vs, weight, events: Events::default() }
}

fn whole() -> DataLoader<Tensor> {
    DataLoader::new(TensorDataset::new(Tensor::ones([6, 1], (Kind::Float, Device::Cpu))).unwrap()).batch_size(2)
}

#[test]
fn panic_of_a_worker() {
    for num_workers in [0, 2] {
        let mut sum = sum();
        let loader = DataLoader::with_workers(Damaged, num_workers).batch_size(2);
        let error = anyhow!(Trainer::new(config()).fit(&mut sum, Loaders::train(loader)).unwrap_err());
        let said = format!("{error:#}");
        assert!(
            said.starts_with(
                "the loader of `train_dataloader` failed at epoch 0, batch 3: sample 7 of the dataset could not be read"
            ),
            "{said}"
        );
        assert!(said.contains("it is torn"), "{said}");
        assert_eq!(sum.events.all(), [error.to_string()]);
    }
}

#[test]
fn error_of_the_validation_names_the_epoch_that_it_belongs_to() {
    let mut sum = sum();
    let said =
        Trainer::new(config()).fit(&mut sum, Loaders::train(whole()).with_validation(whole())).unwrap_err().to_string();
    assert_eq!(said, "`validation_step` failed in `fit` at epoch 0, batch 1: no truth");
    assert_eq!(sum.events.all(), [said]);
    // gradients are recorded again for whoever trains next
    assert!((Tensor::ones([1], (Kind::Float, Device::Cpu)).set_requires_grad(true) * 2.0).requires_grad());
}

/// Steps an optimizer that is not there.
struct Absent {
    vs: nn::VarStore,
    weight: Tensor,
}

#[lightning_module(automatic_optimization = false)]
impl Absent {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        let loss = (batch * &self.weight).mean(Kind::Float);
        ctx.manual_backward(self, &loss)?;
        Ok(ctx.manual_step(self, 7)?)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.0)
    }
}

#[test]
fn panic_in_a_manual_step_leaves_the_callbacks() {
    let events = Events::default();
    let told = events.clone();
    let listening = LambdaCallback::new().on_exception(move |_, _: &mut Absent, error| {
        told.tell(error.to_string());
        Ok(())
    });
    let Sum { vs, weight, .. } = sum();
    let mut trainer = Trainer::new(config()).callback(listening);
    let said = trainer.fit(&mut Absent { vs, weight }, Loaders::train(whole())).unwrap_err().to_string();
    assert!(said.starts_with("`training_step` failed in `fit` at epoch 0, batch 0: index out of bounds"), "{said}");
    assert_eq!(events.all(), [said]);
}
