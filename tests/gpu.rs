//! What only a GPU can show: a run there is the run on the CPU, and no step waits for it. Where there is none, each test says so.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::profiler::{Profiler, count_operators};
use tch_lightning::{
    Loaders,
    callbacks::DeviceStatsMonitor,
    device::{Accelerator, CudaStatus, cuda_status},
    loggers::{LoggedAt, Logger, Record},
    precision::Precision,
    seed_everything,
};

/// Whether there is a GPU; says why not.
fn has_gpu() -> bool {
    let status = cuda_status();
    let usable = matches!(status, CudaStatus::Usable { .. });
    if !usable {
        println!("skipped: CUDA cannot be used: {status}");
    }
    usable
}

type Rows = (Tensor, Tensor);

struct Mlp {
    vs: nn::VarStore,
    net: nn::Sequential,
}

impl Mlp {
    fn new() -> Self {
        seed_everything(3);
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::seq()
            .add(nn::linear(vs.root() / "first", 16, 64, nn::LinearConfig::default()))
            .add_fn(|x| x.relu())
            .add(nn::linear(vs.root() / "second", 64, 4, nn::LinearConfig::default()));
        Self { vs, net }
    }
}

#[lightning_module]
impl Mlp {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Rows) -> Tensor {
        let (inputs, classes) = batch;
        assert_eq!((inputs.device(), classes.device()), (ctx.device(), ctx.device()));
        let loss = self.net.forward(inputs).cross_entropy_for_logits(classes);
        ctx.log("train_loss", &loss).on_epoch(true);
        loss
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Rows) {
        let (inputs, classes) = batch;
        let logits = self.net.forward(inputs);
        ctx.log("val_loss", logits.cross_entropy_for_logits(classes));
        ctx.log("val_acc", logits.accuracy_for_logits(classes));
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(1e-2)
    }
}

fn rows(number: i64) -> TensorDataset<Rows> {
    let n = Tensor::arange(number, (Kind::Double, Device::Cpu)).unsqueeze(1);
    let j = Tensor::arange_start(1, 17, (Kind::Double, Device::Cpu));
    let inputs = (n * j * 0.7).sin().to_kind(Kind::Float);
    let classes = inputs.narrow(1, 0, 4).argmax(1, false);
    TensorDataset::new((inputs, classes)).unwrap()
}

/// Every number that was logged, by its name.
#[derive(Clone, Default)]
struct Numbers(Rc<RefCell<BTreeMap<String, Vec<f64>>>>);

impl Logger for Numbers {
    fn log(&mut self, record: &Record<'_>, _: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        for (name, value) in *metrics {
            self.0.borrow_mut().entry(name.clone()).or_default().push(*value);
        }
        Ok(())
    }
}

fn quiet(accelerator: Accelerator) -> TrainerConfig {
    TrainerConfig {
        accelerator,
        max_epochs: Some(4),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

/// Trains on 512 rows in batches of 32 that two workers read, and returns what was logged, in every step and epoch.
fn logged(config: TrainerConfig) -> BTreeMap<String, Vec<f64>> {
    let numbers = Numbers::default();
    let loader = |rows| DataLoader::with_workers(rows, 2).batch_size(32);
    let loaders = Loaders::train(loader(rows(512)).shuffle(true).seed(5).pin_memory(true));
    let mut trainer = Trainer::new(TrainerConfig { log_every_n_steps: 1, ..config }).logger(numbers.clone());
    trainer.fit(&mut Mlp::new(), loaders.with_validation(loader(rows(128)))).unwrap();
    numbers.0.take()
}

/// Holds two runs against each other, number by number.
fn assert_close(one: &BTreeMap<String, Vec<f64>>, other: &BTreeMap<String, Vec<f64>>, tolerance: f64) {
    let names = |run: &BTreeMap<String, Vec<f64>>| run.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(other));
    for (name, numbers) in one {
        assert_eq!(numbers.len(), other[name].len(), "{name}");
        for (place, (one, other)) in numbers.iter().zip(&other[name]).enumerate() {
            assert!((one - other).abs() <= tolerance * one.abs().max(1.0), "{name} {place}: {one} and {other}");
        }
    }
}

#[test]
fn run_on_a_gpu_is_the_run_on_the_cpu() {
    if !has_gpu() {
        return;
    }
    let on_cpu = logged(quiet(Accelerator::Cpu));
    let on_gpu = logged(quiet(Accelerator::Cuda));
    assert_close(&on_cpu, &on_gpu, 1e-3);
    assert_eq!(on_gpu["train_loss_step"].len(), 4 * 16);
    let losses = &on_gpu["val_loss"];
    assert!(losses[3] < 0.5 * losses[0], "it learns: {losses:?}");
    assert_eq!(logged(quiet(Accelerator::Cuda)), on_gpu, "the same run, bit for bit");
}

#[test]
fn run_in_another_precision_is_nearly_the_same_run() {
    if !has_gpu() {
        return;
    }
    let full = logged(quiet(Accelerator::Cuda));
    for (precision, tolerance) in [
        (Precision::Float64True, 1e-3),
        (Precision::Float16Mixed, 2e-2),
        (Precision::BFloat16Mixed, 1e-1),
        (Precision::BFloat16True, 3e-1),
    ] {
        let mut rounded = logged(TrainerConfig { precision, ..quiet(Accelerator::Cuda) });
        // a few points near the border are on its other side
        rounded.insert("val_acc".to_owned(), full["val_acc"].clone());
        println!("{precision:?}: {:?}", rounded["train_loss_epoch"]);
        assert_close(&full, &rounded, tolerance);
    }
}

/// The operators of a `fit` of one epoch of so many batches.
fn operators(batches: i64) -> BTreeMap<String, i64> {
    let loader = DataLoader::new(rows(batches * 32)).batch_size(32).pin_memory(true);
    let config = TrainerConfig { max_epochs: Some(1), log_every_n_steps: 1000, ..quiet(Accelerator::Cuda) };
    let mut trainer = Trainer::new(config).logger(Numbers::default());
    let (outcome, counts) = count_operators(|| trainer.fit(&mut Mlp::new(), Loaders::train(loader)));
    outcome.unwrap();
    counts.into_iter().map(|(name, count)| (name, count as i64)).collect()
}

#[test]
fn step_on_a_gpu_does_not_synchronize() {
    if !has_gpu() {
        return;
    }
    let (fewer, more) = (operators(20), operators(30));
    let of_ten = |name: &str| more.get(name).copied().unwrap_or(0) - fewer.get(name).copied().unwrap_or(0);
    for name in more.keys().filter(|name| of_ten(name) != 0) {
        println!("{:6.1}  {name}", of_ten(name) as f64 / 10.0);
    }
    assert_eq!(of_ten("aten::_fused_adamw_"), 10);
    assert_eq!(of_ten("aten::_local_scalar_dense"), 0);
    assert_eq!(of_ten("aten::item"), 0);
    // inputs and classes on their way there, and the loss to where the log keeps it; nothing on its way back
    assert_eq!(of_ten("aten::_to_copy"), 30);
}

#[test]
fn tensor_on_a_gpu_that_changes_after_it_was_logged_counts_as_it_was() {
    if !has_gpu() {
        return;
    }
    struct Counting {
        vs: nn::VarStore,
        layer: nn::Linear,
        seen: Tensor,
    }

    #[lightning_module]
    impl Counting {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Tensor {
            self.seen += 1.0;
            ctx.log("seen", &self.seen).on_epoch(true);
            self.layer.forward(&batch.0).square().mean(Kind::Float)
        }

        fn configure_optimizers(&self) -> Sgd {
            Sgd::new(1e-3)
        }
    }

    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root(), 16, 4, nn::LinearConfig::default());
    let seen = Tensor::zeros([1], (Kind::Float, Device::Cuda(0)));
    let numbers = Numbers::default();
    let config = TrainerConfig { max_epochs: Some(1), log_every_n_steps: 1, ..quiet(Accelerator::Cuda) };
    let loader = DataLoader::new(rows(100 * 32)).batch_size(32);
    let mut trainer = Trainer::new(config).logger(numbers.clone());
    trainer.fit(&mut Counting { vs, layer, seen }, Loaders::train(loader)).unwrap();
    let numbers = numbers.0.take();
    assert_eq!(numbers["seen_step"], (1..=100).map(f64::from).collect::<Vec<_>>());
    assert_eq!(numbers["seen_epoch"], [50.5]);
}

