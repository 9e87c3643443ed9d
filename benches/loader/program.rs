//! Reads epochs of a loader for `compare.py`: `loader_speed KIND WORKERS FOLDER`. Prints the samples a second of the fastest as JSON.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use tch_lightning::data::{ImageFolder, ImageTransforms, TokenFile};
use tch_lightning::prelude::*;

const BATCH: usize = 64;
const SAMPLES: usize = 1 << 16;
const EPOCHS: u64 = 5;
/// The tokens of a window.
const CONTEXT: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, workers, folder] = arguments.as_slice() else {
        return Err("KIND WORKERS FOLDER are missing".into());
    };
    let (workers, folder) = (workers.parse()?, Path::new(folder));
    let rate = match kind.as_str() {
        "tensors" => {
            let x = Tensor::randn([SAMPLES as i64, 32], (Kind::Float, Device::Cpu));
            let y = Tensor::zeros([SAMPLES as i64], (Kind::Int64, Device::Cpu));
            rate(DataLoader::with_workers(TensorDataset::new((x, y))?, workers))
        }
        "plain" => {
            let samples: Vec<([f32; 32], i64)> = vec![([0.5; 32], 3); SAMPLES];
            rate(DataLoader::with_workers(samples, workers))
        }
        "computed" => rate(DataLoader::with_workers(Computed, workers)),
        "tokens" => {
            let tokens = TokenFile::<u16>::open(folder.join("tokens.bin"))?;
            rate(DataLoader::with_workers(tokens.windows(CONTEXT)?, workers))
        }
        "images" => {
            let transforms = ImageTransforms::new().resize(256).center_crop(224);
            let images = ImageFolder::new(folder.join("images"))?.transforms(transforms);
            rate(DataLoader::with_workers(images, workers))
        }
        other => Err(format!("there is no kind {other}").into()),
    };
    println!("{{\"samples_per_second\": {:.0}}}", rate?);
    Ok(())
}

/// Samples that take about 20 microseconds each.
#[derive(Clone)]
struct Computed;

impl Dataset for Computed {
    type Sample = ([f32; 32], i64);

    fn len(&self) -> usize {
        SAMPLES / 8
    }

    fn get_item(&self, index: usize) -> Result<([f32; 32], i64)> {
        let wave = |place: usize| (0..64).map(|wave| ((index * place * wave) as f32).sin()).sum();
        Ok((std::array::from_fn(wave), index as i64))
    }
}

/// Returns the samples a second in the best of several epochs. The first, in which workers start, is not counted.
fn rate<B: Batch>(loader: DataLoader<B>) -> Result<f64, Box<dyn Error>> {
    let loader = loader.batch_size(BATCH).shuffle(true).seed(1);
    let samples = loader.dataset_len().unwrap_or_default() as f64;
    let mut best = f64::INFINITY;
    for epoch in 0..=EPOCHS {
        let started = Instant::now();
        for batch in loader.epoch(epoch)? {
            batch?;
        }
        if epoch > 0 {
            best = best.min(started.elapsed().as_secs_f64());
        }
    }
    Ok(samples / best)
}
