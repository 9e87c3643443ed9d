//! A picture of how far the predicted probabilities are from the frequencies.

use crate::model::{Evaluated, Repayment};
use embedded_graphics::pixelcolor::Gray8;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, Polyline, PrimitiveStyle, Rectangle};
use examples::canvas::Canvas;
use std::convert::Infallible;
use tch_lightning::prelude::*;

const SIDE: i32 = 320;
const MARGIN: i32 = 48;
/// The number of groups of loans, by their predicted probability.
const BINS: usize = 10;

/// Writes `calibration.png` to the run's folder at the end of a test: on the left with the network's probabilities, on the right with those
/// of its logits divided by the temperatures.
pub struct Diagram {}

#[lightning_callback]
impl Diagram {
    fn on_test_end(&mut self, ctx: &mut Context, module: &mut Repayment) -> Result<()> {
        let mut canvas = Canvas::new((2 * SIDE + 3 * MARGIN) as u32, (SIDE + 2 * MARGIN) as u32);
        let Evaluated { logits, branch, repaid } = module.evaluated();
        let calibrated = module.calibrated(&logits, &branch);
        for (left, title, logits) in [
            (MARGIN, "as the network says", logits),
            (2 * MARGIN + SIDE, "with a temperature for each branch", calibrated),
        ] {
            let Ok(()) = draw(&mut canvas, left, title, &groups(&logits.sigmoid(), &repaid)?);
        }
        let path = ctx.log_dir()?.join("calibration.png");
        canvas.save(&path)?;
        eprintln!("the calibration of the probabilities: {}", path.display());
        Ok(())
    }
}

/// The loans whose predicted probabilities are close to each other.
#[derive(Clone, Copy, Default)]
struct Group {
    loans: f64,
    predicted: f64,
    repaid: f64,
}

fn groups(probabilities: &Tensor, repaid: &Tensor) -> Result<[Group; BINS]> {
    let mut groups = [Group::default(); BINS];
    let (probabilities, repaid) = (Vec::<f32>::try_from(probabilities)?, Vec::<f32>::try_from(repaid)?);
    for (probability, repaid) in probabilities.into_iter().zip(repaid) {
        let group = &mut groups[((probability * BINS as f32) as usize).min(BINS - 1)];
        group.loans += 1.0;
        group.predicted += f64::from(probability);
        group.repaid += f64::from(repaid);
    }
    Ok(groups)
}

fn draw(canvas: &mut Canvas, left: i32, title: &str, groups: &[Group]) -> Result<(), Infallible> {
    let place = |x: f64, y: f64| {
        let side = f64::from(SIDE);
        Point::new(left + (x * side) as i32, MARGIN + ((1.0 - y) * side) as i32)
    };
    let stroke = |shade: u8, width: u32| PrimitiveStyle::with_stroke(Gray8::new(shade), width);
    canvas.write(title, left as u32, (MARGIN - 12) as u32);
    Rectangle::new(place(0.0, 1.0), Size::new_equal(SIDE as u32)).into_styled(stroke(0, 1)).draw(canvas)?;
    Line::new(place(0.0, 0.0), place(1.0, 1.0)).into_styled(stroke(160, 1)).draw(canvas)?;
    let most = groups.iter().map(|group| group.loans).fold(1.0, f64::max);
    let mut points = Vec::new();
    for group in groups.iter().filter(|group| group.loans > 0.0) {
        let point = place(group.predicted / group.loans, group.repaid / group.loans);
        let diameter = 4 + (24.0 * (group.loans / most).sqrt()) as u32;
        let circle = Circle::with_center(point, diameter);
        circle.into_styled(PrimitiveStyle::with_fill(Gray8::new(200))).draw(canvas)?;
        circle.into_styled(stroke(0, 1)).draw(canvas)?;
        points.push(point);
    }
    Polyline::new(&points).into_styled(stroke(0, 2)).draw(canvas)?;
    canvas.write("predicted probability", left as u32, (MARGIN + SIDE + 18) as u32);
    canvas.write("fraction repaid", (left + 6) as u32, (MARGIN + 16) as u32);
    for (value, text) in [(0.0, "0"), (1.0, "1")] {
        let point = place(value, 0.0);
        canvas.write(text, (point.x - 3) as u32, (MARGIN + SIDE + 34) as u32);
    }
    Ok(())
}
