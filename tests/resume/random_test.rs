//! Trains by random plans, each with and without an interruption: `random_resume --configurations 500 --seed 1`. The run that is
//! resumed must call the hooks, write the rows and end with the weights of the one that was not interrupted, bit for bit.

use anyhow::{Context as _, Result};
use clap::Parser;
use tests::resume::random::{Outcome, Plan, check};

#[derive(Parser)]
struct Arguments {
    /// The number of configurations that are trained and resumed
    #[arg(long, default_value_t = 500)]
    configurations: usize,
    /// The number of the first configuration
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let Arguments { configurations, seed } = Arguments::parse();
    tch_lightning::prelude::tch::set_num_threads(1);
    println!("{configurations} configurations from seed {seed}");
    let (mut same, mut number, mut failed) = (0, seed, 0);
    while same < configurations {
        match check(number).with_context(|| format!("{:#?}", Plan::random(number))) {
            Ok(Outcome::Same) => same += 1,
            Ok(Outcome::Refused | Outcome::NothingToResume) => {}
            Err(error) => {
                failed += 1;
                same += 1;
                println!(
                    "seed {number}: {}",
                    error.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>().join(": ")
                );
                println!("{error}");
            }
        }
        number += 1;
    }
    println!(
        "{} of {configurations} configurations resumed as they were, of {} drawn",
        configurations - failed,
        number - seed
    );
    if failed > 0 { std::process::exit(1) } else { Ok(()) }
}
