use tch_lightning::prelude::*;

struct Watch {
    path: String,
}

#[lightning_callback]
impl Watch {
    fn name(&self) -> &str {
        &self.path
    }

    fn state_key(&mut self) -> String {
        self.path.clone()
    }

    fn instance_key(&self) -> &str {
        &self.path
    }

    fn is_monitoring() -> bool {
        true
    }

    fn writes_checkpoints(&self) -> Result<bool> {
        Ok(true)
    }

    fn saves_when_written(&self, ctx: &mut Context) -> bool {
        ctx.sanity_checking()
    }
}

fn main() {}
