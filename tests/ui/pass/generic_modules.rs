//! A block may be generic, with bounds in either place, and with numbers.

use tch_lightning::prelude::*;

trait Backbone {
    type Input: Batch;

    fn features(&self, input: &Self::Input) -> Tensor;
}

struct Mean;

impl Backbone for Mean {
    type Input = Vec<Tensor>;

    fn features(&self, input: &Vec<Tensor>) -> Tensor {
        Tensor::stack(input, 0).mean(None)
    }
}

struct Classifier<B> {
    vs: nn::VarStore,
    backbone: B,
}

#[lightning_module]
impl<B: Backbone> Classifier<B> {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &B::Input) -> Tensor {
        self.backbone.features(batch)
    }

    fn validation_step(&mut self, batch: &<B as Backbone>::Input) -> Tensor {
        self.backbone.features(batch)
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }
}

struct Network<Data, N, const CLASSES: i64>
where
    N: nn::Module,
{
    vs: nn::VarStore,
    net: N,
    data: Data,
}

#[lightning_module]
impl<Data, N, const CLASSES: i64> Network<Data, N, CLASSES>
where
    N: nn::Module,
    Data: AsRef<str>,
{
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        assert_eq!(batch.size()[1], CLASSES);
        ctx.log(self.data.as_ref(), self.net.forward(batch).mean(None));
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Classifier::<Mean>::hooks().len(), 3);
    assert_eq!(Network::<String, nn::Linear, 3>::hooks().len(), 1);
}

#[allow(dead_code)]
fn they_can_be_trained(mut classifier: Classifier<Mean>) -> Result<(), tch_lightning::Error> {
    Classifier::trainer().fit(&mut classifier, ())
}
