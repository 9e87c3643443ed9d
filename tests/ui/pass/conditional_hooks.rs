//! A hook under a condition is a hook where the condition holds.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    #[cfg(test)]
    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    #[cfg(not(test))]
    fn training_step(&mut self, batch: &Tensor) -> Option<Tensor> {
        Some(batch.sum(None))
    }

    #[cfg(not(test))]
    fn validation_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    #[cfg(any(unix, windows))]
    #[cfg(test)]
    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }

    #[cfg(not(test))]
    fn on_fit_start(&mut self) {}
}

/// A hook vanishes with all that is written because of it, however deep its condition stands.
struct Nested {
    vs: nn::VarStore,
}

#[cfg(not(test))]
#[derive(Batch)]
struct Gone(Tensor);

#[lightning_module]
impl Nested {
    #[cfg(not(test))]
    fn new(hparams: &Gone) -> Self {
        drop(hparams);
        unreachable!()
    }

    #[cfg_attr(all(), cfg(test))]
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    #[cfg_attr(all(), cfg(not(test)))]
    fn training_step(&mut self, batch: &Gone) -> Tensor {
        batch.0.mean(None)
    }

    #[cfg_attr(any(), cfg(not(test)))]
    #[cfg_attr(all(), cfg_attr(all(), inline, cfg(test)))]
    fn validation_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        batch.0.mean(None)
    }

    #[cfg_attr(all(), cfg_attr(test, cfg(false)))]
    fn test_step(&mut self, batch: &Gone) -> Tensor {
        batch.0.mean(None)
    }

    #[cfg_attr(test, not_a_hook)]
    fn on_fit_start(&mut self, gone: &str) -> usize {
        gone.len()
    }

    #[cfg_attr(not(test), not_a_hook)]
    fn on_fit_end(&mut self) {}

    // no mistakes, as they are not compiled
    #[cfg(not(test))]
    async fn on_train_end(&mut self) {}

    #[cfg_attr(test, cfg(false))]
    fn on_epoch_end(&mut self) {}

    #[cfg(not(test))]
    fn main() {}

    #[cfg(test)]
    fn hooks() -> usize {
        3
    }
}

/// Another batch under each condition.
struct Either {
    vs: nn::VarStore,
}

#[lightning_module]
impl Either {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    #[cfg(not(test))]
    fn training_step(&mut self, batch: &Gone) -> Tensor {
        batch.0.mean(None)
    }

    #[cfg(test)]
    fn training_step(&mut self, batch: &[Tensor; 2]) -> Tensor {
        batch[0].mean(None)
    }

    #[cfg(not(test))]
    fn validation_step(&mut self, batch: &Gone) -> Tensor {
        batch.0.mean(None)
    }

    #[cfg(test)]
    fn validation_step(&mut self, batch: &[Tensor; 2]) -> Tensor {
        batch[1].mean(None)
    }
}

struct Watcher {
    seen: usize,
}

#[lightning_callback]
impl Watcher {
    #[cfg(not(test))]
    fn on_train_batch_end(&mut self, batch: &Gone, outputs: &Gone) {
        println!("{batch:p} {outputs:p}");
    }

    #[cfg(test)]
    fn on_train_batch_end(&mut self, batch: &[Tensor; 2], outputs: &Tensor) {
        println!("{batch:p} {outputs:p}");
    }

    #[cfg(not(test))]
    fn on_fit_start(&mut self, module: &mut Gone) {
        println!("{module:p}");
    }

    fn on_fit_end(&mut self) {
        self.seen += 1;
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    #[cfg(not(test))]
    fn train_dataloader(&mut self) -> DataLoader<Gone> {
        unreachable!()
    }

    #[cfg(test)]
    fn train_dataloader(&mut self) -> DataLoader<[Tensor; 2]> {
        unreachable!()
    }
}

/// A macro that passes attributes on.
macro_rules! with_attributes {
    ($name:ident { $($(#[$attribute:meta])* $hook:ident)* }) => {
        struct $name {
            vs: nn::VarStore,
        }

        #[lightning_module]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            $($(#[$attribute])* fn $hook(&mut self) {})*
        }
    };
}

with_attributes!(Passed {
    /// documented
    #[cfg(test)]
    on_fit_start
    #[cfg(not(test))]
    on_fit_end
    #[cfg_attr(test, cfg(false))]
    on_train_start
    #[not_a_hook]
    on_my_own
    #[cfg_attr(test, not_a_hook)]
    on_train_end
});

#[test]
fn nested_conditions_are_seen() {
    assert_eq!(tch_lightning::module::overridden_hooks::<Nested>(), [Hook::ValidationStep, Hook::OnFitEnd]);
    assert_eq!((Nested::hooks(), Nested::new().on_fit_start("gone")), (3, 4));
    let programs: [fn() -> ExitCode; 1] = [Nested::main::<Nothing>];
    let _watcher: Box<dyn Callback<Either>> = Box::new(Watcher { seen: 0 });
    let sources: [&dyn tch_lightning::module::DataSource<Either>; 2] = [&(), &&mut Data];
    assert_eq!((programs.len(), sources.len()), (1, 2));
    assert_eq!(Passed::hooks(), [Hook::OnFitStart]);
}

struct Nothing;

#[lightning_datamodule]
impl Nothing {
    fn new() -> Self {
        Self
    }

    fn val_dataloader(&mut self) -> DataLoader<(Tensor, Tensor)> {
        unreachable!()
    }
}

#[test]
fn hooks_under_conditions_that_hold_are_found() {
    assert_eq!(Model::hooks(), [Hook::TrainingStep, Hook::ConfigureOptimizers]);
}

#[allow(dead_code)]
fn module_of_traits_by_hand_can_be_trained(mut model: Model) -> Result<(), tch_lightning::Error> {
    Model::trainer().fit(&mut model, ())
}
