//! The names of adapters' matrices, which are PEFT's without its prefix.

pub(super) const A: &str = "lora_A";
pub(super) const B: &str = "lora_B";

/// Returns the path of the layer whose adapter has a matrix of this name: `attn.qkv` of `attn.qkv.lora_A.weight`.
pub(super) fn adapted_layer(name: &str) -> Option<&str> {
    let path = name.strip_suffix(".weight")?;
    let layer = path.strip_suffix(A).or_else(|| path.strip_suffix(B))?;
    // a layer may be at the root
    if layer.is_empty() { Some(layer) } else { layer.strip_suffix('.') }
}

pub(super) fn is_adapter(name: &str) -> bool {
    adapted_layer(name).is_some()
}

/// Returns the name of a variable of the layer at this path.
pub(super) fn variable(layer: &str, name: &str) -> String {
    if layer.is_empty() { name.to_owned() } else { format!("{layer}.{name}") }
}

/// Returns the paths of the modules that contain a variable, from the outermost to the innermost.
pub(super) fn modules_above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(end, _)| &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_are_known_by_their_last_components() {
        for (name, expected) in [
            ("attn.qkv.lora_A.weight", Some("attn.qkv")),
            ("lora_B.weight", Some("")),
            ("attn.qkv.lora_A.bias", None),
            ("attn.qkv.weight", None),
            ("attn.flora_A.weight", None),
        ] {
            assert_eq!(adapted_layer(name), expected, "{name}");
        }
        assert_eq!(modules_above("a.b.weight").collect::<Vec<_>>(), ["a", "a.b"]);
    }
}
