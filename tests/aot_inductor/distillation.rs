use tch_lightning::aot_inductor::AotInductorModel;
use tch_lightning::prelude::*;

/// Learns the teacher's logits.
struct Student {
    vs: nn::VarStore,
    net: nn::SequentialT,
    teacher: AotInductorModel,
}

impl Student {
    fn distance(&self, features: &Tensor) -> Result<Tensor> {
        let scale = Tensor::ones([features.size()[0], 1], (Kind::Float, Device::Cpu));
        let logits = &self.teacher.forward(&[features, &scale])?[0];
        assert!(!logits.requires_grad());
        Ok(self.net.forward_t(features, true).mse_loss(logits, tch::Reduction::Mean))
    }
}

#[lightning_module]
impl Student {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let loss = self.distance(batch)?;
        ctx.log("train_loss", &loss);
        Ok(loss)
    }

    fn configure_optimizers(&mut self) -> Adam {
        Adam::new(0.02)
    }
}

/// Trains a student, and checks that it comes near its teacher.
pub fn run(teacher: AotInductorModel) {
    tch::manual_seed(5);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = nn::seq_t()
        .add(nn::linear(vs.root() / "0", 4, 16, Default::default()))
        .add_fn(|x| x.tanh())
        .add(nn::linear(vs.root() / "2", 16, 3, Default::default()));
    let mut student = Student { vs, net, teacher };
    let samples = Tensor::randn([256, 4], (Kind::Float, Device::Cpu));
    let distance = |student: &Student| student.distance(&samples.narrow(0, 0, 64)).unwrap().double_value(&[]);
    let before = distance(&student);
    let loader = DataLoader::new(TensorDataset::new(samples.shallow_clone()).unwrap()).batch_size(32).shuffle(true);
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(TrainerConfig::default().max_epochs(20).default_root_dir(folder.path()));
    trainer.fit(&mut student, Loaders::train(loader)).unwrap();
    let after = distance(&student);
    println!("distance from the teacher: {before} before, {after} after training");
    assert!(after < before / 20.0, "{before} -> {after}");
    assert_eq!(student.vs.len(), 4, "the teacher's weights are not parameters");
}
