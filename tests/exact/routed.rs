//! Several algorithms in one optimizer of automatic optimization.

use crate::slope::{after, alone, config, saves};
use tch_lightning::checkpoint::Checkpoint;
use tch_lightning::prelude::*;

/// A network whose matrices are updated by Muon and whose biases by AdamW, at rates that halve after each step.
struct Routed {
    vs: nn::VarStore,
    net: nn::Sequential,
}

impl Routed {
    fn new() -> Self {
        let mut vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let net = nn::seq()
            .add(nn::linear(&root / "hidden", 3, 4, <_>::default()))
            .add_fn(|x| x.tanh())
            .add(nn::linear(&root / "head", 4, 2, <_>::default()));
        tch::no_grad(|| {
            for (_, mut variable) in vs.variables() {
                let values = Tensor::arange(variable.numel() as i64, (Kind::Float, Device::Cpu)).sin();
                variable.copy_(&values.view_as(&variable));
            }
        });
        vs.set_kind(Kind::Float);
        Self { vs, net }
    }

    fn values(&self) -> Vec<f32> {
        let mut variables: Vec<_> = self.vs.variables().into_iter().collect();
        variables.sort_by(|(one, _), (other, _)| one.cmp(other));
        variables.iter().flat_map(|(_, tensor)| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap()).collect()
    }
}

#[lightning_module]
impl Routed {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> ScheduledOptimizer {
        let groups = ParameterGroups::new(AdamW::new(0.1)).route("**.weight", Muon::new(0.2));
        let halves = LrSchedulerConfig::from(ExponentialLr::new(0.5)).interval(Interval::Step);
        groups.lr_scheduler(halves)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        let rows = Tensor::arange(12, (Kind::Float, Device::Cpu)).cos().view([4, 3]);
        Ok(DataLoader::new(TensorDataset::new(rows)?))
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let rates: Vec<f64> = ctx.optimizers()[0].groups().iter().map(|group| group.lr()).collect();
        let scale = 0.5f64.powi(ctx.global_step() as i32);
        assert_eq!(rates, [0.1 * scale, 0.2 * scale]);
        self.net.forward(batch).square().mean(Kind::Float)
    }
}

#[test]
fn run_with_routed_groups_resumes_bit_for_bit() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut whole = Routed::new();
    let start = whole.values();
    Trainer::new(config(2)).callback(saves(folder.path())).fit(&mut whole, ()).unwrap();
    assert!(whole.values().iter().zip(&start).all(|(after, before)| after != before));

    let checkpoint = Checkpoint::read(&after(folder.path(), 3)).unwrap();
    assert_eq!(checkpoint.metadata.optimizers.len(), 1);
    let names: Vec<&str> = checkpoint.metadata.optimizers[0].groups.iter().map(|group| group.name()).collect();
    assert_eq!(names, ["AdamW", "Muon"]);
    assert!(checkpoint.tensors.contains_key("optimizer.0.hidden.weight.momentum_buffer"));
    assert!(checkpoint.tensors.contains_key("optimizer.0.hidden.bias.exp_avg"));

    for batches in [1, 3, 4, 6] {
        let mut resumed = Routed::new();
        Trainer::new(config(2)).ckpt_path(after(folder.path(), batches)).fit(&mut resumed, ()).unwrap();
        assert_eq!(resumed.values(), whole.values(), "after {batches} batches");
    }
}
