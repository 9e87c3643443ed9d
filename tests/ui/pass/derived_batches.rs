//! What can be a batch by its derive.

use std::collections::HashMap;
use std::marker::PhantomData;
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

/// Not a batch.
struct Source;

#[derive(Batch)]
struct Skipping<S> {
    input: Tensor,
    #[batch(skip)]
    source: Source,
    kind: PhantomData<S>,
}

trait Encoded {
    type Tokens;
}

impl Encoded for Source {
    type Tokens = Vec<Tensor>;
}

#[derive(Batch)]
struct Associated<E: Encoded>(E::Tokens, PhantomData<E>);

#[derive(Batch)]
struct Contracted {
    #[batch("N C _", f32, 0.0..=1.0)]
    images: Vec<Tensor>,
    #[batch("N ...", 0..CLASSES)]
    labels: Option<Tensor>,
    rest: Numbered,
}

#[derive(tch_lightning::Batch)]
enum Parts {
    One(#[batch("1")] Tensor),
    Two { r#type: Contracted },
}

const CLASSES: i64 = 3;

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

#[test]
fn fields_that_are_skipped_are_kept() {
    let skipping = Skipping::<Source> { input: Tensor::from_slice(&[1f32, 2.0]), source: Source, kind: PhantomData };
    let mapped = skipping.map_tensors(&mut |tensor| Ok(tensor * 2)).unwrap();
    let Skipping { input, source: Source, kind: PhantomData } = &mapped;
    assert_eq!(Vec::<f64>::try_from(input).unwrap(), [2.0, 4.0]);
    let associated = Associated::<Source>(vec![Tensor::from_slice(&[1f32, 2.0, 3.0])], PhantomData);
    assert_eq!(associated.batch_size(), Some(3));
}

#[test]
fn contract_is_that_of_all_tensors_within_a_field() {
    let zeros = |shape: &[i64]| Tensor::zeros(shape, (Kind::Float, Device::Cpu));
    let contracted = |images: &[&[i64]], labels: &[i64]| Contracted {
        images: images.iter().map(|shape| zeros(shape)).collect(),
        labels: Some(Tensor::from_slice(labels)),
        rest: Numbered(zeros(&[]), String::new()),
    };
    let said = |batch: Contracted| batch.check_contract().map_err(|violation| violation.to_string());
    assert_eq!(said(contracted(&[&[2, 4, 5], &[2, 4, 1]], &[0, 2])), Ok(()));
    let said = |batch: Contracted| said(batch).unwrap_err();
    assert_eq!(
        said(contracted(&[&[2, 4, 5], &[2, 3, 1]], &[0, 2])),
        "`images` is [2, 3, 1], but its C must be 4, as in `images`"
    );
    assert_eq!(said(contracted(&[&[2, 4, 5]], &[0, 2, 1])), "`labels` is [3], but its N must be 2, as in `images`");
    let nested = Parts::Two { r#type: contracted(&[&[2, 4, 5]], &[0, 3]) };
    assert_eq!(
        nested.check_contract().unwrap_err().to_string(),
        "`type.labels` of sample 1 of the batch is 3, and must be in 0..3"
    );
    let one = Parts::One(zeros(&[2]));
    assert_eq!(one.check_contract().unwrap_err().to_string(), "`0` is [2], and must be [1]");
}
