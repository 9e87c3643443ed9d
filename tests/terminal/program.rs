//! A program that prints while it trains. Its argument says who prints its messages.

use std::env;
use std::thread::sleep;
use std::time::Duration;
use tch_lightning::messages;
use tch_lightning::prelude::*;
use tests::faults::{Net, config};

/// How many steps are taken between two lines.
const STEPS: usize = 10;

fn main() -> Result<()> {
    tch_lightning::__testing::skip_static_destructors();
    let mode = env::args().nth(1).unwrap_or_default();
    match mode.as_str() {
        "init" | "past the bar" => messages::init(),
        "own" => tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(messages::stderr).init(),
        _ => {}
    }
    let is_past_the_bar = mode == "past the bar";
    let mut step = 0;
    let mut net = Net::new(move |ctx, loss| {
        sleep(Duration::from_millis(10));
        step += 1;
        match (step % STEPS, step / STEPS) {
            (0, line) if is_past_the_bar => eprintln!("line {line}"),
            (0, line) if line % 4 == 0 => messages::print(format!("line {line}")),
            (0, line) if line % 2 == 0 => ctx.print(format!("line {line}")),
            (0, line) => tracing::warn!(line, "line"),
            _ => {}
        }
        Ok(if step == 5 { loss * f64::NAN } else { loss })
    });
    let config = TrainerConfig {
        max_epochs: Some(15),
        enable_progress_bar: true,
        on_non_finite_loss: tch_lightning::trainer::NonFiniteLoss::SkipStep,
        ..config()
    };
    Trainer::new(config).fit(&mut net, ())?;
    if mode.is_empty() {
        eprintln!("a subscriber was installed: {}", tracing::dispatcher::has_been_set());
    }
    Ok(())
}
