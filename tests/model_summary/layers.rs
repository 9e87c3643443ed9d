//! `observe_layers` against the modules of PyTorch, and with operators that are not a layer's own.

use crate::alone;
use serde::Deserialize;
use tch_lightning::prelude::nn::RNN as _;
use tch_lightning::prelude::tch::IndexOp as _;
use tch_lightning::prelude::*;
use tch_lightning::profiler::{LayerCall, count_flops, observe_layers};

/// What `table.py` writes of a network.
#[derive(Deserialize)]
struct Network {
    layers: Vec<Layer>,
    output: Vec<i64>,
    step: u64,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Layer {
    layer: String,
    input: Vec<i64>,
    output: Vec<i64>,
    flops: u64,
}

impl From<LayerCall> for Layer {
    fn from(call: LayerCall) -> Self {
        Self { layer: call.layer, input: call.input, output: call.output.unwrap(), flops: call.flops }
    }
}

fn network(name: &str) -> Network {
    let networks: serde_json::Value = serde_json::from_str(include_str!("table.json")).unwrap();
    Network::deserialize(&networks[name]).unwrap()
}

#[track_caller]
fn assert_as_in_pytorch(name: &str, vs: &nn::VarStore, forward: impl Fn() -> Tensor) {
    let expected = network(name);
    let (output, calls) = observe_layers(vs, &forward);
    assert_eq!(output.size(), expected.output);
    assert_eq!(calls.into_iter().map(Layer::from).collect::<Vec<_>>(), expected.layers);
    let step = || forward().sum(Kind::Float).backward();
    // the backward pass adds neither layers nor calls
    let (((), calls), flops) = count_flops(|| observe_layers(vs, step));
    assert_eq!(calls.into_iter().map(Layer::from).collect::<Vec<_>>(), expected.layers);
    assert_eq!(flops, expected.step);
}

#[test]
fn layers_of_texts_are_those_of_pytorch() {
    let _alone = alone();
    let vs = nn::VarStore::new(Device::Cpu);
    let root = vs.root();
    let embedding = nn::embedding(&root / "embedding", 20, 12, <_>::default());
    let lstm = nn::lstm(&root / "lstm", 12, 8, <_>::default());
    let gru = nn::gru(&root / "gru", 8, 6, <_>::default());
    let norm = nn::layer_norm(&root / "norm", vec![6], <_>::default());
    let head = nn::linear(&root / "head", 6, 3, <_>::default());
    let tokens = Tensor::arange(20, (Kind::Int64, Device::Cpu)).view([4, 5]);
    assert_as_in_pytorch("texts", &vs, || {
        let (states, _) = lstm.seq(&embedding.forward(&tokens));
        let (states, _) = gru.seq(&states);
        head.forward(&norm.forward(&states))
    });
}

#[test]
fn layers_of_images_are_those_of_pytorch() {
    let _alone = alone();
    let vs = nn::VarStore::new(Device::Cpu);
    let root = vs.root();
    let conv = nn::conv2d(&root / "conv", 3, 6, 3, nn::ConvConfig { stride: 2, padding: 1, ..<_>::default() });
    let norm = nn::batch_norm2d(&root / "norm", 6, <_>::default());
    let up = nn::conv_transpose2d(&root / "up", 6, 4, 2, <_>::default());
    let groups = nn::group_norm(&root / "groups", 2, 4, <_>::default());
    let series = nn::conv1d(&root / "series", 4, 5, 3, <_>::default());
    let twice = nn::linear(&root / "twice", 28, 28, <_>::default());
    let images = Tensor::randn([2, 3, 9, 8], (Kind::Float, Device::Cpu));
    assert_as_in_pytorch("images", &vs, || {
        let images = groups.forward(&up.forward(&norm.forward_t(&conv.forward(&images), true).relu()));
        twice.forward(&twice.forward(&series.forward(&images.flatten(2, -1))))
    });
    let (_, calls) = observe_layers(&vs, || {
        let rows = Tensor::zeros([3, 28], (Kind::Float, Device::Cpu));
        (twice.forward(&rows), twice.forward(&rows.i(..2)))
    });
    assert_eq!((calls[0].calls, &calls[0].input, calls[0].flops), (2, &vec![3, 28], 2 * 5 * 28 * 28));
}

/// Returns the path, the input and the output of each layer.
fn shapes(calls: Vec<LayerCall>) -> Vec<(String, Vec<i64>, Option<Vec<i64>>)> {
    calls.into_iter().map(|call| (call.layer, call.input, call.output)).collect()
}

#[test]
fn layers_of_ones_own_are_recognized_by_their_parameters() {
    let _alone = alone();
    let vs = nn::VarStore::new(Device::Cpu);
    let root = vs.root();
    let position = root.zeros("position", &[5, 4]);
    let weight = (&root / "product").randn_standard("weight", &[3, 4]);
    let scale = (&root / "scale").ones("weight", &[3]);
    let token = (&root / "token").zeros("weight", &[1, 1, 3]);
    let _unused = nn::linear(&root / "unused", 2, 2, <_>::default());
    let rows = Tensor::randn([2, 5, 4], (Kind::Float, Device::Cpu));
    let (_, calls) = observe_layers(&vs, || {
        // the penalty takes a parameter alone, which is not a call
        let penalty = weight.square().sum(Kind::Float);
        let product = (&rows + &position).matmul(&weight.tr()) * &scale;
        let tokens = Tensor::cat(&[token.expand([2, 1, 3], false), product], 1);
        let mut scale = tch::no_grad(|| scale.detach());
        scale.copy_(&Tensor::ones([3], (Kind::Float, Device::Cpu)));
        tokens.sum(Kind::Float) + penalty
    });
    let shape = |layer: &str, input: &[i64], output: &[i64]| (layer.to_owned(), input.to_vec(), Some(output.to_vec()));
    assert_eq!(
        shapes(calls),
        [
            shape("", &[2, 5, 4], &[2, 5, 4]),
            shape("product", &[2, 5, 4], &[2, 5, 3]),
            shape("scale", &[2, 5, 3], &[2, 5, 3]),
            shape("token", &[2, 5, 3], &[2, 6, 3]),
        ]
    );
}

#[test]
fn nested_observers_get_all_layers() {
    let _alone = alone();
    let vs = nn::VarStore::new(Device::Cpu);
    let (first, second) = (
        nn::linear(vs.root() / "first", 2, 3, <_>::default()),
        tch::no_grad(|| nn::linear(vs.root() / "second", 3, 1, <_>::default())),
    );
    let rows = Tensor::zeros([7, 2], (Kind::Float, Device::Cpu));
    let ((_, inner), outer) = observe_layers(&vs, || {
        let hidden = first.forward(&rows);
        observe_layers(&vs, || tch::no_grad(|| second.forward(&hidden)))
    });
    let names = |calls: &[LayerCall]| calls.iter().map(|call| call.layer.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&inner), names(&outer)),
        (vec!["second".to_owned()], vec!["first".to_owned(), "second".to_owned()])
    );
    assert_eq!(outer[1], inner[0]);
}

#[test]
fn layer_that_fails_has_an_input_and_no_output() {
    let _alone = alone();
    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root() / "layer", 2, 3, <_>::default());
    let rows = Tensor::zeros([7, 5], (Kind::Float, Device::Cpu));
    let (outcome, calls) = observe_layers(&vs, || rows.f_linear(&layer.ws, layer.bs.as_ref()));
    assert!(outcome.is_err());
    assert_eq!(calls[0].flops, 0);
    assert_eq!(shapes(calls), [("layer".to_owned(), vec![7, 5], None)]);
}
