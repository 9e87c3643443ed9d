//! A callback watches one type of module, or every module that fits its hooks.

use tch_lightning::prelude::*;

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

#[test]
fn each_answers_for_itself() {
    let named: Box<dyn Callback<Model>> = Box::new(Named { key: 1 });
    assert_eq!((named.name(), named.state_key()), ("Named", "Named 1".to_owned()));
    assert_eq!((named.is_monitoring(), named.writes_checkpoints()), (true, false));
}

#[test]
fn each_watches_the_module() {
    let mut model = Model { vs: nn::VarStore::new(Device::Cpu), seen: 0 };
    assert_eq!(model.configure_callbacks().len(), 3);
    assert_eq!(Printer { lines: 3 }.on_paper(), 3);
}
