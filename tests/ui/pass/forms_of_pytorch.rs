//! What is written in place of Python's layers and functions, as `macros/src/torch_names.rs` advises. It is compiled, and never run.

use tch_lightning::prelude::*;

fn layers(vs: &nn::VarStore, layer: nn::Linear) {
    let _ = nn::linear(vs.root() / "fc", 784, 10, Default::default());
    let _ = nn::conv1d(vs.root() / "conv", 3, 16, 3, Default::default());
    let _ = nn::conv2d(vs.root() / "conv", 3, 16, 3, Default::default());
    let _ = nn::conv3d(vs.root() / "conv", 3, 16, 3, Default::default());
    let _ = nn::conv_transpose1d(vs.root() / "conv", 16, 3, 3, Default::default());
    let _ = nn::conv_transpose2d(vs.root() / "conv", 16, 3, 3, Default::default());
    let _ = nn::batch_norm1d(vs.root() / "norm", 16, Default::default());
    let _ = nn::batch_norm2d(vs.root() / "norm", 16, Default::default());
    let _ = nn::batch_norm3d(vs.root() / "norm", 16, Default::default());
    let _ = nn::layer_norm(vs.root() / "norm", vec![64], Default::default());
    let _ = nn::group_norm(vs.root() / "norm", 8, 64, Default::default());
    let _ = nn::embedding(vs.root() / "embedding", 1000, 64, Default::default());
    let _ = nn::lstm(vs.root() / "lstm", 64, 128, Default::default());
    let _ = nn::gru(vs.root() / "gru", 64, 128, Default::default());
    let _ = nn::seq_t().add(layer);
    let _ = vs.root().zeros("name", &[64]);
}

fn activations(input: &Tensor, labels: &Tensor) -> Vec<Tensor> {
    vec![
        input.relu(),
        input.elu(),
        input.gelu("none"),
        input.silu(),
        input.leaky_relu(),
        input.sigmoid(),
        input.tanh(),
        input.softmax(-1, Kind::Float),
        input.log_softmax(-1, Kind::Float),
        input.dropout(0.5, is_training()),
        input.flat_view(),
        input.max_pool2d_default(2),
        input.avg_pool2d_default(2),
        input.adaptive_avg_pool2d([1, 1]),
        input.pad([1, 1], "constant", 0.0),
        labels.one_hot(10),
        input.tr(),
        tch::no_grad(|| input.relu()),
    ]
}

fn losses(outputs: &Tensor, labels: &Tensor, targets: &Tensor) -> Vec<Tensor> {
    vec![
        outputs.cross_entropy_for_logits(&labels),
        outputs.nll_loss(&labels),
        outputs.mse_loss(&targets, tch::Reduction::Mean),
        outputs.l1_loss(&targets, tch::Reduction::Mean),
        outputs.smooth_l1_loss(&targets, tch::Reduction::Mean, 1.0),
        outputs.binary_cross_entropy_with_logits::<Tensor>(&targets, None, None, tch::Reduction::Mean),
    ]
}

fn tensors(input: Tensor, outputs: Tensor) -> Vec<Tensor> {
    tch_lightning::seed_everything(42);
    vec![
        Tensor::from_slice(&[1.0, 2.0]),
        Tensor::arange(10, (Kind::Int64, Device::Cpu)),
        Tensor::linspace(0.0, 1.0, 5, (Kind::Float, Device::Cpu)),
        Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)),
        Tensor::ones([2, 3], (Kind::Float, Device::Cpu)),
        Tensor::empty([2, 3], (Kind::Float, Device::Cpu)),
        Tensor::rand([2, 3], (Kind::Float, Device::Cpu)),
        Tensor::randn([2, 3], (Kind::Float, Device::Cpu)),
        Tensor::full([2, 3], 0.5, (Kind::Float, Device::Cpu)),
        Tensor::eye(3, (Kind::Float, Device::Cpu)),
        Tensor::cat(&[&input, &outputs], 0),
        Tensor::stack(&[&input, &outputs], 0),
    ]
}

fn facts(input: &Tensor) {
    let _ = (input.size(), input.kind(), input.dim(), input.device().is_cuda());
    let _ = (tch::Cuda::is_available(), Device::cuda_if_available());
    let _ = [Kind::Float, Kind::Double, Kind::Half, Kind::BFloat16, Kind::Int64, Kind::Bool];
}

fn optimizers() {
    let _ = (Adam::new(1e-3), AdamW::new(1e-3), NAdam::new(1e-3), Sgd::new(0.1));
    let _ = (RmsProp::new(1e-2), Adagrad::new(1e-2), Lbfgs::new(1.0));
}

fn loader(dataset: TensorDataset<Tensor>) -> DataLoader<Tensor> {
    DataLoader::new(dataset).batch_size(32).shuffle(true)
}
