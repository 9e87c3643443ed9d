use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Printer;

fn main() {
    let callbacks: Vec<Box<dyn tch_lightning::Callback<Model>>> = vec![Box::new(Printer)];
    println!("{} callbacks", callbacks.len());
}
