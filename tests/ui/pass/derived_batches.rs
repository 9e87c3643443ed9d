//! What can be a batch by its derive.

use std::collections::HashMap;
use tch_lightning::prelude::*;

#[derive(Batch)]
struct Named {
    input: Tensor,
    r#type: Option<i64>,
    extra: HashMap<String, Vec<Tensor>>,
}

#[derive(Batch)]
struct Numbered(Tensor, String);

#[derive(Batch)]
struct Unit;

#[derive(Batch)]
struct Generic<T, const N: usize = 2>
where
    T: Clone,
{
    parts: [T; N],
}

#[derive(Batch)]
enum Either {
    Image(Tensor),
    Text { tokens: Tensor, language: String },
    Nothing,
}

#[derive(Batch)]
struct Nested {
    named: Named,
    either: Vec<Either>,
    pair: Box<(Numbered, Unit)>,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Nested) -> Option<Tensor> {
        Some(batch.named.input.mean(None))
    }
}

#[test]
fn tensors_of_derived_batches_are_found() {
    let two = || Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
    let named = Named { input: two(), r#type: Some(1), extra: HashMap::new() };
    assert_eq!(named.batch_size(), Some(2));
    assert_eq!(Numbered(two(), String::new()).batch_size(), Some(2));
    assert_eq!(Unit.batch_size(), None);
    assert_eq!(Either::Nothing.batch_size(), None);
    let text = Either::Text { tokens: two(), language: "la".to_owned() };
    assert_eq!(text.move_to_device(Device::Cpu).unwrap().batch_size(), Some(2));
    assert_eq!(Either::Image(two()).batch_size(), Some(2));
    let nested = Nested { named, either: Vec::new(), pair: Box::new((Numbered(two(), String::new()), Unit)) };
    assert_eq!(nested.batch_size(), Some(2));
    assert_eq!(Generic::<i64> { parts: [1, 2] }.batch_size(), None);
    assert_eq!(Model::hooks().len(), 1);
}
