//! Texts that a language model writes.

use crate::canvas::Canvas;
use crate::gpt2::Gpt2;
use embedded_graphics::geometry::{Point, Size};
use tch_lightning::prelude::*;

/// A module that trains a language model.
pub trait LanguageModel: LightningModule {
    /// Returns the network.
    fn net(&self) -> &Gpt2;
}

/// Logs a text after each validation, and writes `samples.png` to the run's folder when training ends: the losses of the validations, and a
/// text.
pub struct Samples {
    prompt: &'static str,
    losses: Vec<f64>,
    /// The newest text.
    text: String,
}

impl Samples {
    /// Creates a callback whose texts begin with a prompt.
    pub fn new(prompt: &'static str) -> Self {
        Self { prompt, losses: Vec::new(), text: String::new() }
    }
}

#[lightning_callback]
impl Samples {
    fn on_validation_end(&mut self, ctx: &mut Context, module: &mut impl LanguageModel) -> Result<()> {
        if ctx.sanity_checking() {
            return Ok(());
        }
        self.losses.extend(ctx.callback_metrics().get("val_loss"));
        self.text = written(module.net(), self.prompt, 600, 0.8)?;
        ctx.log_text("sample", &self.text);
        Ok(())
    }

    fn on_train_end(&mut self, ctx: &mut Context) -> Result<()> {
        let mut canvas = Canvas::new(640, 470);
        canvas.write("loss of a byte of the validation, by epoch", 16, 20);
        canvas.curve(&self.losses, Point::new(56, 36), Size::new(504, 110));
        canvas.write_lines(&self.text.lines().take(19).collect::<Vec<_>>().join("\n"), 16, 180);
        let path = ctx.log_dir()?.join("samples.png");
        canvas.save(&path)?;
        eprintln!("a text that nobody wrote: {}", path.display());
        Ok(())
    }
}

/// Returns a text that begins with a prompt. A temperature below 1 prefers the likelier bytes.
pub fn written(net: &Gpt2, prompt: &str, length: usize, temperature: f64) -> Result<String> {
    let prompted: Vec<i64> = prompt.bytes().map(i64::from).collect();
    let drawn: Vec<u8> = net.generate(&prompted, length, temperature)?.into_iter().map(|byte| byte as u8).collect();
    Ok(format!("{prompt}{}", String::from_utf8_lossy(&drawn)))
}
