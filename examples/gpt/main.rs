//! Trains a small GPT-2 on Shakespeare, and writes texts. README.md in this folder shows how.

mod model;

use clap::{Arg, Command, value_parser};
use examples::samples::{LanguageModel as _, written};
use examples::text::Text;
use model::Gpt;
use std::process::ExitCode;
use tch_lightning::prelude::*;
use tch_lightning::trainer::CkptPath;

fn main() -> ExitCode {
    let argument = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).default_value(default).help(help)
    };
    let sample = Command::new("sample")
        .about("Write a text")
        .arg(argument("prompt", "ROMEO:\n", "The beginning of the text"))
        .arg(argument("length", "500", "The number of further bytes").value_parser(value_parser!(usize)))
        .arg(
            argument("temperature", "0.8", "Below 1 for likelier bytes, above it for rarer ones")
                .value_parser(value_parser!(f64)),
        )
        .arg(argument("seed", "1", "The seed of the drawn bytes").value_parser(value_parser!(i64)));
    Gpt::program::<Text>()
        .subcommand(sample, |arguments| {
            let prompt: &String = arguments.get_one("prompt").context("a default")?;
            let length: &usize = arguments.get_one("length").context("a default")?;
            let temperature: &f64 = arguments.get_one("temperature").context("a default")?;
            tch::manual_seed(*arguments.get_one("seed").context("a default")?);
            let model = Gpt::load_from_checkpoint(CkptPath::Best.resolve(".")?)?;
            println!("{}", written(model.net(), prompt, *length, *temperature)?);
            Ok(())
        })
        .run()
}
