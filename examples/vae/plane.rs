//! A picture of the latent plane.

use crate::model::Vae;
use examples::canvas::Canvas;
use examples::data::SIDE;
use tch_lightning::prelude::*;

/// The number of images in a row and in a column of the decoded grid.
const STEPS: i64 = 14;
/// The latent coordinates at the edges of the picture, of both dimensions.
const EDGE: f64 = 2.5;
const SCALE: u32 = 4;
const CELL: u32 = SIDE as u32 * SCALE;
const WIDTH: u32 = STEPS as u32 * CELL;
const MARGIN: u32 = 24;

/// Writes `plane.png` to the run's folder when training ends: on the left where the validation's digits lie, on the right what the decoder
/// makes of the same points.
pub struct Plane {}

#[lightning_callback]
impl Plane {
    fn on_train_end(&mut self, ctx: &mut Context, module: &mut Vae) -> Result<()> {
        let mut canvas = Canvas::new(2 * WIDTH + 3 * MARGIN, WIDTH + 2 * MARGIN);
        canvas.write("handwritten digits on the latent plane", MARGIN, 16);
        let (means, classes) = module.latents();
        let places = Vec::<Vec<f32>>::try_from(means)?;
        for (place, class) in places.iter().zip(Vec::<i64>::try_from(classes)?) {
            let [right, down] =
                [place[0], place[1]].map(|value| (f64::from(value) / EDGE + 1.0) / 2.0 * f64::from(WIDTH));
            let inside = 0.0..f64::from(WIDTH - 8);
            if inside.contains(&right) && inside.contains(&down) {
                canvas.write(&class.to_string(), MARGIN + right as u32, MARGIN + down as u32 + 10);
            }
        }
        canvas.write("what the decoder makes of it", 2 * MARGIN + WIDTH, 16);
        let images = tch::no_grad(|| module.decode(&grid(ctx.device())));
        for (index, image) in (0..).zip(Vec::<Vec<f32>>::try_from(images)?) {
            let [left, top] = [index % STEPS as u32 * CELL, index / STEPS as u32 * CELL];
            canvas.digit(&image, SCALE, 2 * MARGIN + WIDTH + left, MARGIN + top);
        }
        let path = ctx.log_dir()?.join("plane.png");
        canvas.save(&path)?;
        eprintln!("the plane of the digits: {}", path.display());
        Ok(())
    }
}

/// Returns the points of the grid row by row, `[STEPS * STEPS, 2] f32`.
fn grid(device: Device) -> Tensor {
    let half = EDGE / STEPS as f64;
    let line = Tensor::linspace(half - EDGE, EDGE - half, STEPS, (Kind::Float, device));
    let columns = line.repeat([STEPS]);
    let rows = line.repeat_interleave_self_int(STEPS, 0, None::<i64>);
    Tensor::stack(&[columns, rows], 1)
}
