//! Writes a picture of generated digits.

use crate::model::Gan;
use examples::canvas::Canvas;
use examples::data::SIDE;
use tch_lightning::prelude::*;

/// The number of rows of ten digits, one of each class.
const ROWS: i64 = 10;
const KINDS: i64 = 10;
const SCALE: u32 = 6;
const MARGIN: u32 = 8;
const CELL: u32 = SIDE as u32 * SCALE + MARGIN;

/// Writes `samples.png` to the run's folder when training ends.
#[derive(Default)]
pub struct Samples {}

#[lightning_callback]
impl Samples {
    fn on_train_end(&mut self, ctx: &mut Context, module: &mut Gan) -> Result<()> {
        let kinds = Tensor::arange(KINDS, (Kind::Int64, ctx.device())).repeat([ROWS]);
        let drawn = tch::no_grad(|| module.draw(&kinds, false));
        let path = ctx.log_dir()?.join("samples.png");
        grid(&Vec::<Vec<f32>>::try_from(drawn)?).save(&path)?;
        eprintln!("{} digits that nobody wrote: {}", ROWS * KINDS, path.display());
        Ok(())
    }
}

fn grid(digits: &[Vec<f32>]) -> Canvas {
    let mut canvas = Canvas::new(KINDS as u32 * CELL + MARGIN, ROWS as u32 * CELL + MARGIN);
    for (place, digit) in (0..).zip(digits) {
        let (column, row) = (place % KINDS as u32, place / KINDS as u32);
        canvas.digit(digit, SCALE, MARGIN + column * CELL, MARGIN + row * CELL);
    }
    canvas
}
