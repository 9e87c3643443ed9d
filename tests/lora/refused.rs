//! Settings and files that are refused.

use super::made_in_python;
use super::network::{Network, random_numbers};
use tch_lightning::lora::{self, Lora, LoraLinear};
use tch_lightning::prelude::*;

#[test]
fn unsupported_adapters_are_refused() {
    let Some(folder) = made_in_python() else { return };
    for (name, expected) in [
        (
            "dora",
            "its `use_dora` is true, which is not supported: all layers have one rank and one alpha, and nothing else",
        ),
        (
            "ranks",
            "its `rank_pattern` is {\"out\":2}, which is not supported: all layers have one rank and one alpha, and nothing else",
        ),
        ("bias", "its `bias` is `all`, and only `none` is supported"),
        (
            "pissa",
            "its `init_lora_weights` is `pissa`, which changes the weights of the base: convert it to a plain LoRA in Python by \
             `path_initial_model_for_weight_conversion` of `save_pretrained`",
        ),
    ] {
        let folder = folder.join(name);
        let refused = lora::open(&folder).unwrap_err().to_string();
        assert_eq!(refused, format!("cannot use the adapter in {}: {expected}", folder.display()));
    }
}

#[test]
fn adapter_of_another_module_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lora = Lora::new(2, "**.{qkv,out}");
    lora.save(&Network::new(Some(&lora)).vs, folder.path()).unwrap();
    let mut other = Network::new(Some(&Lora::new(3, "{embed,**.qkv}")));
    let before = other.vs.variables()["attn.qkv.lora_A.weight"].copy();
    let refused = lora::open(folder.path()).unwrap().load(&mut other.vs).unwrap_err().to_string();
    let expected = "does not fit the module: missing: embed.lora_A.weight, embed.lora_B.weight; of another shape: \
                    attn.qkv.lora_A.weight ([2, 8] instead of [3, 8]), attn.qkv.lora_B.weight ([24, 2] instead of [24, 3]); \
                    unexpected: attn.out.lora_A.weight, attn.out.lora_B.weight";
    assert!(refused.ends_with(expected), "{refused}");
    assert_eq!(other.vs.variables()["attn.qkv.lora_A.weight"], before);
}

#[test]
fn settings_without_sense_are_refused() {
    let vs = nn::VarStore::new(Device::Cpu);
    let refused = |lora: Lora| {
        let _random_numbers = random_numbers();
        LoraLinear::new(vs.root() / "fc", 3, 2, nn::LinearConfig::default(), Some(&lora)).unwrap_err().to_string()
    };
    assert_eq!(refused(Lora::new(0, "fc")), "LoRA: rank must be at least 1, but it is 0");
    assert_eq!(refused(Lora::new(1, "fc").dropout(1.0)), "LoRA: dropout must be at least 0 and below 1, but it is 1");
    assert_eq!(refused(Lora::new(1, "fc").alpha(f64::NAN)), "LoRA: alpha must be a finite number, but it is NaN");
    assert!(refused(Lora::new(1, "[")).starts_with("LoRA: `[` is not a valid pattern"));
    assert!(vs.is_empty());

    let refused = |lora: Lora| lora.freeze_base(&Network::new(Some(&lora)).vs).unwrap_err().to_string();
    let parameters = "embed.bias, embed.weight, attn.qkv.bias, attn.qkv.weight, attn.out.bias, attn.out.weight, head.bias, head.weight";
    assert_eq!(
        refused(Lora::new(1, "**.c_attn").target_modules("mlp.*")),
        format!(
            "LoRA: no layer has an adapter: the paths of the layers made by `LoraLinear::new` do not match `**.c_attn`, `mlp.*`; the \
             parameters are {parameters}"
        )
    );
    let refused = refused(Lora::new(1, "head").modules_to_save("classifier"));
    assert!(
        refused.starts_with("LoRA: no module matches `classifier` of `modules_to_save`; the parameters are "),
        "{refused}"
    );
}

#[test]
fn missing_and_damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let config = folder.join("adapter_config.json");
    let refused = || lora::open(folder).unwrap_err().to_string();
    assert_eq!(refused(), format!("cannot read {}: No such file or directory (os error 2)", config.display()));
    std::fs::write(&config, "{").unwrap();
    let start = format!("cannot use the adapter in {}: `adapter_config.json` is not valid: ", folder.display());
    assert!(refused().starts_with(&start), "{}", refused());
    std::fs::write(&config, r#"{"peft_type": "LORA", "r": 2, "lora_alpha": 8}"#).unwrap();
    assert!(refused().contains("adapter_model.safetensors: No such file"), "{}", refused());
    std::fs::write(&config, r#"{"peft_type": "IA3", "r": 2, "lora_alpha": 8}"#).unwrap();
    assert!(refused().ends_with("its `peft_type` is IA3, and only LORA is supported"), "{}", refused());
}
