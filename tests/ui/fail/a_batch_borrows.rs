use tch_lightning::prelude::*;

struct Rows<'a> {
    input: &'a Tensor,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step<'a>(&mut self, batch: &Rows<'a>) -> Tensor {
        batch.input.mean(None)
    }
}

fn main() {}
