//! A complete training step of a 32-64-2 MLP (batch 16, AdamW, one thread), from one batch to the next: in the trainer with its
//! defaults (log, checkpoint, progress bar, summary), and in hand-written loops. On the CPU, and on the GPU if there is one.

use benches::{BATCH, LR, Mlp, Rows, SharedSteps, rows};
use tch_lightning::optim::Optimizer;
use tch_lightning::prelude::tch::data::Iter2;
use tch_lightning::prelude::tch::nn::OptimizerConfig as _;
use tch_lightning::prelude::*;
use tch_lightning::{
    Loaders,
    device::{Accelerator, CudaStatus, cuda_status},
    seed_everything,
};

const ROWS: i64 = 1024;
/// The epochs of a turn, and the turns of each peer. Turns are short, so that peers are compared at about the same time.
const EPOCHS: usize = 5;
const TURNS: usize = 75;

/// `cargo bench --bench training_step -- 3` measures three turns.
fn main() -> Result<()> {
    let (turns, _) = benches::arguments(TURNS)?;
    tch::set_num_threads(1);
    compare("one thread of the CPU", Device::Cpu, turns)?;
    if let CudaStatus::Usable { .. } = cuda_status() {
        compare("one thread and a GPU", Device::Cuda(0), turns)?;
    }
    Ok(())
}

fn compare(with: &str, device: Device, turns: usize) -> Result<()> {
    seed_everything(0);
    let rows = rows(ROWS);
    let peers = [
        Peer::new("by hand, tch's AdamW", fit_by_hand),
        Peer::new("by hand, our AdamW", fit_by_hand_fused),
        Peer::new("our trainer", fit_with_trainer),
    ];
    for turn in 0..turns {
        // each peer is first, second and last equally often
        for place in 0..peers.len() {
            let peer = &peers[(turn + place) % peers.len()];
            (peer.fit)(device, &rows, &peer.steps)?;
            peer.steps.borrow_mut().end_turn();
        }
    }
    let [by_hand, fused, _] = &peers;
    println!("a training step of a 32-64-2 MLP, batch {BATCH}, AdamW, {with}");
    println!("{:22} {:>9} {:>13} {:>13}", "", "median µs", "of tch's loop", "of ours");
    for peer in &peers {
        let steps = peer.steps.borrow();
        let ratio = |other: &Peer| steps.ratio(&other.steps.borrow());
        println!("{:22} {:9.1} {:13.3} {:13.3}", peer.name, steps.median(), ratio(by_hand), ratio(fused));
    }
    Ok(())
}

type Fit = fn(Device, &Rows, &SharedSteps) -> Result<()>;

/// A way to train, with its step times.
struct Peer {
    name: &'static str,
    fit: Fit,
    steps: SharedSteps,
}

impl Peer {
    fn new(name: &'static str, fit: Fit) -> Self {
        Self { name, fit, steps: SharedSteps::default() }
    }
}

fn fit_with_trainer(device: Device, (inputs, classes): &Rows, steps: &SharedSteps) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = TrainerConfig {
        accelerator: if device.is_cuda() { Accelerator::Cuda } else { Accelerator::Cpu },
        max_epochs: i64::try_from(EPOCHS).ok(),
        default_root_dir: folder.path().to_owned(),
        ..TrainerConfig::default()
    };
    let dataset = TensorDataset::new((inputs.shallow_clone(), classes.shallow_clone()))?;
    let loader = DataLoader::new(dataset).batch_size(BATCH).shuffle(true);
    Ok(Trainer::new(config).fit(&mut Mlp::new(Device::Cpu, steps), Loaders::train(loader))?)
}

fn fit_by_hand(device: Device, (inputs, classes): &Rows, steps: &SharedSteps) -> Result<()> {
    let mlp = Mlp::new(device, steps);
    let mut optimizer = nn::AdamW::default().build(&mlp.vs, LR)?;
    for _ in 0..EPOCHS {
        for (inputs, classes) in Iter2::new(inputs, classes, BATCH as i64).shuffle().to_device(device) {
            optimizer.backward_step(&mlp.loss(&inputs, &classes));
        }
    }
    Ok(())
}

fn fit_by_hand_fused(device: Device, (inputs, classes): &Rows, steps: &SharedSteps) -> Result<()> {
    let mlp = Mlp::new(device, steps);
    let mut optimizer = Optimizer::new(AdamW::new(LR), mlp.vs.variables().into_iter().collect())?;
    for _ in 0..EPOCHS {
        for (inputs, classes) in Iter2::new(inputs, classes, BATCH as i64).shuffle().to_device(device) {
            let loss = mlp.loss(&inputs, &classes);
            optimizer.zero_grad()?;
            loss.backward();
            optimizer.step()?;
        }
    }
    Ok(())
}
