//! What generated code introduces takes no name away from the user's.

#![allow(non_camel_case_types, clippy::upper_case_acronyms, clippy::wrong_self_convention)]

use tch_lightning::Hook;
use tch_lightning::prelude::*;

/// Types with the names of generated type parameters.
mod type_parameters {
    use super::*;

    #[derive(Batch)]
    pub(super) struct M {
        pub(super) input: Tensor,
    }

    pub(super) struct Model {
        pub(super) vs: nn::VarStore,
    }

    #[lightning_module]
    impl Model {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        pub(super) fn training_step(&mut self, batch: &M) -> Tensor {
            batch.input.mean(None)
        }

        fn validation_step(&mut self, batch: &M) -> M {
            M { input: batch.input.shallow_clone() }
        }

        fn configure_optimizers(&mut self) -> Sgd {
            Sgd::new(0.1)
        }
    }

    /// Watches every module with these batches.
    pub(super) struct Watcher;

    #[lightning_callback]
    impl Watcher {
        fn on_train_batch_start(&mut self, batch: &M) {
            assert_eq!(batch.input.numel(), 2);
        }

        fn on_validation_batch_end(&mut self, outputs: &M) {
            assert_eq!(outputs.input.numel(), 2);
        }
    }

    pub(super) trait Likes<T> {}

    impl Likes<M> for u8 {}

    pub(super) struct Liking<T>(pub(super) T);

    #[lightning_callback]
    impl<T> Liking<T>
    where
        T: Likes<M> + Send + 'static,
    {
        fn on_fit_start(&mut self) {}
    }

    pub(super) struct Held<T>(T);

    #[lightning_callback]
    impl Held<M> {
        fn on_train_start(&mut self) {
            assert_eq!(self.0.input.numel(), 2);
        }
    }

    pub(super) struct Data;
    pub(super) struct Declared;
    pub(super) struct Written;

    #[derive(Batch)]
    #[allow(non_upper_case_globals)]
    pub(super) struct Generic<M, Data, const At: usize> {
        first: M,
        second: [Data; At],
    }

    pub(super) struct Three<M, M_, Data> {
        vs: nn::VarStore,
        types: (M, M_, Data),
    }

    #[lightning_module]
    impl<M, M_, Data> Three<M, M_, Data> {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }
    }

    #[lightning_callback]
    impl<M, M_, Data> Three<M, M_, Data> {
        fn on_train_start(&mut self) {}
    }
}

/// Variants with the names of associated types.
enum Variants {
    Batch(nn::VarStore),
    TrainingOutput,
    Hparams,
    TABLE,
}

#[lightning_module]
impl Variants {
    fn new() -> Self {
        Self::Batch(nn::VarStore::new(Device::Cpu))
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        match self {
            Self::Batch(vs) => vs,
            _ => unreachable!(),
        }
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn train_dataloader(&mut self) -> DataLoader<Tensor> {
        unreachable!()
    }
}

/// Constants and statics with the names of generated variables.
#[allow(non_upper_case_globals)]
mod variables {
    use super::*;

    const value: usize = 1;
    static error: usize = 2;

    pub(super) struct Model {
        vs: nn::VarStore,
    }

    #[lightning_module]
    impl Model {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        fn on_train_batch_start(&mut self) -> Result<Flow> {
            if value < error { Ok(Flow::Continue) } else { Ok(Flow::SkipEpoch) }
        }
    }
}

/// A trait with methods of the same names, and one with those of ours.
mod traits {
    use super::*;

    trait Steps {
        fn training_step(&mut self, batch: &Tensor) -> Tensor;
        fn take(&self) {}
        fn into_value(&self) {}
        fn map_tensors(&self) {}
        fn from_hparams(&self) {}
    }

    impl<T> Steps for T {
        fn training_step(&mut self, _batch: &Tensor) -> Tensor {
            unreachable!()
        }
    }

    pub(super) struct Model {
        pub(super) vs: nn::VarStore,
    }

    #[lightning_module]
    impl Model {
        pub(super) fn new() -> Self {
            let model = Self { vs: nn::VarStore::new(Device::Cpu) };
            model.take();
            model
        }

        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        pub(super) fn training_step(&mut self, batch: &Tensor) -> Tensor {
            batch.mean(None)
        }
    }

    #[derive(Batch)]
    pub(super) struct Rows {
        map: Tensor,
        visit: Tensor,
        r#match: Tensor,
    }
}

/// Modules, types, variants and macros with the names of the language.
mod language {
    #![allow(unused_macros, unused_imports)]

