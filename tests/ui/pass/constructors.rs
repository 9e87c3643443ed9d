//! What `new` may look like for the generated program.

// the constructors are written out on purpose
#![allow(
    clippy::float_cmp,
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    clippy::used_underscore_binding
)]

use tch_lightning::module::{FromHparams, FromHparamsAndData, HasHparams, NoHparams};
use tch_lightning::prelude::*;

#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
}

struct Nothing {
    vs: nn::VarStore,
}

#[lightning_module]
impl Nothing {
    fn new() -> Result<Self> {
        Ok(Self { vs: nn::VarStore::new(Device::Cpu) })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Owned {
    vs: nn::VarStore,
    hparams: Hparams,
}

#[lightning_module]
impl Owned {
    pub fn new(hparams: Hparams) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), hparams }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(3), ..TrainerConfig::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Borrowed {
    vs: nn::VarStore,
    lr: f64,
}

#[lightning_module]
impl Borrowed {
    fn new(hparams: &Hparams) -> Result<Borrowed, std::fmt::Error> {
        Ok(Self { vs: nn::VarStore::new(Device::Cpu), lr: hparams.lr })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Unmade {
    vs: nn::VarStore,
}

#[lightning_module]
impl Unmade {
    fn new(vs: nn::VarStore, layers: usize) -> Self {
        assert!(layers > 0);
        Self { vs }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Renamed {
    vs: nn::VarStore,
    lr: f64,
}

#[lightning_module]
impl Renamed {
    fn new(_options: Hparams) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), lr: _options.lr }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch * self.lr
    }
}

struct TakenApart {
    vs: nn::VarStore,
    lr: f64,
}

#[lightning_module]
impl TakenApart {
    fn new(Hparams { lr }: Hparams) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), lr }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

/// A constructor that no program calls.
struct OfItsOwn {
    vs: nn::VarStore,
}

#[lightning_module]
impl OfItsOwn {
    fn new(vs: nn::VarStore) -> Self {
        Self { vs }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct OfTwo {
    vs: nn::VarStore,
}

#[lightning_module]
impl OfTwo {
    fn new(width: i64, input: &Tensor) -> Self {
        assert_eq!(input.size(), [width]);
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Words(Vec<String>);

#[lightning_datamodule]
impl Words {
    fn new(_: NoHparams) -> Self {
        Self(vec!["to".to_owned(), "be".to_owned()])
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

trait Vocabulary {
    fn size(&self) -> usize;
}

impl Vocabulary for Words {
    fn size(&self) -> usize {
        self.0.len()
    }
}

struct OfOneDataModule {
    vs: nn::VarStore,
    words: usize,
}

#[lightning_module]
impl OfOneDataModule {
    fn new(hparams: Hparams, data: &Words) -> Result<Self> {
        assert!(hparams.lr > 0.0);
        Ok(Self { vs: nn::VarStore::new(Device::Cpu), words: data.0.len() })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

struct OfEveryVocabulary<N> {
    vs: nn::VarStore,
    net: Option<N>,
    words: usize,
}

#[lightning_module]
impl<N: nn::Module> OfEveryVocabulary<N> {
    fn new<D>(_: &NoHparams, words: &D) -> Self
    where
        D: Vocabulary,
    {
        Self { vs: nn::VarStore::new(Device::Cpu), net: None, words: words.size() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.net.as_ref().map_or_else(|| batch.mean(None), |net| net.forward(batch))
    }
}

struct OfSomeVocabulary {
    vs: nn::VarStore,
    words: usize,
}

#[lightning_module]
impl OfSomeVocabulary {
    fn new(_: NoHparams, data: &impl Vocabulary) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), words: data.size() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

struct OfDataFirst {
    vs: nn::VarStore,
    words: usize,
    lr: f64,
}

#[lightning_module]
impl OfDataFirst {
    fn new(data: &Words, hparams: Hparams) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), words: data.0.len(), lr: hparams.lr }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch * self.lr
    }
}

struct OfVocabularyFirst {
    vs: nn::VarStore,
    words: usize,
}

#[lightning_module]
impl OfVocabularyFirst {
    fn new(words: &impl Vocabulary, hparams: &Hparams) -> Result<Self> {
        assert!(hparams.lr > 0.0);
        Ok(Self { vs: nn::VarStore::new(Device::Cpu), words: words.size() })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

struct OfDataAlone {
    vs: nn::VarStore,
    words: usize,
}

#[lightning_module]
impl OfDataAlone {
    fn new(data: &Words) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), words: data.0.len() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

/// Each is a program with this data module.
const PROGRAMS: [fn() -> ExitCode; 7] = [
    Renamed::main::<Words>,
    OfOneDataModule::main::<Words>,
    OfEveryVocabulary::<nn::Linear>::main::<Words>,
    OfSomeVocabulary::main::<Words>,
    OfDataFirst::main::<Words>,
    OfVocabularyFirst::main::<Words>,
    OfDataAlone::main::<Words>,
];

#[test]
fn parameter_has_any_name() {
    assert_eq!(Renamed::from_hparams(Hparams { lr: 0.5 }).unwrap().lr, 0.5);
    assert_eq!(TakenApart::from_hparams(Hparams { lr: 0.5 }).unwrap().lr, 0.5);
    assert!(OfItsOwn::new(nn::VarStore::new(Device::Cpu)).vs.is_empty());
    assert!(OfTwo::new(3, &Tensor::zeros([3], (Kind::Float, Device::Cpu))).vs.is_empty());
}

#[test]
fn data_module_is_a_parameter_by_reference() {
    let words = Words::from_hparams(NoHparams {}).unwrap();
    assert_eq!(OfOneDataModule::from_hparams_and_data(Hparams { lr: 0.5 }, &words).unwrap().words, 2);
    assert_eq!(OfEveryVocabulary::<nn::Linear>::from_hparams_and_data(NoHparams {}, &words).unwrap().words, 2);
    assert_eq!(OfSomeVocabulary::from_hparams_and_data(NoHparams {}, &words).unwrap().words, 2);
    assert_eq!(Renamed::from_hparams_and_data(Hparams { lr: 0.5 }, &words).unwrap().lr, 0.5);
    let made = OfDataFirst::from_hparams_and_data(Hparams { lr: 0.5 }, &words).unwrap();
    assert_eq!((made.words, made.lr), (2, 0.5));
    assert_eq!(OfVocabularyFirst::from_hparams_and_data(Hparams { lr: 0.5 }, &words).unwrap().words, 2);
    assert_eq!(OfDataAlone::from_hparams_and_data(NoHparams {}, &words).unwrap().words, 2);
    assert_eq!(PROGRAMS.len(), 7);
}

#[test]
fn constructors_make_their_module() {
    assert!(Nothing::from_hparams(NoHparams {}).is_ok());
    let owned = Owned::from_hparams(Hparams { lr: 0.5 }).unwrap();
    let borrowed = Borrowed::from_hparams(Hparams { lr: 0.5 }).unwrap();
    assert!((owned.hparams.lr - borrowed.lr).abs() < 1e-9);
    assert_eq!(<Owned as HasHparams>::trainer_defaults().max_epochs, Some(3));
    assert!(Unmade::new(nn::VarStore::new(Device::Cpu), 1).vs.is_empty());
}
