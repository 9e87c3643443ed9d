use tch_lightning::prelude::*;

#[derive(Batch)]
struct Digits {
    images: Tensor,
    labels: Tensor,
    names: Vec<String>,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Digits) -> Tensor {
        println!("{}", batch.names[0]);
        let size = batch.images.shape[0];
        batch.labels[0].view(size)
    }

    fn corner(images: &Tensor) -> Tensor {
        images[0..3]
    }

    fn setup(&mut self, stage: Stage) {
        if stage == "fit" {
            println!("{}", self.vs.len());
        }
    }
}

fn main() -> Result<()> {
    let _ = TensorDataset::new(vec![1.0, 2.0])?;
    Ok(())
}
