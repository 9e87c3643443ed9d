//! What a run does not train is warned of.

use tch_lightning::prelude::*;
use tests::faults::{Net, config};
use tests::warnings::warnings;

fn tensor() -> Tensor {
    Tensor::ones([2, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true)
}

fn warnings_of(mut net: Net) -> Vec<String> {
    warnings(|| Trainer::new(config()).fit(&mut net, ()).unwrap())
}

fn foreign(what: &str) -> String {
    format!(
        "the loss depends on {what} not in the `VarStore` of `parameters`, and hence neither trained nor saved: create layers on paths of \
         that store, as in `nn::linear(vs.root() / \"head\", …)`, and compute what is not to be trained in `tch::no_grad`"
    )
}

#[test]
fn layer_of_a_second_store_is_warned_of_once() {
    let other = nn::VarStore::new(Device::Cpu);
    let head = nn::linear(other.root(), 1, 3, nn::LinearConfig::default());
    let net = Net::new(move |_, loss| Ok(head.forward(&loss.view([1])).sum(Kind::Float)));
    assert_eq!(warnings_of(net), [foreign("2 tensors that require a gradient, of shapes [3, 1], [3], which are")]);
}

#[test]
fn tensor_that_the_module_keeps_is_warned_of() {
    let kept = tensor();
    let net = Net::new(move |_, loss| Ok(loss + kept.sum(Kind::Float)));
    assert_eq!(warnings_of(net), [foreign("a tensor of shape [2, 3] that requires a gradient, which is")]);
}

#[test]
fn tensor_of_one_step_is_not_warned_of() {
    // as the input of a gradient penalty
    assert!(warnings_of(Net::new(|_, loss| Ok(loss + tensor().sum(Kind::Float)))).is_empty());
    let kept = tensor();
    let net = Net::new(move |_, loss| Ok(loss + tch::no_grad(|| kept.sum(Kind::Float))));
    assert!(warnings_of(net).is_empty());
}

#[test]
fn loss_that_depends_on_no_parameter_is_warned_of() {
    let net = Net::new(|_, _| Ok(tensor().sum(Kind::Float)));
    let without_gradients = "after the first backward pass, no parameter of an optimizer has a gradient, so that nothing is trained: the \
                             loss does not depend on them, or a hook `backward` does not run a backward pass";
    assert_eq!(warnings_of(net), [without_gradients]);
}

/// A model that makes a layer in each step.
struct Growing {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Growing {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        let head = nn::linear(self.vs.root() / "head", 2, 1, nn::LinearConfig::default());
        head.forward(&self.layer.forward(batch)).square().mean(Kind::Float)
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([4, 2], (Kind::Float, Device::Cpu)))?))
    }
}

#[test]
fn layer_that_each_step_makes_is_warned_of_once() {
    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root() / "layer", 2, 2, nn::LinearConfig::default());
    let warning = "a training step has added 2 parameters to the `VarStore` of `parameters`, which no optimizer trains: create the layers in \
                   `new`, once, and only call them in a step";
    let mut growing = Growing { vs, layer };
    assert_eq!(warnings(|| Trainer::new(config()).fit(&mut growing, ()).unwrap()), [warning]);
}

#[test]
fn two_layers_at_one_path_are_warned_of() {
    let net = Net::new(|_, loss| Ok(loss));
    for size in [2, 3] {
        let _layer = nn::linear(net.vs.root() / "head" / "fc", size, 1, nn::LinearConfig::default());
    }
    let warning = "two layers are at the path `head.fc` of the `VarStore`, so that the names of their parameters depend on the order in which \
                   they were created: give each a path of its own, as in `vs.root() / \"fc1\"` and `vs.root() / \"fc2\"`";
    assert_eq!(warnings_of(net), [warning]);
}
