use crate::model::{Rows, assert_values, config, loader};
use crate::table::{Finetuning, table};
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::optim::{Algorithm, ParameterGroups};
use tch_lightning::prelude::*;
use tch_lightning::{
    callbacks::{BackboneFinetuning, LambdaCallback},
    checkpoint::SaveRequest,
};

/// `Transfer` of `table.py`.
struct Transfer {
    vs: nn::VarStore,
    linear: nn::Linear,
    norm: nn::BatchNorm,
    head: nn::Linear,
    chosen: ParameterGroups,
}

impl Transfer {
    fn new(chosen: &str) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let backbone = vs.root() / "backbone";
        let zero = nn::LinearConfig { bs_init: Some(nn::Init::Const(0.0)), ..Default::default() };
        let ones = nn::BatchNormConfig { ws_init: nn::Init::Const(1.0), ..Default::default() };
        let mut linear = nn::linear(&backbone / "linear", 4, 3, nn::LinearConfig { bias: false, ..zero });
        let norm = nn::batch_norm1d(&backbone / "norm", 3, ones);
        let mut head = nn::linear(vs.root() / "head", 3, 1, zero);
        let halves = |values: Tensor| (values / 2.0).to_kind(Kind::Float);
        tch::no_grad(|| {
            let places = |count: i64| Tensor::arange_start(1, count + 1, (Kind::Double, Device::Cpu));
            linear.ws.copy_(&halves(places(12).sin()).view([3, 4]));
            head.ws.copy_(&halves(places(3).cos()).view([1, 3]));
        });
        let sgd = Sgd::new(0.1).momentum(0.9);
        let chosen = match chosen {
            "head" => Algorithm::from(sgd).over("head.**"),
            _ => ParameterGroups::new(sgd.into()),
        };
        Self { vs, linear, norm, head, chosen }
    }

    fn loss(&self, (x, y): &Rows, train: bool) -> Tensor {
        let features = self.norm.forward_t(&self.linear.forward(x), train);
        self.head.forward(&features).mse_loss(y, tch::Reduction::Mean)
    }
}

#[lightning_module]
impl Transfer {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Rows) -> Tensor {
        self.loss(batch, true)
    }

    fn configure_optimizers(&self) -> ParameterGroups {
        self.chosen.clone()
    }

    fn train_dataloader(&self) -> Result<DataLoader<Rows>> {
        Ok(loader(0, 4)?.batch_size(4))
    }
}

fn finetuning(options: &Finetuning) -> BackboneFinetuning {
    let default = BackboneFinetuning::default().unfreeze_backbone_at_epoch(2);
    let mut finetuning = default.lambda_func(|epoch| 1.0 + 0.25 * epoch as f64);
    finetuning.backbone_initial_ratio_lr =
        options.backbone_initial_ratio_lr.unwrap_or(finetuning.backbone_initial_ratio_lr);
    finetuning.backbone_initial_lr = options.backbone_initial_lr;
    finetuning.should_align = options.should_align.unwrap_or(true);
    finetuning.train_bn = options.train_bn.unwrap_or(true);
    finetuning
}

fn trainer(finetuning: BackboneFinetuning) -> Trainer<Transfer> {
    Trainer::new(TrainerConfig { max_epochs: Some(5), ..config() }).callback(finetuning)
}

#[test]
fn backbones_are_trained_as_lightning_trains_them() {
    for case in table().backbone_finetuning {
        let rates: Rc<RefCell<Vec<Vec<f64>>>> = Rc::default();
        let noted = Rc::clone(&rates);
        let note = LambdaCallback::new().on_train_epoch_end(move |ctx, _: &mut Transfer| {
            noted.borrow_mut().push(ctx.optimizers()[0].groups().iter().map(|group| group.lr()).collect());
        });
        let mut transfer = Transfer::new(&case.chosen);
        trainer(finetuning(&case.finetuning)).callback(note).fit(&mut transfer, ()).unwrap();
        let rates = rates.borrow();
        assert_eq!(rates.iter().map(Vec::len).collect::<Vec<_>>(), case.rates.iter().map(Vec::len).collect::<Vec<_>>());
        let pairs = rates.iter().flatten().zip(case.rates.iter().flatten());
        assert!(
            pairs.into_iter().all(|(rate, expected)| (rate - expected).abs() < 1e-12),
            "{rates:?}, not {:?}",
            case.rates
        );
        assert_values(&mut transfer, &case.model);
    }
}

#[test]
fn run_that_is_resumed_continues_with_its_groups() {
    let folder = tempfile::tempdir().unwrap();
    let tuned = || BackboneFinetuning::default().unfreeze_backbone_at_epoch(2).lambda_func(|_| 1.5);
    for epoch in [0, 1, 2, 3] {
        let path = folder.path().join(format!("{epoch}.ckpt"));
        let saved = path.clone();
        let save = LambdaCallback::new().on_train_epoch_end(move |ctx, _: &mut Transfer| {
            if ctx.current_epoch() == epoch {
                ctx.save_checkpoint(SaveRequest::new(&saved));
            }
        });
        let (mut whole, mut resumed) = (Transfer::new("head"), Transfer::new("head"));
        trainer(tuned()).callback(save).fit(&mut whole, ()).unwrap();
        trainer(tuned()).ckpt_path(&path).fit(&mut resumed, ()).unwrap();
        for (name, tensor) in whole.vs.variables() {
            assert_eq!(resumed.vs.variables()[&name], tensor, "{name}, after epoch {epoch}");
        }
    }
}

#[test]
fn backbone_that_is_not_there_is_an_error() {
    let refused = |pattern| {
        let mut trainer = trainer(BackboneFinetuning::new(pattern));
        trainer.fit(&mut Transfer::new("head"), ()).unwrap_err().to_string()
    };
    let said = "BackboneFinetuning: no parameter name matches `encoder.**`: create the backbone before `setup`";
    assert_eq!(refused("encoder.**"), said);
    assert!(refused("[").starts_with("BackboneFinetuning: `[` is not a valid pattern of parameter names: "));
}

#[test]
fn frozen_parameters_are_in_no_optimizer() {
    let mut transfer = Transfer::new("all");
    for (name, tensor) in transfer.vs.variables() {
        if name.starts_with("backbone.linear") {
            let _ = tensor.set_requires_grad(false);
        }
    }
    let before = transfer.linear.ws.copy();
    let mut trainer = Trainer::new(config());
    trainer.fit(&mut transfer, ()).unwrap();
    let names: Vec<String> = trainer.context().optimizers()[0].parameters().map(|(name, _)| name).collect();
    assert_eq!(names, ["backbone.norm.weight", "backbone.norm.bias", "head.bias", "head.weight"]);
    assert_eq!(transfer.linear.ws, before);
}
