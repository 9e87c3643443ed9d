//! Trains a multilayer perceptron in two processes for `compare.py`: `ddp_step STEPS WARM_UP WIDTH…`. Rank 0 prints the time of a step and
//! the memory of its process as JSON.

use std::error::Error;
use std::time::Instant;
use tch_lightning::prelude::*;

/// The samples of a batch, in each process.
const BATCH: i64 = 16;

struct Perceptron {
    vs: nn::VarStore,
    layers: Vec<nn::Linear>,
    widths: Vec<i64>,
    steps: usize,
    warm_up: usize,
    started: Option<Instant>,
}

#[lightning_module]
impl Perceptron {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &(Tensor, Tensor)) -> Tensor {
        let (x, labels) = batch;
        let (last, hidden) = self.layers.split_last().expect("there are layers");
        let hidden = hidden.iter().fold(x.shallow_clone(), |x, layer| layer.forward(&x).relu());
        last.forward(&hidden).cross_entropy_for_logits(labels)
    }

    fn train_dataloader(&mut self, ctx: &mut Context) -> Result<DataLoader<(Tensor, Tensor)>> {
        let samples = (self.steps + self.warm_up) as i64 * BATCH * ctx.world_size() as i64;
        let x = Tensor::randn([256, self.widths[0]], (Kind::Float, Device::Cpu));
        let x = x.repeat([samples.div_euclid(256) + 1, 1]).narrow(0, 0, samples);
        let labels = Tensor::zeros([samples], (Kind::Int64, Device::Cpu));
        Ok(DataLoader::new(TensorDataset::new((x, labels))?).batch_size(BATCH as usize))
    }

    fn on_train_batch_start(&mut self, batch_idx: usize) {
        if batch_idx == self.warm_up {
            self.started = Some(Instant::now());
        }
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        let micros = self.started.map_or(0.0, |started| started.elapsed().as_secs_f64() * 1e6) / self.steps as f64;
        if ctx.is_global_zero() {
            println!("{{\"microseconds\": {micros:.1}, \"mebibytes\": {}}}", peak_memory() / 1024);
        }
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(1e-3)
    }
}

/// The largest resident memory of this process so far in KiB, as Linux counts it.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<i64> = std::env::args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let [steps, warm_up, widths @ ..] = numbers.as_slice() else {
        return Err("STEPS WARM_UP WIDTH… are missing".into());
    };
    let vs = nn::VarStore::new(Device::Cpu);
    let layers = widths
        .windows(2)
        .enumerate()
        .map(|(index, widths)| nn::linear(vs.root() / index, widths[0], widths[1], nn::LinearConfig::default()));
    let layers = layers.collect();
    let (steps, warm_up) = (usize::try_from(*steps)?, usize::try_from(*warm_up)?);
    let mut perceptron = Perceptron { vs, layers, widths: widths.to_vec(), steps, warm_up, started: None };
    let config = TrainerConfig::default()
        .devices(2)
        .max_epochs(1)
        .logger(false)
        .enable_checkpointing(false)
        .enable_model_summary(false)
        .enable_progress_bar(false);
    Ok(Trainer::new(config).fit(&mut perceptron, ())?)
}
