//! Names of tensors that a body binds again, to what has brackets and fields of those names.

use tch_lightning::prelude::*;

struct Shape {
    shape: Vec<i64>,
}

#[derive(Batch)]
struct Digits {
    images: Tensor,
    names: Vec<String>,
}

struct Model {
    vs: nn::VarStore,
    values: Vec<f64>,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Digits) -> Result<Tensor> {
        let Digits { images, names } = batch;
        println!("{}", names[0]);
        let images = Vec::<f64>::try_from(images)?;
        self.values = vec![images[0], images[1]];
        Ok(batch.images.mean(None))
    }

    fn first(images: &Tensor) -> Result<f64> {
        let images = Vec::<f64>::try_from(images)?;
        Ok(images[0])
    }

    fn sizes(images: &Tensor, labels: &Tensor) -> Vec<i64> {
        let shapes = [Shape { shape: images.size() }, Shape { shape: labels.size() }];
        shapes.iter().map(|images| images.shape[0]).collect()
    }

    fn largest(images: &Tensor) -> f64 {
        match Vec::<f64>::try_from(images) {
            Ok(images) => images[0],
            Err(_) => 0.0,
        }
    }

    fn chosen(images: &Tensor) -> f64 {
        for images in [[1.0, 2.0], [3.0, 4.0]] {
            println!("{}", images[0]);
        }
        if let Ok(images) = Vec::<f64>::try_from(images) { images[1] } else { 0.0 }
    }
}
