//! The observation of a training run's first step.

use crate::alone;
use tch_lightning::callbacks::{ModelSummary, ThroughputMonitor};
use tch_lightning::device::Accelerator;
use tch_lightning::prelude::*;
use tch_lightning::profiler::LayerCall;
use tch_lightning::seed_everything;

type Rows = (Tensor, Tensor);

/// A network with dropout and the statistics of batch normalization, whose weights would show any difference.
struct Net {
    vs: nn::VarStore,
    conv: nn::Conv2D,
    norm: nn::BatchNorm,
    fc: nn::Linear,
}

impl Net {
    /// `inputs` are those of the last layer, which takes 64.
    fn new(inputs: i64) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let conv = nn::conv2d(&root / "conv", 1, 4, 3, nn::ConvConfig::default());
        let norm = nn::batch_norm2d(&root / "norm", 4, nn::BatchNormConfig::default());
        let fc = nn::linear(&root / "fc", inputs, 2, nn::LinearConfig::default());
        Self { vs, conv, norm, fc }
    }
}

#[lightning_module]
impl Net {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Result<Tensor> {
        let images = self.norm.forward_t(&self.conv.forward(&batch.0), is_training()).relu().dropout(0.5, true);
        let logits = images.flatten(1, -1).f_linear(&self.fc.ws, self.fc.bs.as_ref())?;
        Ok(logits.cross_entropy_for_logits(&batch.1))
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(0.01)
    }

    /// Three batches of eight images.
    fn train_dataloader(&self) -> Result<DataLoader<Rows>> {
        let images = Tensor::linspace(-1.0, 1.0, 24 * 36, (Kind::Float, Device::Cpu)).view([24, 1, 6, 6]);
        let classes = Tensor::arange(24, (Kind::Int64, Device::Cpu)).remainder(2);
        Ok(DataLoader::new(TensorDataset::new((images, classes))?).batch_size(8).shuffle(true))
    }
}

fn config() -> TrainerConfig {
    TrainerConfig::default()
        .accelerator(Accelerator::Cpu)
        .max_epochs(2)
        .logger(false)
        .enable_checkpointing(false)
        .enable_progress_bar(false)
}

/// Returns a trainer that has trained a new network.
fn trained(config: TrainerConfig) -> (Trainer<Net>, Net) {
    seed_everything(3);
    let (mut trainer, mut net) = (Trainer::new(config), Net::new(64));
    trainer.fit(&mut net, ()).unwrap();
    (trainer, net)
}

// 2 operations for each element of the output and each input of it
const CONV: u64 = 2 * (8 * 4 * 4 * 4) * (3 * 3);
const FC: u64 = 2 * (8 * 2) * 64;

#[test]
fn first_step_is_observed_with_its_backward_pass() {
    let _alone = alone();
    let (trainer, _) = trained(config());
    let step = trainer.context().observed_step().unwrap();
    assert_eq!((step.samples, step.has_failed), (Some(8), false));
    // the gradients of both weights, and of the second layer's input
    assert_eq!(step.flops, 2 * CONV + 3 * FC);
    let expected = [
        ("conv", vec![8, 1, 6, 6], vec![8, 4, 4, 4], CONV),
        ("norm", vec![8, 4, 4, 4], vec![8, 4, 4, 4], 0),
        ("fc", vec![8, 64], vec![8, 2], FC),
    ];
    assert_eq!(step.layers.len(), expected.len());
    for (call, (layer, input, output, flops)) in step.layers.iter().zip(expected) {
        let LayerCall { layer: name, input: own_input, output: own_output, flops: own_flops, calls, .. } = call;
        assert_eq!((name.as_str(), own_input, own_output, own_flops), (layer, &input, &Some(output), &flops));
        assert_eq!(*calls, 1);
    }
}

#[test]
fn observation_does_not_change_the_run() {
    let _alone = alone();
    let weights = |(_, net): (Trainer<Net>, Net)| {
        let mut variables: Vec<(String, Tensor)> = net.vs.variables().into_iter().collect();
        variables.sort_by(|(one, _), (other, _)| one.cmp(other));
        variables
    };
    let with = weights(trained(config()));
    assert_eq!(with.len(), 8);
    assert_eq!(with, weights(trained(config().enable_model_summary(false))));
}

#[test]
fn layers_under_autocast_are_recognized() {
    let _alone = alone();
    let (trainer, _) = trained(config().precision("bf16-mixed".parse::<Precision>().unwrap()));
    let layers = &trainer.context().observed_step().unwrap().layers;
    let names: Vec<&str> = layers.iter().map(|call| call.layer.as_str()).collect();
    assert_eq!(names, ["conv", "norm", "fc"]);
    assert_eq!(layers[2].flops, FC);
}

#[test]
fn step_is_observed_once_and_only_if_requested() {
    let _alone = alone();
    let (trainer, _) = trained(config().enable_model_summary(false));
    assert!(trainer.context().observed_step().is_none());
    // the trainer does not add a summary to the user's own
    let mut trainer = Trainer::new(config()).callback(ModelSummary::new().observe_first_batch(false));
    trainer.fit(&mut Net::new(64), ()).unwrap();
    assert!(trainer.context().observed_step().is_none());
    let monitor = ThroughputMonitor::<Rows>::new().measure_flops(true);
    let mut trainer = Trainer::new(config().enable_model_summary(false)).callback(monitor);
    trainer.fit(&mut Net::new(64), ()).unwrap();
    assert_eq!(trainer.context().observed_step().unwrap().flops, 2 * CONV + 3 * FC);
}

#[test]
fn step_that_fails_is_observed_until_the_layer_that_failed() {
    let _alone = alone();
    let mut trainer = Trainer::new(config());
    trainer.fit(&mut Net::new(60), ()).unwrap_err();
    let step = trainer.context().observed_step().unwrap();
    assert!(step.has_failed);
    assert_eq!(step.layer("fc").map(|call| (call.input.clone(), call.output.clone())), Some((vec![8, 64], None)));
    assert_eq!(step.layer("conv").unwrap().output, Some(vec![8, 4, 4, 4]));
}
