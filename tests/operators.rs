//! What a training step asks of libtorch: with its log, and without waiting for a value.

use std::collections::BTreeMap;
use tch_lightning::prelude::*;
use tch_lightning::profiler::count_operators;
use tch_lightning::{Loaders, Trainer, device::Accelerator};

struct Net {
    vs: nn::VarStore,
    layer: nn::Linear,
    logs: bool,
}

impl Net {
    fn new(logs: bool) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 4, 3, nn::LinearConfig::default());
        Self { vs, layer, logs }
    }
}

#[lightning_module]
impl Net {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Tensor {
        let (inputs, labels) = batch;
        let loss = self.layer.forward(inputs).cross_entropy_for_logits(labels);
        if self.logs {
            ctx.log("train_loss", &loss).on_epoch(true).prog_bar();
        }
        loss
    }

    /// libtorch's fused Adam reads its count of steps on the CPU, where that is no wait; SGD has none to read.
    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(1e-3)
    }
}

/// The operators of an epoch of so many batches, whose rows come every `log_every_n_steps` steps.
fn operators(batches: i64, logs: bool, log_every_n_steps: usize) -> BTreeMap<String, i64> {
    let folder = tempfile::tempdir().unwrap();
    let inputs = Tensor::ones([batches * 2, 4], (Kind::Float, Device::Cpu));
    let labels = Tensor::zeros([batches * 2], (Kind::Int64, Device::Cpu));
    let loader = DataLoader::new(TensorDataset::new((inputs, labels)).unwrap()).batch_size(2);
    let mut trainer = Trainer::new(TrainerConfig {
        accelerator: Accelerator::Cpu,
        max_epochs: Some(1),
        log_every_n_steps,
        default_root_dir: folder.path().to_owned(),
        enable_model_summary: false,
        ..TrainerConfig::default()
    });
    let (outcome, counts) = count_operators(|| trainer.fit(&mut Net::new(logs), Loaders::train(loader)));
    outcome.unwrap();
    counts.into_iter().map(|(name, count)| (name, count as i64)).collect()
}

/// What ten more batches cost, apart from what an epoch costs once.
fn operators_of_ten_steps(logs: bool, log_every_n_steps: usize) -> BTreeMap<String, i64> {
    let (fewer, more) = (operators(20, logs, log_every_n_steps), operators(30, logs, log_every_n_steps));
    let more = more.into_iter().map(|(name, count)| (name.clone(), count - fewer.get(&name).copied().unwrap_or(0)));
    more.filter(|(_, count)| *count != 0).collect()
}

#[test]
fn step_does_not_synchronize() {
    let ten = operators_of_ten_steps(true, 1000);
    println!("operators of a training step, log included:");
    for (name, count) in &ten {
        println!("{:6.1}  {name}", *count as f64 / 10.0);
    }
    assert_eq!(ten["aten::_fused_sgd_"], 10, "{ten:?}");
    for wait in ["aten::_local_scalar_dense", "aten::item"] {
        assert_eq!(ten.get(wait), None, "{ten:?}");
    }
}

/// On the CPU a loss is read where it lies.
#[test]
fn logged_values_and_rows_call_no_operator() {
    let unlogged = operators_of_ten_steps(false, 1000);
    assert_eq!(operators_of_ten_steps(true, 1000), unlogged);
    assert_eq!(operators_of_ten_steps(true, 1), unlogged);
}
