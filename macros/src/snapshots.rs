//! Snapshots of what the macros write, formatted as rustfmt would.
//!
//! When they have changed on purpose, `INSTA_UPDATE=always cargo test -p tch-lightning-macros` writes them down; read what
//! it wrote.

use crate::arguments::Arguments;
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use crate::model::Block;
use crate::{batch, check, choice, collate, declare, expand, parse};
use proc_macro2::TokenStream;
use quote::quote;

/// Returns what is generated for a block without mistakes.
fn beside(role: Role, block: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let item = parse::block(role, &block, &mut diagnostics);
    let item = item.and_then(|item| parse::block_of_type(role, item, &mut diagnostics)).unwrap();
    let mut block = Block::new(role, Arguments::default(), item);
    check::block(&mut block, &mut diagnostics);
    assert_eq!(diagnostics.into_compile_errors().to_string(), "");
    expand::generated(&block, &quote!(::tch_lightning::__private))
}

fn derived(item: TokenStream) -> TokenStream {
    batch::implementation(&syn::parse2(item).unwrap(), &quote!(::tch_lightning::__private)).unwrap()
}

fn is(name: &str, written: TokenStream) {
    let written = prettyplease::unparse(&syn::parse2(written).unwrap());
    let written = written.replace(&expand::private_module_name().to_string(), "__private");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, written));
}

#[test]
fn smallest_module() {
    let block = quote! {
        impl Model {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }
        }
    };
    is("smallest_module", beside(Role::Module, block));
}

#[test]
fn module_with_its_own_loader() {
    let block = quote! {
        impl Model {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }
            fn predict_step(&mut self, batch: &Tensor) -> Tensor {
                batch * 2
            }

            fn predict_dataloader(&self) -> DataLoader<Tensor> {
                self.loader()
            }
        }
    };
    is("module_with_its_own_loader", beside(Role::Module, block));
}

#[test]
fn module_with_every_form() {
    let block = quote! {
        impl<N: nn::Module, Data> Model<N, Data>
        where
            Data: Clone,
        {
            fn new(hparams: &Hparams) -> Result<Self> {
                Self::with(hparams)
            }

            fn trainer_defaults() -> TrainerConfig {
                TrainerConfig::default()
            }

            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn training_step<'a>(
                &mut self,
                _batch_idx: usize,
                batch: &'a Rows,
                mut ctx: &mut Context,
            ) -> Result<Tensor> {
                self.loss(batch)
            }

            fn validation_step(&self, batch: &Rows) -> f64 {
                self.accuracy(batch)
            }

            #[cfg(feature = "text")]
            fn predict_step(&self, batch: &Rows) -> io::Result<String> {
                self.text(batch)
            }

            fn configure_optimizers(&self) -> (Sgd, StepLr) {
                (Sgd::new(0.1), StepLr::new(10))
            }

            fn on_train_batch_start(&mut self, batch_idx: BatchNumber) -> Result<Flow, String> {
                Ok(Flow::Continue)
            }

            #[cfg(unix)]
            fn on_train_end(&mut self) {}

            #[cfg(windows)]
            fn on_train_end(&mut self) -> Result<()> {
                Ok(())
            }

            #[not_a_hook]
            fn on_my_own(&self) {}

            fn hooks() -> usize {
                3
            }
        }
    };
    is("module_with_every_form", beside(Role::Module, block));
}

#[test]
fn data_module() {
    let block = quote! {
        impl Digits {
            fn new(hparams: DigitHparams) -> Self {
                Self { hparams }
            }

            fn setup(&mut self, stage: Stage) -> Result<()> {
                self.load(stage)
            }

            fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
                self.loader("train")
            }

            fn val_dataloader(&mut self) -> DataLoader<(Tensor, Tensor)> {
                self.loader("validation")
            }
        }
    };
    is("data_module", beside(Role::DataModule, block));
}

#[test]
fn steps_under_conditions() {
    let block = quote! {
        impl Model {
            fn parameters(&mut self) -> &mut VarStore {
                &mut self.vs
            }

            #[cfg(feature = "fast")]
            fn training_step(&mut self, batch: &Tensor) -> Tensor {
                self.fast(batch)
            }

            #[cfg(not(feature = "fast"))]
            fn training_step(&mut self, batch: &Tensor) -> Option<Tensor> {
                self.careful(batch)
            }
        }
    };
    is("steps_under_conditions", beside(Role::Module, block));
}

#[test]
fn generic_module() {
    let block = quote! {
        impl<B: Backbone, const CLASSES: i64> Classifier<B, CLASSES>
        where
            B::Input: Batch,
        {
            fn new() -> Self {
                Self::empty()
            }

            fn parameters(&mut self) -> &mut VarStore {
                &mut self.vs
            }

            fn validation_step(&mut self, batch: &B::Input) -> [Tensor; 2] {
                self.scores(batch)
            }
        }
    };
    is("generic_module", beside(Role::Module, block));
}