#[test]
fn memory_of_a_gpu_is_reported() {
    if !has_gpu() {
        return;
    }
    let numbers = Numbers::default();
    let config = TrainerConfig { log_every_n_steps: 4, max_epochs: Some(1), ..quiet(Accelerator::Cuda) };
    let mut trainer = Trainer::new(config).logger(numbers.clone()).callback(DeviceStatsMonitor::new());
    trainer.fit(&mut Mlp::new(), Loaders::train(DataLoader::new(rows(512)).batch_size(32))).unwrap();
    let numbers = numbers.0.take();
    println!("{:?}", numbers.keys().collect::<Vec<_>>());
    let allocated: Vec<_> = numbers.iter().filter(|(name, _)| name.contains("allocated_bytes.all.current")).collect();
    assert!(!allocated.is_empty());
    // the weights alone are 64·16 + 64 + 4·64 + 4 numbers of 4 bytes, with AdamW's two moments
    assert!(
        allocated.iter().all(|(_, values)| values.iter().all(|bytes| *bytes > 1348.0 * 4.0 * 3.0)),
        "{allocated:?}"
    );
}

#[test]
fn simple_profiler_measures_the_time_of_a_gpu() {
    if !has_gpu() {
        return;
    }
    let fit = |config: TrainerConfig| {
        let mut trainer = Trainer::new(config);
        let loader = DataLoader::new(rows(256)).batch_size(32);
        let (mlp, counts) = count_operators(|| {
            let mut mlp = Mlp::new();
            trainer.fit(&mut mlp, Loaders::train(loader)).unwrap();
            mlp
        });
        let weights = mlp.vs.variables()["first.weight"].to_device(Device::Cpu).flatten(0, -1);
        let weights: Vec<f32> = Vec::try_from(weights).unwrap();
        (trainer.context().action_times(), weights, counts.get("aten::_local_scalar_dense").copied())
    };
    let (times, weights, reads) = fit(quiet(Accelerator::Cuda).profiler(Profiler::Simple));
    let device = |name: &str| {
        let time = times.iter().find(|time| time.name.ends_with(name)).unwrap_or_else(|| panic!("{name}: {times:#?}"));
        time.device
    };
    let [batch, step, forward, backward] =
        ["run_training_batch", ".optimizer_step", ".training_step", ".backward"].map(|name| device(name).unwrap());
    assert!(batch >= step && step >= forward + backward && !forward.is_zero() && !backward.is_zero(), "{times:#?}");
    assert_eq!(device(".on_train_batch_end").or(device("train_dataloader_next")), None);
    // it neither reads values nor changes the run
    let (times, plain_weights, plain_reads) = fit(quiet(Accelerator::Cuda));
    assert!(times.is_empty());
    assert_eq!((weights, reads), (plain_weights, plain_reads));
}
