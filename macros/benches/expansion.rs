//! How long the compiler waits for the expansion of a block with every hook.
//!
//! A macro crate hands out nothing but macros, so that its rooms are opened here once more.
#![allow(dead_code, missing_docs, unused_imports)]

#[path = "../src/arguments.rs"]
mod arguments;
#[path = "../src/batch.rs"]
mod batch;
#[path = "../src/catalogue.rs"]
mod catalogue;
#[path = "../src/check/mod.rs"]
mod check;
#[path = "../src/declare/mod.rs"]
mod declare;
#[path = "../src/expand/mod.rs"]
mod expand;
#[path = "../src/hooks.rs"]
mod hooks;
#[path = "../src/mistakes.rs"]
mod mistakes;
#[path = "../src/model.rs"]
mod model;
#[path = "../src/owned.rs"]
mod owned;
#[path = "../src/parse.rs"]
mod parse;
#[path = "../src/shared_moments.rs"]
mod shared_moments;
#[path = "../src/types.rs"]
mod types;

use hooks::Role;
use proc_macro2::TokenStream;
use std::time::{Duration, Instant};

const ROUNDS: usize = 100;

fn main() {
    let block: TokenStream = include_str!("every_hook.rs").parse().expect("the block is Rust");
    let mut took: Vec<Duration> = (0..ROUNDS).map(|_| expanded(&block)).collect();
    took.sort_unstable();
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
    let (first, median, last) = (took[0], took[ROUNDS / 2], took[ROUNDS - 1]);
    println!("the expansion of a block with every hook, in milliseconds");
    println!("least {:.2}, median {:.2}, most {:.2}", milliseconds(first), milliseconds(median), milliseconds(last));
}

fn expanded(block: &TokenStream) -> Duration {
    let began = Instant::now();
    let expansion = expand::attribute(Role::Module, TokenStream::new(), block.clone());
    let took = began.elapsed();
    let text = expansion.to_string();
    assert!(!text.contains("compile_error"), "the block has a mistake: {text}");
    took
}