    pub(super) mod std {}
    pub(super) mod core {}
    pub(super) mod alloc {}
    pub(super) mod tch {}
    pub(super) mod tch_lightning {}
    pub(super) mod anyhow {}
    struct usize;
    struct bool;
    struct f64;
    struct String;
    struct Result;
    struct Option;
    struct Vec;
    struct Box;
    trait Iterator {}
    trait FnMut {}
    enum Mine {
        Ok,
        Err,
        Some,
        None,
    }
    use Mine::*;

    macro_rules! vec {
        () => {};
    }
    macro_rules! format {
        () => {};
    }
    macro_rules! line {
        () => {};
    }
    macro_rules! file {
        () => {};
    }
    macro_rules! unimplemented {
        () => {};
    }

    pub(super) struct Model {
        vs: ::tch_lightning::prelude::nn::VarStore,
    }

    #[::tch_lightning::lightning_module]
    impl Model {
        fn new() -> Self {
            Self { vs: ::tch_lightning::prelude::nn::VarStore::new(::tch_lightning::prelude::Device::Cpu) }
        }

        fn parameters(&mut self) -> &mut ::tch_lightning::prelude::nn::VarStore {
            &mut self.vs
        }

        fn training_step(
            &mut self,
            batch: &Rows,
            batch_idx: ::core::primitive::usize,
        ) -> ::core::option::Option<::tch_lightning::prelude::Tensor> {
            assert_eq!(batch_idx, 0);
            ::core::option::Option::Some(batch.0.mean(::core::option::Option::None))
        }

        fn on_train_batch_start(&mut self) -> ::core::result::Result<::tch_lightning::module::Flow, ::std::io::Error> {
            ::core::result::Result::Ok(::tch_lightning::module::Flow::Continue)
        }

        fn train_dataloader(&mut self) -> ::tch_lightning::data::DataLoader<Rows> {
            ::core::panic!()
        }
    }

    #[derive(::tch_lightning::data::Batch)]
    pub(super) struct Rows(::tch_lightning::prelude::Tensor);

    #[derive(::tch_lightning::data::Batch)]
    pub(super) enum Either {
        Ok(::tch_lightning::prelude::Tensor),
        None,
        Self_ { tensor: ::tch_lightning::prelude::Tensor },
    }

    pub(super) struct Watcher;

    #[::tch_lightning::lightning_callback]
    impl Watcher {
        fn on_train_batch_end(
            &mut self,
            _outputs: &::core::option::Option<::tch_lightning::prelude::Tensor>,
            _batch: &Rows,
        ) {
        }
    }
}

/// Names that are keywords.
mod raw {
    use super::*;

    pub(super) struct r#type<r#impl> {
        vs: nn::VarStore,
        r#fn: r#impl,
    }

    #[lightning_module]
    impl<r#impl> r#type<r#impl> {
        fn r#new() -> Self
        where
            r#impl: Default,
        {
            Self { vs: nn::VarStore::new(Device::Cpu), r#fn: Default::default() }
        }

        fn r#parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        fn r#training_step(&mut self, r#batch: &r#struct, r#batch_idx: usize) -> Tensor {
            &batch.r#in + i64::try_from(batch_idx).unwrap()
        }

        fn r#match(&self) -> &r#impl {
            &self.r#fn
        }
    }

    #[derive(Batch)]
    pub(super) struct r#struct {
        pub(super) r#in: Tensor,
    }

    #[derive(Batch)]
    pub(super) enum r#enum {
        r#struct(Tensor),
        r#loop { r#while: Tensor },
    }
}

#[test]
fn names_are_not_captured() {
    let mut model = type_parameters::Model { vs: nn::VarStore::new(Device::Cpu) };
    let batch = type_parameters::M { input: Tensor::from_slice(&[1.0, 2.0]) };
    assert_eq!(model.training_step(&batch), Tensor::from(1.5));
    let watcher: Box<dyn Callback<type_parameters::Model>> = Box::new(type_parameters::Watcher);
    assert!(watcher.name().ends_with("type_parameters::Watcher"));
    let liking: Box<dyn Callback<type_parameters::Model>> = Box::new(type_parameters::Liking(1_u8));
    assert!(liking.name().contains("Liking"));
    assert_eq!(traits::Model::new().training_step(&Tensor::from(2.0)), Tensor::from(2.0));
    assert_eq!(Variants::hooks(), [Hook::TrainingStep, Hook::TrainDataloader]);
    let other: Box<dyn Callback<language::Model>> = Box::new(language::Watcher);
    assert!(other.name().ends_with("language::Watcher"));
    assert_eq!(language::Model::hooks(), [Hook::TrainingStep, Hook::OnTrainBatchStart, Hook::TrainDataloader]);
    assert_eq!(raw::r#type::<i64>::hooks(), [Hook::TrainingStep]);
}
