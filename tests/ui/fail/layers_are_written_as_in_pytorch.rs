use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::SequentialT,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::seq_t().add(nn::Linear(784, 10)).add(nn::Linear::new(10, 10)).add_fn(|x| nn.ReLU(x));
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        let (images, labels) = batch;
        F::cross_entropy(&self.net.forward_t(images, true), labels)
    }

    fn validation_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        let outputs = torch.no_grad(|| self.net.forward_t(&batch.0, false));
        F.mse_loss(outputs, &batch.1)
    }

    fn predict_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        self.flat(&batch.0)
    }

    fn configure_optimizers(&self) -> AdamW {
        torch::optim::AdamW(self.parameters(), 1e-3)
    }

    fn flat(&self, images: &Tensor) -> Tensor {
        let batch_size = images.shape[0];
        images.view([batch_size, -1]).to_kind(images.dtype)
    }

    fn mask() -> Tensor {
        torch::zeros([2, 3])
    }
}

fn main() {}
