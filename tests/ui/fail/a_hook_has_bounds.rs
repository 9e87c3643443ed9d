use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_start(&mut self)
    where
        Self: Clone,
    {
        drop(self.clone());
    }
}

struct Of<T> {
    vs: nn::VarStore,
    of: T,
}

#[lightning_module]
impl<T> Of<T> {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_end(&mut self)
    where
        T: std::fmt::Debug,
    {
        println!("{:?}", self.of);
    }
}

fn main() {}
