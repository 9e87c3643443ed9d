use serde_json::Value;

/// Returns a number as the [JSON of protobuf](https://protobuf.dev/programming-guides/json/) has it: those that JSON does not have are texts.
pub(super) fn protobuf_number(value: f64) -> Value {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        value.into()
    }
}
