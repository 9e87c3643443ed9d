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
