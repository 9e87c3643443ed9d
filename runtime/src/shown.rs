//! Texts of users and of files as parts of sentences.

/// A text without control characters, which a terminal would obey, and cut after `longest` characters.
pub(crate) fn shown(text: &str, longest: usize) -> String {
    let mut shown: String = text.chars().take(longest).flat_map(escaped).collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    let (control, other) = if character.is_control() { (Some(character), None) } else { (None, Some(character)) };
    control.into_iter().flat_map(char::escape_default).chain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_without_control_characters_and_shortened() {
        assert_eq!(shown("fc1.weight", 10), "fc1.weight");
        assert_eq!(shown("\u{1b}[2J\nü", 60), "\\u{1b}[2J\\nü");
        assert_eq!(shown(&"n".repeat(100_000), 3), "nnn…");
    }
}
