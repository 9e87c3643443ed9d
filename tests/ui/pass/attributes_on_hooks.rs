//! Documentation and attributes stay on the method.

use tch_lightning::prelude::*;

/// A model.
struct Model {
    vs: nn::VarStore,
}

/// Its hooks.
#[lightning_module]
#[allow(clippy::pedantic)]
impl Model {
    #![allow(clippy::style)]

    /// The store.
    #[inline]
    pub fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    /// The loss of a batch.
    ///
    /// ```ignore
    /// model.training_step(&batch);
    /// ```
    #[must_use]
    pub(crate) fn training_step(&mut self, #[allow(unused_variables)] batch: &Tensor) -> Tensor {
        return Tensor::from(1.0);
    }

    #[doc(hidden)]
    #[cold]
    fn on_fit_end(&self) {}

    const fn on_fit_start(&self) {}

    #[doc = "Not the trainer's affair"]
    #[deprecated]
    pub const LAYERS: usize = 3;
}

/// Whatever is said of a hook is said of the method alone.
#[deprecated = "by `Model`"]
pub struct Old {
    vs: nn::VarStore,
}

#[deprecated]
#[allow(non_snake_case)]
#[derive(Batch)]
pub struct Rows {
    #[deprecated]
    X: Tensor,
}

#[allow(deprecated)]
#[lightning_module]
impl Old {
    #[deprecated]
    #[must_use]
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    #[deprecated(since = "0.1.0", note = "old")]
    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig::default()
    }

    #[deprecated]
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    #[deprecated]
    #[track_caller]
    #[inline(never)]
    fn training_step(&mut self, batch: &Rows) -> Tensor {
        batch.X.mean(None)
    }

    #[must_use]
    #[deprecated]
    fn on_train_batch_start(&mut self) -> Flow {
        Flow::Continue
    }

    #[cfg_attr(all(), deprecated, inline)]
    fn configure_optimizers(&mut self) -> Result<Sgd> {
        Ok(Sgd::new(0.1))
    }

    #[expect(clippy::unused_self)]
    fn on_fit_start(&mut self) {}

    #[expect(clippy::unused_self)]
    fn on_before_batch_transfer(&mut self, batch: Rows) -> Rows {
        println!("{:?}", batch.X);
        batch
    }

    #[allow(unused_variables)]
    extern "C" fn on_fit_end(&self, ctx: &Context) {}
}

struct Watcher;

#[allow(deprecated)]
#[lightning_callback]
impl Watcher {
    #[deprecated]
    fn on_train_batch_end(&mut self, module: &mut Old, batch: &Rows, outputs: &Tensor) {
        println!("{batch:p} {outputs:?} {:?}", module.vs);
    }
}

#[test]
fn hooks_are_found() {
    #[allow(deprecated)]
    let old = Old::hooks();
    assert_eq!(old.len(), 6);
    assert_eq!(Model::hooks().len(), 3);
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu) };
    assert_eq!(model.training_step(&Tensor::from(2.0)), Tensor::from(1.0));
}
