use tch_lightning::prelude::*;

struct Model<'d> {
    vs: nn::VarStore,
    data: &'d Tensor,
}

#[lightning_module]
impl<'d> Model<'d> {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        (batch * self.data).mean(None)
    }
}

fn main() {
    println!("{:?}", Model::hooks());
}
