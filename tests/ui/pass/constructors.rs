//! What `new` may look like for the generated program.

use tch_lightning::prelude::*;
use tch_lightning::{FromHparams, NoHparams};

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

#[test]
fn each_makes_its_module() {
    assert!(Nothing::from_hparams(NoHparams {}).is_ok());
    let owned = Owned::from_hparams(Hparams { lr: 0.5 }).unwrap();
    let borrowed = Borrowed::from_hparams(Hparams { lr: 0.5 }).unwrap();
    assert!((owned.hparams.lr - borrowed.lr).abs() < 1e-9);
    assert_eq!(<Owned as FromHparams>::trainer_defaults().max_epochs, Some(3));
    assert!(Unmade::new(nn::VarStore::new(Device::Cpu), 1).vs.is_empty());
}
