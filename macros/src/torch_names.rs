//! What PyTorch calls otherwise in Python: layers, functions, optimizers and attributes of tensors, each with its form in tch.
//!
//! `tests/ui/pass/forms_of_pytorch.rs` compiles the forms.

/// A name, and the form to write instead.
type Form = (&'static str, &'static str);

/// Of `torch.nn`.
const LAYERS: [Form; 35] = [
    ("AdaptiveAvgPool2d", "input.adaptive_avg_pool2d([1, 1])"),
    ("AvgPool2d", "input.avg_pool2d_default(2)"),
    ("BCEWithLogitsLoss", BINARY_CROSS_ENTROPY),
    ("BatchNorm1d", "nn::batch_norm1d(vs.root() / \"norm\", 16, Default::default())"),
    ("BatchNorm2d", "nn::batch_norm2d(vs.root() / \"norm\", 16, Default::default())"),
    ("BatchNorm3d", "nn::batch_norm3d(vs.root() / \"norm\", 16, Default::default())"),
    ("Conv1d", "nn::conv1d(vs.root() / \"conv\", 3, 16, 3, Default::default())"),
    ("Conv2d", "nn::conv2d(vs.root() / \"conv\", 3, 16, 3, Default::default())"),
    ("Conv3d", "nn::conv3d(vs.root() / \"conv\", 3, 16, 3, Default::default())"),
    ("ConvTranspose1d", "nn::conv_transpose1d(vs.root() / \"conv\", 16, 3, 3, Default::default())"),
    ("ConvTranspose2d", "nn::conv_transpose2d(vs.root() / \"conv\", 16, 3, 3, Default::default())"),
    ("CrossEntropyLoss", CROSS_ENTROPY),
    ("Dropout", "input.dropout(0.5, is_training())"),
    ("ELU", "input.elu()"),
    ("Embedding", "nn::embedding(vs.root() / \"embedding\", 1000, 64, Default::default())"),
    ("Flatten", "input.flat_view()"),
    ("GELU", "input.gelu(\"none\")"),
    ("GRU", "nn::gru(vs.root() / \"gru\", 64, 128, Default::default())"),
    ("GroupNorm", "nn::group_norm(vs.root() / \"norm\", 8, 64, Default::default())"),
    ("L1Loss", "outputs.l1_loss(&targets, tch::Reduction::Mean)"),
    ("LSTM", "nn::lstm(vs.root() / \"lstm\", 64, 128, Default::default())"),
    ("LayerNorm", "nn::layer_norm(vs.root() / \"norm\", vec![64], Default::default())"),
    ("LeakyReLU", "input.leaky_relu()"),
    ("Linear", "nn::linear(vs.root() / \"fc\", 784, 10, Default::default())"),
    ("MSELoss", "outputs.mse_loss(&targets, tch::Reduction::Mean)"),
    ("MaxPool2d", "input.max_pool2d_default(2)"),
    ("NLLLoss", "outputs.nll_loss(&labels)"),
    ("Parameter", "vs.root().zeros(\"name\", &[64])"),
    ("ReLU", "input.relu()"),
    ("Sequential", "nn::seq_t().add(layer)"),
    ("SiLU", "input.silu()"),
    ("Sigmoid", "input.sigmoid()"),
    ("SmoothL1Loss", "outputs.smooth_l1_loss(&targets, tch::Reduction::Mean, 1.0)"),
    ("Softmax", "input.softmax(-1, Kind::Float)"),
    ("Tanh", "input.tanh()"),
];

/// Of `torch.nn.functional`.
const FUNCTIONAL: [Form; 17] = [
    ("avg_pool2d", "input.avg_pool2d_default(2)"),
    ("binary_cross_entropy_with_logits", BINARY_CROSS_ENTROPY),
    ("cross_entropy", CROSS_ENTROPY),
    ("dropout", "input.dropout(0.5, is_training())"),
    ("gelu", "input.gelu(\"none\")"),
    ("l1_loss", "outputs.l1_loss(&targets, tch::Reduction::Mean)"),
    ("log_softmax", "input.log_softmax(-1, Kind::Float)"),
    ("max_pool2d", "input.max_pool2d_default(2)"),
    ("mse_loss", "outputs.mse_loss(&targets, tch::Reduction::Mean)"),
    ("nll_loss", "outputs.nll_loss(&labels)"),
    ("one_hot", "labels.one_hot(10)"),
    ("pad", "input.pad([1, 1], \"constant\", 0.0)"),
    ("relu", "input.relu()"),
    ("sigmoid", "input.sigmoid()"),
    ("silu", "input.silu()"),
    ("softmax", "input.softmax(-1, Kind::Float)"),
    ("tanh", "input.tanh()"),
];

/// Of `torch.optim`.
const OPTIMIZERS: [Form; 7] = [
    ("Adagrad", "Adagrad::new(1e-2)"),
    ("Adam", "Adam::new(1e-3)"),
    ("AdamW", "AdamW::new(1e-3)"),
    ("LBFGS", "Lbfgs::new(1.0)"),
    ("NAdam", "NAdam::new(1e-3)"),
    ("RMSprop", "RmsProp::new(1e-2)"),
    ("SGD", "Sgd::new(0.1)"),
];

