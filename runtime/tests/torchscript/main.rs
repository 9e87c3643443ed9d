//! TorchScript: modules that are traced, and a scripted model of Python's that is trained. `body.py` made the model.
#![allow(missing_docs)]

mod predictions;
mod warnings;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use tch::{CModule, IValue, TrainableCModule};
use tch_lightning::prelude::*;
use tch_lightning::torchscript::{self, TorchScriptError};

/// A head on a scripted body.
struct OnBody {
    vs: nn::VarStore,
    body: TrainableCModule,
    head: nn::Linear,
    losses: Vec<f64>,
}

#[lightning_module]
impl OnBody {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Result<Tensor> {
        let target = batch.sum_dim_intlist(1, true, Kind::Float);
        let loss = (self.forward(batch)? - target).square().mean(Kind::Float);
        self.losses.push(loss.double_value(&[]));
        Ok(loss)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1).momentum(0.9)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        let numbers = Tensor::arange(6, (Kind::Float, Device::Cpu));
        let batches: Vec<Tensor> = (0..4).map(|step| ((&numbers + 7 * step) * 1.3).sin().view([2, 3])).collect();
        Ok(DataLoader::new(TensorDataset::new(Tensor::cat(&batches, 0))?).batch_size(2))
    }

    fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        Ok(self.head.forward(&self.body.forward_ts(&[inputs])?))
    }
}

impl OnBody {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torchscript");
        let vs = nn::VarStore::new(Device::Cpu);
        let body = TrainableCModule::load(folder.join("body.pt"), vs.root() / "body").unwrap();
        let mut head = nn::linear(vs.root() / "head", 2, 1, nn::LinearConfig::default());
        tch::no_grad(|| {
            head.ws.copy_(&Tensor::from_slice2(&[[0.5f32, -0.25]]));
            let _ = head.bs.as_mut().map(|bias| bias.zero_());
        });
        Self { vs, body, head, losses: Vec::new() }
    }
}

#[derive(Deserialize)]
struct Expected {
    losses: Vec<f64>,
    values: BTreeMap<String, Vec<f64>>,
}

fn config() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(1),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

#[track_caller]
fn assert_close(name: &str, found: &[f64], expected: &[f64]) {
    let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
    assert!(close && found.len() == expected.len(), "{name}: {found:?} is not {expected:?}");
}

#[test]
fn scripted_body_is_trained_as_in_pytorch() {
    let expected: Expected = serde_json::from_str(include_str!("body.json")).unwrap();
    let mut model = OnBody::new();
    Trainer::new(config()).fit(&mut model, ()).unwrap();
    assert_close("losses", &model.losses, &expected.losses);
    let variables = model.vs.variables();
    assert_eq!(variables.len(), expected.values.len());
    for (name, values) in &expected.values {
        let found = Vec::<f64>::try_from(variables[name].detach().to_kind(Kind::Double).flatten(0, -1)).unwrap();
        assert_close(name, &found, values);
    }
}

struct Net {
    vs: nn::VarStore,
    net: nn::SequentialT,
    frozen: Tensor,
}

impl Net {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let net = nn::seq_t()
            .add(nn::linear(&root / "fc1", 3, 8, nn::LinearConfig::default()))
            .add(nn::batch_norm1d(&root / "norm", 8, nn::BatchNormConfig::default()))
            .add_fn_t(|x, train| x.relu().dropout(0.5, train))
            .add(nn::linear(&root / "fc2", 8, 2, nn::LinearConfig::default()));
        let frozen = root.ones_no_train("frozen", &[2]);
        Self { vs, net, frozen }
    }
}

#[lightning_module]
impl Net {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        self.forward(batch).sum(Kind::Float)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn forward(&self, inputs: &Tensor) -> Tensor {
        self.net.forward_t(inputs, is_training()) * &self.frozen
    }
}

/// One parameter with a name of the test's.
struct Named {
    vs: nn::VarStore,
    scale: Tensor,
}

impl Named {
    fn new(name: &str) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let scale = (vs.root() / "layer").ones(name, &[3]);
        Self { vs, scale }
    }
}

#[lightning_module]
impl Named {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn inputs(rows: i64) -> Tensor {
    Tensor::arange(rows * 3, (Kind::Float, Device::Cpu)).sin().view([rows, 3])
}

fn requires_grad(vs: &nn::VarStore) -> BTreeMap<String, bool> {
    vs.variables().into_iter().map(|(name, tensor)| (name, tensor.requires_grad())).collect()
}

#[test]
fn traced_module_computes_the_same_after_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.pt");
    let mut net = Net::new();
    let before = requires_grad(&net.vs);
    let script = torchscript::trace(&mut net, &[inputs(4)], |net, inputs| Ok(net.forward(&inputs[0]))).unwrap();
    script.save(&path).unwrap();
    // other values, and another batch size; with the values that the parameters had
    let loaded = CModule::load(&path).unwrap();
    let expected = net.forward(&inputs(9));
    tch::no_grad(|| net.vs.trainable_variables().iter_mut().for_each(|parameter| drop(parameter.fill_(7.0))));
    assert!(script.forward_ts(&[inputs(9)]).unwrap().allclose(&expected, 1e-5, 1e-6, false));
    assert!(loaded.forward_ts(&[inputs(9)]).unwrap().allclose(&expected, 1e-5, 1e-6, false));
    assert_eq!(requires_grad(&net.vs), before);
    assert!(expected.requires_grad());
}

