//! Logged values. rustc reports all of them.

catalogue! {
    TL0701 "A value is logged in a hook where nothing can be logged":;

    TL0702 "A value is logged by step in the hook of an epoch":;

    TL0703 "A value cannot be logged":;
}
