use crate::model::{Line, config};
use crate::table::table;
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::callbacks::LambdaCallback;
use tch_lightning::prelude::*;

type Called = Rc<RefCell<Vec<String>>>;

/// A callback with a closure for each of the hooks, whose closures take so many parameters besides `ctx` and `module`.
macro_rules! noting {
    ($called:expr; $($hook:ident($($parameter:tt),*))*) => {{
        let callback = LambdaCallback::new();
        $(
            let called = Rc::clone(&$called);
            let note = move || called.borrow_mut().push(stringify!($hook).to_owned());
            let callback = callback.$hook(move |_, _, $($parameter),*| note());
        )*
        callback
    }};
}

fn noting(called: &Called) -> LambdaCallback<Line> {
    noting! { called;
        setup(_) teardown(_) on_fit_start() on_fit_end() on_sanity_check_start() on_sanity_check_end()
        on_train_batch_start(_, _) on_train_batch_end(_, _, _) on_train_epoch_start() on_train_epoch_end()
        on_validation_epoch_start() on_validation_epoch_end() on_test_epoch_start() on_test_epoch_end()
        on_validation_batch_start(_, _, _) on_validation_batch_end(_, _, _, _)
        on_test_batch_start(_, _, _) on_test_batch_end(_, _, _, _)
        on_train_start() on_train_end() on_validation_start() on_validation_end() on_test_start() on_test_end()
        on_exception(_) on_save_checkpoint(_) on_load_checkpoint(_) on_before_backward(_) on_after_backward()
        on_before_optimizer_step(_) on_before_zero_grad(_) on_predict_start() on_predict_end()
        on_predict_batch_start(_, _, _) on_predict_batch_end(_, _, _, _)
        on_predict_epoch_start() on_predict_epoch_end(_)
    }
}

fn line() -> Line {
    Line::new(Sgd::new(0.1))
}

#[test]
fn hooks_are_called_when_lightning_calls_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.ckpt");
    let called = Called::default();
    let trainer = || {
        let config = TrainerConfig { max_epochs: Some(1), num_sanity_val_steps: 1, ..config() };
        Trainer::new(config).callback(noting(&called))
    };
    let mut first = trainer();
    first.fit(&mut line(), ()).unwrap();
    first.save_checkpoint(&mut line(), (), &path).unwrap();
    trainer().ckpt_path(&path).validate(&mut line(), ()).unwrap();
    trainer().test(&mut line(), ()).unwrap();
    trainer().predict(&mut line(), ()).unwrap();
    trainer().fit(&mut line().failing(), ()).unwrap_err();

    let expected = table().lambda_callback;
    assert_eq!(*called.borrow(), expected.called);
    let never: Vec<_> = expected.hooks.iter().filter(|hook| !expected.called.contains(hook)).collect();
    assert!(never.is_empty(), "{never:?}");
}

#[test]
fn closure_sees_the_module_and_may_fail() {
    let halved = LambdaCallback::new().on_train_batch_end(|ctx, line: &mut Line, loss: &Tensor, _, batch_idx| {
        tch::no_grad(|| line.layer.ws *= 0.5);
        if batch_idx == 2 && ctx.current_epoch() == 1 {
            let _: usize = "no number".parse()?;
        }
        assert!(loss.double_value(&[]) > 0.0);
        Ok(())
    });
    let error = Trainer::new(config()).callback(halved).fit(&mut line(), ()).unwrap_err();
    let said = "`on_train_batch_end` of the callback LambdaCallback failed in `fit` at epoch 1, batch 2: invalid digit \
                found in string";
    assert_eq!(error.to_string(), said);
}

#[test]
fn last_closure_of_a_hook_counts() {
    let called = Called::default();
    let note = |what: &'static str| {
        let called = Rc::clone(&called);
        move || called.borrow_mut().push(what.to_owned())
    };
    let (first, second) = (note("first"), note("second"));
    let callback = LambdaCallback::new().on_fit_start(move |_, _| first()).on_fit_start(move |_, _| second());
    Trainer::new(config()).callback(callback).fit(&mut line(), ()).unwrap();
    assert_eq!(*called.borrow(), ["second"]);
}
