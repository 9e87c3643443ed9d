//! L-BFGS is resumed bit for bit after any batch, by both line searches, in automatic and in manual optimization.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use tch_lightning::optim::{LineSearch, Progress};
use tch_lightning::prelude::*;
use tch_lightning::{
    LightningModule, Loaders,
    callbacks::LambdaCallback,
    checkpoint::SaveRequest,
    module::{Optimizes, Trains},
};

type Rows = (Tensor, Tensor);
type Bits = Vec<u32>;

/// A network of two layers.
struct Network {
    vs: nn::VarStore,
    net: nn::Sequential,
    lbfgs: Lbfgs,
}

impl Network {
    fn new(lbfgs: Lbfgs, shift: f64) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let linear =
            |name: &str, inputs, outputs| nn::linear(vs.root() / name, inputs, outputs, nn::LinearConfig::default());
        let net = nn::seq().add(linear("first", 3, 97)).add_fn(Tensor::tanh).add(linear("second", 97, 1));
        let network = Self { vs, net, lbfgs };
        tch::no_grad(|| {
            for (_, mut tensor) in network.sorted() {
                let places = Tensor::arange(tensor.numel() as i64, (Kind::Float, Device::Cpu));
                tensor.copy_(&(places * 0.31 + shift).sin().view_as(&tensor));
            }
        });
        network
    }

    fn sorted(&self) -> Vec<(String, Tensor)> {
        let mut variables: Vec<_> = self.vs.variables().into_iter().collect();
        variables.sort_by(|(one, _), (other, _)| one.cmp(other));
        variables
    }

    fn bits(&self) -> Bits {
        let tensors = self.sorted().into_iter().map(|(_, tensor)| tensor.detach().flatten(0, -1));
        let all = Tensor::cat(&tensors.collect::<Vec<_>>(), 0);
        Vec::<f32>::try_from(all).unwrap().into_iter().map(f32::to_bits).collect()
    }

    fn loss(&self, (inputs, targets): &Rows) -> Tensor {
        self.net.forward(inputs).mse_loss(targets, tch::Reduction::Mean)
    }
}

trait HasNetwork {
    fn network(&self) -> &Network;
}

struct Automatic(Network);

impl HasNetwork for Automatic {
    fn network(&self) -> &Network {
        &self.0
    }
}

#[lightning_module]
impl Automatic {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&self, batch: &Rows) -> Tensor {
        self.0.loss(batch)
    }

    fn configure_optimizers(&self) -> Lbfgs {
        self.0.lbfgs
    }
}

struct Manual(Network);

impl HasNetwork for Manual {
    fn network(&self) -> &Network {
        &self.0
    }
}

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Result<()> {
        loop {
            let loss = self.0.loss(batch);
            ctx.optimizer(0).zero_grad()?;
            ctx.manual_backward(self, &loss)?;
            if ctx.manual_step_on(self, 0, &loss)? == Progress::Done {
                return Ok(());
            }
        }
    }

    fn configure_optimizers(&self) -> Lbfgs {
        self.0.lbfgs
    }
}

/// Trains up to a number of steps, and saves after each batch where a folder is given. Returns the weights after each batch.
fn train<M>(module: &mut M, steps: usize, save: Option<&Path>, after: Option<&Path>) -> Vec<Bits>
where
    M: LightningModule<Batch = Rows> + Trains + Optimizes + HasNetwork,
{
    let x = Tensor::arange(4 * 23 * 3, (Kind::Float, Device::Cpu)).sin().view([4 * 23, 3]);
    let y = (x.sum_dim_intlist([1i64].as_slice(), true, Kind::Float) * 2.0).sin();
    let loader = DataLoader::new(TensorDataset::new((x, y)).unwrap()).batch_size(23).shuffle(true).seed(3);
    let weights = Rc::new(RefCell::new(Vec::new()));
    let (kept, save) = (Rc::clone(&weights), save.map(Path::to_owned));
    let callback = LambdaCallback::new().on_train_batch_end(move |ctx, module: &mut M, _, _, _| {
        kept.borrow_mut().push(module.network().bits());
        if let Some(folder) = &save {
            let path = folder.join(format!("{}.ckpt", ctx.total_batches()));
            ctx.save_checkpoint(SaveRequest::new(path));
        }
        Ok(())
    });
    let mut trainer = Trainer::new(TrainerConfig {
        max_epochs: Some(-1),
        max_steps: Some(steps as i64),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    })
    .callback(callback);
    if let Some(path) = after {
        trainer = trainer.ckpt_path(path);
    }
    trainer.fit(module, Loaders::train(loader)).unwrap();
    weights.take()
}

const PLACES: usize = 40;
/// How many steps are compared after each place.
const COMPARED: usize = 3;

fn resumes<M>(make: fn(Network) -> M, lbfgs: Lbfgs)
where
    M: LightningModule<Batch = Rows> + Trains + Optimizes + HasNetwork,
{
    let folder = tempfile::tempdir().unwrap();
    let whole = train(&mut make(Network::new(lbfgs, 0.0)), PLACES + COMPARED, Some(folder.path()), None);
    let [before, last] = [&whole[PLACES - 1], &whole[PLACES]];
    assert!(before != last && last.iter().all(|bits| f32::from_bits(*bits).is_finite()), "it still moves");
    let goes_on = |place: usize| {
        let after = folder.path().join(format!("{place}.ckpt"));
        let resumed = train(&mut make(Network::new(lbfgs, 1.0)), place + COMPARED, None, Some(&after));
        resumed == whole[place..place + COMPARED]
    };
    let differ: Vec<usize> = (1..=PLACES).filter(|place| !goes_on(*place)).collect();
    assert!(differ.is_empty(), "{lbfgs:?}: after {differ:?} steps");
}

#[test]
fn lbfgs_with_one_iteration_a_step_is_resumed_bit_for_bit() {
    resumes(Automatic, Lbfgs::new(0.05).max_iter(1));
    resumes(Manual, Lbfgs::new(0.05).max_iter(1));
}

#[test]
fn lbfgs_without_a_line_search_is_resumed_bit_for_bit() {
    resumes(Automatic, Lbfgs::new(0.05).max_iter(5));
    resumes(Manual, Lbfgs::new(0.05).max_iter(5));
}

#[test]
fn lbfgs_with_strong_wolfe_is_resumed_bit_for_bit() {
    let lbfgs = Lbfgs::new(1.0).max_iter(5).line_search(Some(LineSearch::StrongWolfe));
    resumes(Automatic, lbfgs);
    resumes(Manual, lbfgs);
}
