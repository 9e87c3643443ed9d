//! Reads arbitrary text as the section `trainer` of a configuration file. A configuration that was read must be the same after it
//! is written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tch_lightning::TrainerConfig;

fuzz_target!(|text: &str| {
    let Ok(config) = TrainerConfig::from_yaml(text) else { return };
    let written = config.to_yaml().unwrap();
    assert_eq!(TrainerConfig::from_yaml(&written).unwrap(), config, "{written}");
});
