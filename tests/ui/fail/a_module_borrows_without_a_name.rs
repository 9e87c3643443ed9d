use tch_lightning::prelude::*;

struct Model<'d> {
    vs: nn::VarStore,
    data: &'d Tensor,
}

#[lightning_module]
impl Model<'_> {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        (batch * self.data).mean(None)
    }
}

struct Watch<T>(T, fn(&str));

#[lightning_callback]
impl Watch<&str> {
    fn on_fit_start(&mut self) {}
}

fn main() {
    println!("{:?}", Model::hooks());
}