/// Of `torch`.
const FUNCTIONS: [Form; 25] = [
    ("Tensor", "Tensor::from_slice(&[1.0, 2.0])"),
    ("arange", "Tensor::arange(10, (Kind::Int64, Device::Cpu))"),
    ("bfloat16", "Kind::BFloat16"),
    ("bool", "Kind::Bool"),
    ("cat", "Tensor::cat(&[&input, &outputs], 0)"),
    ("cuda", "tch::Cuda::is_available()"),
    ("device", "Device::cuda_if_available()"),
    ("empty", "Tensor::empty([2, 3], (Kind::Float, Device::Cpu))"),
    ("eye", "Tensor::eye(3, (Kind::Float, Device::Cpu))"),
    ("float", "Kind::Float"),
    ("float16", "Kind::Half"),
    ("float32", "Kind::Float"),
    ("float64", "Kind::Double"),
    ("from_numpy", "Tensor::from_slice(&[1.0, 2.0])"),
    ("full", "Tensor::full([2, 3], 0.5, (Kind::Float, Device::Cpu))"),
    ("int64", "Kind::Int64"),
    ("linspace", "Tensor::linspace(0.0, 1.0, 5, (Kind::Float, Device::Cpu))"),
    ("long", "Kind::Int64"),
    ("manual_seed", "tch_lightning::seed_everything(42)"),
    ("ones", "Tensor::ones([2, 3], (Kind::Float, Device::Cpu))"),
    ("rand", "Tensor::rand([2, 3], (Kind::Float, Device::Cpu))"),
    ("randn", "Tensor::randn([2, 3], (Kind::Float, Device::Cpu))"),
    ("stack", "Tensor::stack(&[&input, &outputs], 0)"),
    ("tensor", "Tensor::from_slice(&[1.0, 2.0])"),
    ("zeros", "Tensor::zeros([2, 3], (Kind::Float, Device::Cpu))"),
];

/// Attributes of a tensor.
const ATTRIBUTES: [Form; 5] = [
    ("T", "input.tr()"),
    ("dtype", "input.kind()"),
    ("is_cuda", "input.device().is_cuda()"),
    ("ndim", "input.dim()"),
    ("shape", "input.size()"),
];

const CROSS_ENTROPY: &str = "outputs.cross_entropy_for_logits(&labels)";

const BINARY_CROSS_ENTROPY: &str =
    "outputs.binary_cross_entropy_with_logits::<Tensor>(&targets, None, None, tch::Reduction::Mean)";

fn find(forms: &[Form], name: &str) -> Option<&'static str> {
    forms.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
}

/// Returns the form of a name in `torch.nn`, such as `Linear`.
pub(crate) fn layer(name: &str) -> Option<&'static str> {
    find(&LAYERS, name)
}

/// Returns the form of a function of `tch::nn` that makes a layer, such as `linear`.
pub(crate) fn layer_function(name: &str) -> Option<&'static str> {
    let call = format!("nn::{name}(vs");
    LAYERS.iter().map(|(_, form)| *form).find(|form| form.starts_with(&call))
}

/// Returns the form of what Python writes as a call of a layer of this type of tch.
pub(crate) fn call_of(ty: &str) -> Option<&'static str> {
    Some(match ty {
        "Conv" | "Conv1D" | "Conv2D" | "Conv3D" | "ConvTranspose1D" | "ConvTranspose2D" | "ConvTranspose3D" => {
            "forward(input)"
        }
        "Embedding" | "GroupNorm" | "LayerNorm" | "Linear" | "Sequential" => "forward(input)",
        "BatchNorm" | "SequentialT" => "forward_t(input, is_training())",
        "GRU" | "LSTM" => "seq(input)",
        _ => return None,
    })
}

/// Returns the form of an optimizer of `torch.optim`.
pub(crate) fn optimizer(name: &str) -> Option<&'static str> {
    find(&OPTIMIZERS, name)
}

/// Returns the form of a function of `torch.nn.functional`.
pub(crate) fn functional(name: &str) -> String {
    find(&FUNCTIONAL, name).map_or_else(|| of_tensors(name), str::to_owned)
}

/// Returns the form of a path in `torch`, such as `no_grad` or `optim.Adam`.
pub(crate) fn function(path: &[String]) -> Option<String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let owned = |form: &str| form.to_owned();
    match path.as_slice() {
        ["no_grad" | "inference_mode", ..] => Some(owned(NO_GRAD)),
        ["optim", name, ..] => optimizer(name).map(owned),
        ["nn", "functional", name, ..] => Some(functional(name)),
        ["nn", name, ..] => layer(name).map(owned),
        ["utils", "data", ..] => Some(owned(LOADER)),
        [name, ..] => Some(find(&FUNCTIONS, name).map_or_else(|| of_tensors(name), owned)),
        [] => None,
    }
}

const NO_GRAD: &str = "tch::no_grad(|| input.relu())";

const LOADER: &str = "DataLoader::new(dataset).batch_size(32).shuffle(true)";

/// Most other functions are methods of a tensor.
fn of_tensors(name: &str) -> String {
    format!("input.{name}(…)")
}

/// Returns the form of an attribute of this tensor.
pub(crate) fn attribute(tensor: &str, name: &str) -> Option<String> {
    find(&ATTRIBUTES, name).map(|form| form.replace("input", tensor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn forms_are_compiled() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/pass/forms_of_pytorch.rs");
        let program = fs::read_to_string(file).unwrap();
        let tables = [&LAYERS[..], &FUNCTIONAL, &OPTIMIZERS, &FUNCTIONS, &ATTRIBUTES];
        let forms = tables.into_iter().flatten().map(|(_, form)| *form).chain([NO_GRAD, LOADER]);
        let missing: Vec<&str> = forms.filter(|form| !program.contains(form)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