#[test]
fn traced_module_has_the_parameters_under_their_names() {
    let mut net = Net::new();
    let script = torchscript::trace(&mut net, &[inputs(4)], |net, inputs| Ok(net.forward(&inputs[0]))).unwrap();
    let parameters: BTreeMap<String, Tensor> = script.named_parameters().unwrap().into_iter().collect();
    let trained = requires_grad(&net.vs).into_iter().filter(|(_, is_trained)| *is_trained);
    assert_eq!(parameters.keys().cloned().collect::<Vec<_>>(), trained.map(|(name, _)| name).collect::<Vec<_>>());
    for (name, tensor) in net.vs.variables() {
        assert!(parameters.get(&name).is_none_or(|found| found == &tensor && found.data_ptr() != tensor.data_ptr()));
    }
}

#[test]
fn unusual_names_are_kept() {
    for name in ["0", "a b", "a-b", "A'", "größe", "a\\b"] {
        let mut named = Named::new(name);
        let script = torchscript::trace(&mut named, &[inputs(2)], |named, inputs| Ok(&inputs[0] * &named.scale));
        match script {
            Ok(script) => assert_eq!(script.named_parameters().unwrap()[0].0, format!("layer.{name}")),
            Err(error) => assert!(
                matches!(&error, TorchScriptError::Name { part, .. } if part == name && (!name.is_ascii() || name.contains('\\'))),
                "{error}"
            ),
        }
    }
}

#[test]
fn inputs_are_not_changed() {
    let mut net = Net::new();
    let input = inputs(4);
    torchscript::trace(&mut net, &[&input], |net, inputs| {
        Ok(net.forward(&inputs[0].shallow_clone().g_add_scalar_(1.0)))
    })
    .unwrap();
    assert_eq!(input, inputs(4));
}

#[test]
fn several_outputs_are_a_tuple() {
    let mut net = Net::new();
    let forward = |net: &mut Net, inputs: &[Tensor]| Ok(net.forward(&(&inputs[0] - &inputs[1])).max_dim(1, false));
    let script = torchscript::trace(&mut net, &[inputs(4), inputs(4).cos()], forward).unwrap();
    let others = [inputs(6), inputs(6).square()].map(IValue::Tensor);
    let IValue::Tuple(found) = script.forward_is(&others).unwrap() else { panic!("not a tuple") };
    let found: Vec<Tensor> = found.into_iter().map(|output| output.try_into().unwrap()).collect();
    let (values, indices) = net.forward(&(inputs(6) - inputs(6).square())).max_dim(1, false);
    assert!(found[0].allclose(&values, 1e-5, 1e-6, false));
    assert_eq!((&found[1], found.len()), (&indices, 2));
}

#[test]
fn what_cannot_be_traced_is_an_error_after_which_tracing_works() {
    let mut net = Net::new();
    let none: [Tensor; 0] = [];
    let error = torchscript::trace(&mut net, &none, |net, inputs| Ok(net.forward(&inputs[0]))).unwrap_err();
    assert_eq!(error.to_string(), "a module is traced with inputs: give at least one tensor");

    let wide = Tensor::ones([2, 5], (Kind::Float, Device::Cpu));
    let error = torchscript::trace(&mut net, &[wide], |net, inputs| Ok(net.forward(&inputs[0]))).unwrap_err();
    assert!(error.to_string().starts_with("the computation to trace failed: mat1 and mat2 shapes"), "{error}");

    let mut calls = 0;
    let error = torchscript::trace(&mut net, &[inputs(2)], |net, inputs| {
        calls += 1;
        if calls > 1 { bail!("no more") } else { Ok(net.forward(&inputs[0])) }
    });
    assert_eq!(error.unwrap_err().to_string(), "the computation to trace failed: no more");

    let error = torchscript::trace(&mut net, &[inputs(2)], |net, inputs| Ok(net.forward(&inputs[0]).randn_like()));
    assert!(matches!(error, Err(TorchScriptError::Differs { .. })), "{error:?}");

    let error = torchscript::trace(&mut net, &[inputs(2)], |net, inputs| {
        let output = net.forward(&inputs[0]);
        let sum = Tensor::from(output.sum(Kind::Float).double_value(&[]));
        Ok((output, sum))
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with(
            "the traced module computes something else for the same inputs: the difference of output 1 is "
        )
    );
    assert!(error.ends_with("such as random numbers, a state, or numbers that were read from tensors"), "{error}");

    let table = inputs(1);
    let error =
        torchscript::trace(&mut net, &[inputs(2)], |net, inputs| Ok((net.forward(&inputs[0]), table.shallow_clone())));
    assert!(matches!(error, Err(TorchScriptError::Constant { output: 1 })), "{error:?}");

    let constant = inputs(2);
    let error = torchscript::trace(&mut net, &[inputs(2)], |net, _| Ok(net.net.forward_t(&constant, false)));
    assert!(matches!(error, Err(TorchScriptError::Constant { output: 0 })), "{error:?}");

    let mut named = Named::new("class");
    let error =
        torchscript::trace(&mut named, &[inputs(2)], |named, inputs| Ok(&inputs[0] * &named.scale)).unwrap_err();
    assert!(error.to_string().starts_with("`class` of `layer.class` cannot be a name in TorchScript"), "{error}");

    let doubled = &named.scale * 2;
    let error = torchscript::trace(&mut net, &[inputs(2)], |_, inputs| Ok(&inputs[0] * &doubled)).unwrap_err();
    assert!(
        error.to_string().starts_with("libtorch cannot trace the computation: it uses a tensor that was computed"),
        "{error}"
    );

    let error = torchscript::trace(&mut net, &[inputs(2)], |_, _| Ok(()));
    assert!(matches!(error, Err(TorchScriptError::NoOutputs)), "{error:?}");

    torchscript::trace(&mut net, &[inputs(2)], |net, inputs| Ok(net.forward(&inputs[0]))).unwrap();
    assert!(net.forward(&inputs(2)).requires_grad());
}
