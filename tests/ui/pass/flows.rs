//! `on_train_batch_start` answers with a `Flow`, or with nothing to go on.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

macro_rules! answering {
    ($name:ident $(, $output:ty)?: $value:expr) => {
        struct $name {
            vs: nn::VarStore,
        }

        #[lightning_module]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn on_train_batch_start(&mut self) $(-> $output)? {
                $value
            }
        }
    };
}

answering!(Nothing: {});
answering!(NothingOrError, Result<()>: Ok(()));
answering!(Always, Flow: Flow::SkipEpoch);
answering!(OrError, Result<Flow>: bail!("no"));

#[test]
fn flows_are_hooks() {
    for hooks in [Nothing::hooks(), NothingOrError::hooks(), Always::hooks(), OrError::hooks()] {
        assert_eq!(hooks, [Hook::OnTrainBatchStart]);
    }
}
