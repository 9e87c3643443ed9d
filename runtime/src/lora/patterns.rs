/// What becomes patterns of the paths of modules: one pattern, or several in an array, a slice or a `Vec`.
///
/// ```
/// use tch_lightning::lora::Lora;
///
/// let both = Lora::new(8, ["**.q_proj", "**.v_proj"]);
/// assert_eq!(both, Lora::new(8, "**.q_proj").target_modules("**.v_proj"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pattern of the paths of modules, nor several",
    label = "write `\"**.attn.*\"`, or `[\"**.q_proj\", \"**.v_proj\"]` for several"
)]
pub trait IntoPatterns {
    /// Returns them.
    fn into_patterns(self) -> Vec<String>;
}

impl IntoPatterns for &str {
    fn into_patterns(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl IntoPatterns for &String {
    fn into_patterns(self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl IntoPatterns for String {
    fn into_patterns(self) -> Vec<String> {
        vec![self]
    }
}

impl<S: Into<String>, const N: usize> IntoPatterns for [S; N] {
    fn into_patterns(self) -> Vec<String> {
        self.map(Into::into).into()
    }
}

impl<S: AsRef<str>, const N: usize> IntoPatterns for &[S; N] {
    fn into_patterns(self) -> Vec<String> {
        self.as_slice().into_patterns()
    }
}

impl<S: AsRef<str>> IntoPatterns for &[S] {
    fn into_patterns(self) -> Vec<String> {
        self.iter().map(|pattern| pattern.as_ref().to_owned()).collect()
    }
}

impl<S: Into<String>> IntoPatterns for Vec<S> {
    fn into_patterns(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}
