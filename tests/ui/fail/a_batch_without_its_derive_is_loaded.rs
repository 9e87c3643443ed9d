use tch_lightning::prelude::*;

struct Rows {
    input: Tensor,
    labels: Tensor,
}

impl Collate for Rows {
    type Batch = Rows;

    fn collate(samples: Vec<Self>) -> Result<Rows, tch::TchError> {
        let input: Vec<_> = samples.iter().map(|sample| &sample.input).collect();
        let labels: Vec<_> = samples.iter().map(|sample| &sample.labels).collect();
        Ok(Rows { input: Tensor::f_stack(&input, 0)?, labels: Tensor::f_stack(&labels, 0)? })
    }
}

struct Lines;

impl Dataset for Lines {
    type Sample = Rows;

    fn len(&self) -> usize {
        10
    }

    fn get_item(&self, index: usize) -> Result<Rows> {
        bail!("line {index} is empty")
    }
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Tensor {
        batch.input.mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&self) -> Result<DataLoader<Rows>> {
        Ok(DataLoader::new(Lines).batch_size(2).shuffle(true))
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&mut self, module: &mut Model, batch: &Rows) {
        println!("{} {}", module.vs.len(), batch.labels);
    }
}

fn main() -> ExitCode {
    Model::program::<Data>().callback(Watch).run()
}