#[test]
fn results_of_every_kind() {
    let block = quote! {
        impl Data {
            fn prepare_data(&self) -> std::io::Result<()> {
                self.download()
            }

            fn setup(&mut self) -> std::fmt::Result {
                self.describe()
            }

            fn teardown(&mut self) -> Result<(), Trouble> {
                self.remove()
            }

            fn predict_dataloader(&mut self) -> Result<Vec<DataLoader<Tensor>>, Trouble> {
                self.loaders()
            }
        }
    };
    is("results_of_every_kind", beside(Role::DataModule, block));
}

/// Only the compiler knows whether they are one type.
#[test]
fn batches_under_two_names() {
    let block = quote! {
        impl Data {
            fn train_dataloader(&mut self) -> DataLoader<Rows> {
                self.loader("train")
            }

            fn val_dataloader(&mut self) -> Vec<DataLoader<(Tensor, Tensor)>> {
                vec![self.loader("validation")]
            }

            fn on_after_batch_transfer(&mut self, batch: Rows) -> Rows {
                batch
            }

            fn on_before_batch_transfer(&mut self, batch: (Tensor, Tensor)) -> (Tensor, Tensor) {
                batch
            }
        }
    };
    is("batches_under_two_names", beside(Role::DataModule, block));
}

#[test]
fn callback_of_one_module() {
    let block = quote! {
        impl Counter {
            fn on_train_batch_start(&mut self, module: &mut Model, batch: &Tensor) {
                module.count(batch);
            }
        }
    };
    is("callback_of_one_module", beside(Role::Callback, block));
}

#[test]
fn callback_of_every_module() {
    let block = quote! {
        impl<W: Write> Printer<W> {
            fn on_train_batch_end(&mut self, ctx: &mut Context, batch: &Tensor, outputs: &Loss) -> io::Result<()> {
                writeln!(self.to, "{batch:?} {outputs:?}")
            }

            fn on_fit_end(&self, ctx: &Context) {}
        }
    };
    is("callback_of_every_module", beside(Role::Callback, block));
}

#[test]
fn callback_with_type_parameters_for_the_module() {
    let block = quote! {
        impl<M: LightningModule> Printer {
            fn on_train_batch_end(&mut self, module: &mut M, batch: &M::Batch) {
                self.print(module)
            }

            fn on_fit_end<T>(&self, module: &T)
            where
                T: Described,
            {
                println!("{}", module.described());
            }

            fn on_fit_start(&self) {}

            fn print(&self, module: &M) {}
        }
    };
    is("callback_with_type_parameters_for_the_module", expand::attribute(Role::Callback, TokenStream::new(), block));
}

/// The faulty hook is omitted, the others are generated, and the second `ctx` is renamed.
#[test]
fn mistakes_of_a_data_module() {
    let block = quote! {
        impl Data {
            async fn setup(&mut self, ctx: &mut Context, ctx: &mut Context) {
                self.load().await
            }

            fn teardown(&mut self) {}

            fn on_download(&mut self) {}
        }
    };
    is("mistakes_of_a_data_module", expand::attribute(Role::DataModule, TokenStream::new(), block));
}

#[test]
fn data_module_that_borrows() {
    let block = quote! {
        impl<'p> Data<'p> {
            fn train_dataloader(&mut self) -> DataLoader<Tensor> {
                self.loader(self.path)
            }
        }
    };
    is("data_module_that_borrows", expand::attribute(Role::DataModule, TokenStream::new(), block));
}

#[test]
fn batch_of_a_struct() {
    let item = quote! {
        struct Sentences<T> {
            tokens: Tensor,
            r#type: Option<T>,
        }
    };
    is("batch_of_a_struct", derived(item));
}

#[test]
fn batch_of_an_enum() {
    let item = quote! {
        enum Sample {
            Image(Tensor),
            Text { tokens: Tensor, names: Vec<String> },
            Nothing,
        }
    };
    is("batch_of_an_enum", derived(item));
}

#[test]
fn batch_of_a_tuple() {
    let item = quote! {
        struct Pair<T, const N: usize>([T; N], String)
        where
            T: Clone;
    };
    is("batch_of_a_tuple", derived(item));
}

#[test]
fn batch_that_borrows() {
    let item = quote! {
        struct Rows<'t, T: 't> {
            input: &'t T,
        }
    };
    is("batch_that_borrows", batch::derive(item));
}

#[test]
fn sample_of_a_struct() {
    let item = quote! {
        #[collate(batch = Measurements)]
        struct Measurement {
            values: [f32; 32],
            r#type: i64,
        }
    };
    is("sample_of_a_struct", collate::derive(item));
}

#[test]
fn declared_trait() {
    is("declared_trait", declare::declare(quote!(CheckpointHooks)));
}

#[test]
fn choice() {
    let item = quote! {
        /// An encoder.
        #[derive(Clone, Choice, Serialize, Deserialize)]
        #[serde(tag = "name", rename_all = "snake_case")]
        enum Encoder {
            /// A residual network.
            ///
            /// He et al.
            Resnet {
                /// The number of layers
                /// in total.
                depth: i64,
                #[serde(default)]
                width: i64,
            },
            Vit(Vit),
            /// No encoder
            Identity,
        }
    };
    is("choice", choice::implementation(&syn::parse2(item).unwrap(), &quote!(::tch_lightning::__private)).unwrap());
}
