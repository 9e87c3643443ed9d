//! A block may have functions with the names of the generated ones, and types with the names of the language.

#![allow(non_camel_case_types)]

use tch_lightning::prelude::{Device, Tensor, lightning_module, nn};

struct Result;
struct Option;
struct Vec;
struct Box;
struct Some;
struct Ok;
struct Err;
struct core;
struct std;
mod tch {}

use tch_lightning::RunContext as Context;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn on_fit_start(&mut self, ctx: &mut Context) -> ::std::io::Result<()> {
        ctx.stop();
        ::core::result::Result::Ok(())
    }

    fn main() -> usize {
        1
    }

    fn trainer() -> usize {
        2
    }

    fn hooks() -> usize {
        3
    }
}

#[test]
fn names_are_those_of_the_block() {
    assert_eq!(Model::main() + Model::trainer() + Model::hooks(), 6);
    assert!(Model { vs: nn::VarStore::new(Device::Cpu) }.parameters().is_empty());
}
