//! A callback watches one type of module, or every module that fits its hooks.

use tch_lightning::prelude::*;
use tch_lightning::{Hook, module::IntoCallbacks};

struct Model {
    vs: nn::VarStore,
    seen: usize,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_callbacks(&mut self) -> Vec<Box<dyn Callback<Self>>> {
        vec![Box::new(Counter), Box::new(Printer { lines: 0 }), Box::new(OfBatches::<3>)]
    }
}

struct Counter;

#[lightning_callback]
impl Counter {
    fn on_train_batch_start(&mut self, module: &mut Model, batch_idx: usize) {
        module.seen = batch_idx;
    }

    fn on_train_end(&self, module: &mut Model, ctx: &mut Context) -> Result<()> {
        if module.seen == ctx.global_step() { Ok(()) } else { bail!("a batch is missing") }
    }
}

struct Printer {
    lines: usize,
}

#[lightning_callback]
impl Printer {
    fn on_fit_start(&mut self) {
        self.lines += 1;
    }

    #[not_a_hook]
    fn on_paper(&self) -> usize {
        self.lines
    }
}

struct OfBatches<const N: usize>;

#[lightning_callback]
impl<const N: usize> OfBatches<N> {
    fn on_train_batch_end(&mut self, outputs: &Tensor, batch: &Tensor) {
        println!("{outputs:?} {batch:?} {N}");
    }
}

/// What is asked of a callback itself.
struct Named {
    key: usize,
}

#[lightning_callback]
impl Named {
    fn name(&self) -> &'static str {
        "Named"
    }

    fn state_key(&self) -> String {
        format!("Named {}", self.key)
    }

    fn is_monitoring(&self) -> bool {
        self.key > 0
    }

    fn writes_checkpoints(&self) -> bool {
        self.key > 1
    }
}

/// Each form of a callback for every module.
#[derive(Default)]
struct OfEveryModule {
    variables: Vec<usize>,
}

#[lightning_callback]
impl OfEveryModule {
    fn on_fit_start<M: LightningModule>(&mut self, ctx: &mut Context, module: &mut M) {
        self.count(ctx.current_epoch(), module);
    }

    fn on_fit_end<Module>(&mut self, module: &mut Module) -> Result<()>
    where
        Module: LightningModule,
    {
        self.count(1, module);
        Ok(())
    }

    fn on_train_start(&mut self, module: &mut impl LightningModule) {
        self.count(2, module);
    }

    fn on_train_batch_end<M: LightningModule>(
        &mut self,
        _outputs: &M::TrainingOutput,
        module: &mut M,
        batch: &M::Batch,
    ) {
        self.count(batch.batch_size().unwrap_or_default(), module);
    }

    fn on_train_end(&mut self) {
        self.variables.push(4);
    }

    fn count(&mut self, more: usize, module: &mut impl LightningModule) {
        self.variables.push(module.parameters().len() + more);
    }
}

struct OfTheBlock<W>(W);

#[lightning_callback]
impl<W: Clone, M> OfTheBlock<W>
where
    M: LightningModule + Described,
{
    fn on_fit_start(&mut self, module: &mut M) {
        println!("{}", self.described(module));
    }

    fn on_fit_end(&mut self) {}

    fn described(&self, module: &M) -> String {
        let _ = self.0.clone();
        module.described()
    }
}

trait Described {
    fn described(&self) -> String;
}

impl Described for Model {
    fn described(&self) -> String {
        format!("seen {}", self.seen)
    }
}

fn is_for<M: LightningModule>(_: &impl Callback<M>) {}

#[test]
fn callbacks_of_every_module_are_called_with_it() {
    is_for::<One>(&OfEveryModule::default());
    is_for::<Model>(&OfTheBlock(3));
    let mut callback = OfEveryModule::default();
    callback.count(7, &mut One { vs: nn::VarStore::new(Device::Cpu) });
    assert_eq!(callback.variables, [7]);
    assert_eq!(OfTheBlock(3).described(&Model { vs: nn::VarStore::new(Device::Cpu), seen: 2 }), "seen 2");
}

#[test]
fn callbacks_are_independent() {
    let named: Box<dyn Callback<Model>> = Box::new(Named { key: 1 });
    assert_eq!((named.name(), named.state_key()), ("Named", "Named 1".to_owned()));
    assert_eq!((named.is_monitoring(), named.writes_checkpoints()), (true, false));
}

/// A module that returns callbacks as they are.
macro_rules! with {
    ($name:ident, $output:ty, $callbacks:expr) => {
        struct $name {
            vs: nn::VarStore,
        }

        #[lightning_module]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn configure_callbacks(&self) -> $output {
                $callbacks
            }
        }
    };
}

with!(One, Printer, Printer { lines: 1 });
with!(Pair, (Named, Printer), (Named { key: 1 }, Printer { lines: 1 }));
with!(OrNone, (Option<Printer>, Option<Named>), (None, Some(Named { key: 1 })));
with!(Same, Vec<Named>, vec![Named { key: 1 }, Named { key: 2 }]);
with!(Array, [Named; 2], [Named { key: 1 }, Named { key: 2 }]);
type Grouped<M> = (Vec<Named>, (Printer, Option<Named>), Box<dyn Callback<M>>);

with!(
    Nested,
    Result<Grouped<Self>>,
    Ok((vec![Named { key: 1 }], (Printer { lines: 1 }, None), Box::new(Named { key: 2 })))
);
with!(
    Eight,
    (Named, Named, Named, Named, Named, Named, Named, (Named,)),
    (named(1), named(2), named(3), named(4), named(5), named(6), named(7), (named(8),))
);

fn named(key: usize) -> Named {
    Named { key }
}

/// The keys of the callbacks that a module configures.
fn keys<M: LightningModule, Kind>(callbacks: impl IntoCallbacks<M, Kind>) -> Vec<String> {
    let keys = callbacks.into_callbacks().into_iter().map(|callback| callback.state_key());
    keys.map(|key| key.rsplit("::").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn callbacks_need_no_box() {
    let vs = || nn::VarStore::new(Device::Cpu);
    assert_eq!(keys::<One, _>(One { vs: vs() }.configure_callbacks()), ["Printer"]);
    assert_eq!(keys::<Pair, _>(Pair { vs: vs() }.configure_callbacks()), ["Named 1", "Printer"]);
    assert_eq!(keys::<OrNone, _>(OrNone { vs: vs() }.configure_callbacks()), ["Named 1"]);
    assert_eq!(keys::<Same, _>(Same { vs: vs() }.configure_callbacks()), ["Named 1", "Named 2"]);
    assert_eq!(keys::<Array, _>(Array { vs: vs() }.configure_callbacks()), ["Named 1", "Named 2"]);
    let nested = Nested { vs: vs() }.configure_callbacks().unwrap();
    assert_eq!(keys::<Nested, _>(nested), ["Named 1", "Printer", "Named 2"]);
    let eight = (1..=8).map(|key| format!("Named {key}")).collect::<Vec<_>>();
    assert_eq!(keys::<Eight, _>(Eight { vs: vs() }.configure_callbacks()), eight);
    let hooks = [One::hooks(), Pair::hooks(), OrNone::hooks(), Same::hooks(), Array::hooks(), Nested::hooks()];
    assert!(hooks.iter().all(|hooks| *hooks == [Hook::ConfigureCallbacks]));
}

#[test]
fn callbacks_watch_the_module() {
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu), seen: 0 };
    assert_eq!(model.configure_callbacks().len(), 3);
    assert_eq!(Printer { lines: 3 }.on_paper(), 3);
}
