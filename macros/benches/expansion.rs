//! How long the compiler waits for the expansion of a block with every hook, and how that grows with its other methods.
//! Users' builds do not optimize macros, release builds included: `cargo bench --profile dev` measures what they wait for.
//!
//! A macro crate hands out nothing but macros, so that its rooms are opened here once more.
#![allow(dead_code, missing_docs, unused_imports)]

extern crate proc_macro;

#[path = "../src/arguments.rs"]
mod arguments;
#[path = "../src/attributes.rs"]
mod attributes;
#[path = "../src/batch/mod.rs"]
mod batch;
#[path = "../src/catalogue/mod.rs"]
mod catalogue;
#[path = "../src/check/mod.rs"]
mod check;
#[path = "../src/constructor.rs"]
mod constructor;
#[path = "../src/crate_files.rs"]
mod crate_files;
#[path = "../src/declare/mod.rs"]
mod declare;
#[path = "../src/diagnostics.rs"]
mod diagnostics;
#[path = "../src/emptied.rs"]
mod emptied;
#[path = "../src/erase_lifetimes.rs"]
mod erase_lifetimes;
#[path = "../src/every_module.rs"]
mod every_module;
#[path = "../src/expand/mod.rs"]
mod expand;
#[path = "../src/free_name.rs"]
mod free_name;
#[path = "../src/hooks/mod.rs"]
mod hooks;
#[path = "../src/misplaced_role.rs"]
mod misplaced_role;
#[path = "../src/model.rs"]
mod model;
#[path = "../src/other_blocks.rs"]
mod other_blocks;
#[path = "../src/parse.rs"]
mod parse;
#[path = "../src/prelude_constructors.rs"]
mod prelude_constructors;
#[path = "../src/python_choices.rs"]
mod python_choices;
#[path = "../src/python_names.rs"]
mod python_names;
#[path = "../src/returned.rs"]
mod returned;
#[path = "../src/second_attribute.rs"]
mod second_attribute;
#[path = "../src/source_file.rs"]
mod source_file;
#[path = "../src/taken_apart.rs"]
mod taken_apart;
#[path = "../src/torch_names.rs"]
mod torch_names;
#[path = "../src/types.rs"]
mod types;

use hooks::Role;
use proc_macro2::TokenStream;
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;

/// How many ordinary methods stand in the block after its hooks.
const HELPERS: [usize; 4] = [0, 10, 100, 1_000];

fn main() {
    println!("the expansion of a block with every hook and ordinary methods, in milliseconds");
    println!("(in a manifest that renames the runtime, finding its name takes {:.2} more, once)", milliseconds(root()));
    println!("{:>8} {:>8} {:>8} {:>8}", "methods", "least", "median", "most");
    for helpers in HELPERS {
        let block = block(helpers);
        let mut took: Vec<Duration> = (0..ROUNDS).map(|_| expanded(&block)).collect();
        took.sort_unstable();
        let [least, median, most] = [took[0], took[ROUNDS / 2], took[ROUNDS - 1]].map(milliseconds);
        println!("{helpers:>8} {least:>8.2} {median:>8.2} {most:>8.2}");
    }
}

/// The block with every hook and this many ordinary methods.
fn block(helpers: usize) -> TokenStream {
    let hooks = include_str!("every_hook.rs").trim_end().strip_suffix('}').expect("the block ends");
    let helper = |number| {
        format!(
            "fn helper_{number}(&self, input: &Tensor, weight: Option<f64>) -> Result<Tensor> {{\n\
                 let scaled = input * weight.unwrap_or(1.0);\n\
                 Ok(self.layers.forward(&scaled).relu().mean_dim(1, false, Kind::Float))\n\
             }}\n"
        )
    };
    let helpers: String = (0..helpers).map(helper).collect();
    format!("{hooks}{helpers}}}").parse().expect("the block is Rust")
}

/// How long it takes to find the name of the runtime crate, before it is remembered.
fn root() -> Duration {
    let began = Instant::now();
    expand::crate_root();
    began.elapsed()
}

fn expanded(block: &TokenStream) -> Duration {
    let began = Instant::now();
    let expansion = expand::attribute(Role::Module, TokenStream::new(), block.clone());
    let took = began.elapsed();
    let text = expansion.to_string();
    assert!(!text.contains("compile_error"), "the block has a mistake: {text}");
    took
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
