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

/// Methods with the names of Lightning's, which are written otherwise here.
mod lightnings {
    use tch_lightning::prelude::*;

    struct Model {
        vs: nn::VarStore,
        lines: usize,
    }

    /// A trait of the user's own.
    trait Report {
        fn print(&self) -> usize;
        fn log_dict(&mut self, more: usize) -> usize;
    }

    impl Report for Model {
        fn print(&self) -> usize {
            self.lines
        }

        fn log_dict(&mut self, more: usize) -> usize {
            self.lines += more;
            self.lines
        }
    }

    #[lightning_module]
    impl Model {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        fn training_step(&mut self, batch: &Tensor) -> Tensor {
            self.log(1);
            self.optimizers();
            self.log_dict(self.print());
            batch.log()
        }

        fn log(&self, more: usize) -> usize {
            self.lines + more
        }

        fn optimizers(&mut self) {
            self.lines += 3;
        }
    }

    #[test]
    fn methods_of_ones_own_come_first() {
        let mut model = Model { vs: nn::VarStore::new(Device::Cpu), lines: 2 };
        let (shared, owned) = (&model, &Box::new(3.0_f64));
        assert_eq!((shared.log(1), shared.print(), owned.log(3.0)), (3, 2, 1.0));
        assert_eq!(model.training_step(&Tensor::from(1.0)).numel(), 1);
        // 2 + 3, and as many again
        assert_eq!((model.print(), model.log_dict(1)), (10, 11));
    }
}
