//! Snapshots of what the macros write, formatted as rustfmt would.
//!
//! When they have changed on purpose, `INSTA_UPDATE=always cargo test -p tch-lightning-macros` writes them down; read what
//! it wrote.

use crate::hooks::Role;
use crate::mistakes::Mistakes;
use crate::model::Block;
use crate::{batch, check, declare, expand, parse};
use proc_macro2::TokenStream;
use quote::quote;

/// What is written beside a block without mistakes.
fn beside(role: Role, block: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let item = parse::block(role, &TokenStream::new(), &block, &mut mistakes).unwrap();
    let mut block = Block::new(role, item);
    check::block(&mut block, &mut mistakes);
    assert_eq!(mistakes.into_compile_errors().to_string(), "");
    expand::generated(&block, &quote!(::tch_lightning))
}

fn derived(item: TokenStream) -> TokenStream {
    batch::implementation(&syn::parse2(item).unwrap(), &quote!(::tch_lightning)).unwrap()
}

fn is(name: &str, written: TokenStream) {
    let written = prettyplease::unparse(&syn::parse2(written).unwrap());
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

            fn configure_optimizers(&self) -> (Sgd, AdamW) {
                (Sgd::new(0.1), AdamW::new(0.1))
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
fn declared_trait() {
    is("declared_trait", declare::declare(quote!(CheckpointHooks)));
}
