//! New names for the tensors of a file.

/// A rule: tensors whose names match `from` get the name `to`.
///
/// `*` is one component of a name, or a part of one, and `**` any number of components. Those of `to` stand for what those of `from`
/// matched, in their order.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    from: Vec<Token>,
    to: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Text(String),
    /// `*`
    Part,
    /// `**`
    Components,
}

impl Rule {
    /// Parses a rule. The error is a description of what is wrong with it.
    pub(super) fn new(from: &str, to: &str) -> Result<Self, String> {
        let rule = Self { from: tokens(from), to: tokens(to) };
        let wildcards =
            |tokens: &[Token]| tokens.iter().filter(|token| !matches!(token, Token::Text(_))).cloned().collect();
        let (given, wanted): (Vec<Token>, Vec<Token>) = (wildcards(&rule.from), wildcards(&rule.to));
        if given != wanted {
            return Err(format!(
                "`{from}` and `{to}` must have the same wildcards, `*` and `**`, in the same order, because those of the new name \
                 stand for what those of the old one match"
            ));
        }
        Ok(rule)
    }

    /// Returns the new name; `None` if the rule does not match.
    pub(super) fn apply(&self, name: &str) -> Option<String> {
        let mut matched = Vec::new();
        if !matches(&self.from, name, true, &mut matched) {
            return None;
        }
        let mut matched = matched.into_iter();
        let mut renamed = String::new();
        for token in &self.to {
            match token {
                Token::Text(text) => renamed.push_str(text),
                Token::Part | Token::Components => renamed.push_str(matched.next().unwrap_or_default()),
            }
        }
        // `**` may have matched nothing
        let components: Vec<&str> = renamed.split('.').filter(|component| !component.is_empty()).collect();
        Some(components.join("."))
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(position) = rest.find('*') {
        if position > 0 {
            tokens.push(Token::Text(rest[..position].to_owned()));
        }
        rest = &rest[position + 1..];
        match rest.strip_prefix('*') {
            Some(after) => {
                tokens.push(Token::Components);
                rest = after;
            }
            None => tokens.push(Token::Part),
        }
    }
    if !rest.is_empty() {
        tokens.push(Token::Text(rest.to_owned()));
    }
    tokens
}

/// Whether a name matches, with what the wildcards match. `is_start` says whether a component begins here.
fn matches<'a>(pattern: &[Token], name: &'a str, is_start: bool, matched: &mut Vec<&'a str>) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return name.is_empty() };
    let mut attempt = |length: usize, rest: &[Token], after: &'a str, starts: bool| {
        let before = matched.len();
        matched.push(&name[..length]);
        if matches(rest, after, starts, matched) {
            return true;
        }
        matched.truncate(before);
        false
    };
    match first {
        Token::Text(text) => match name.strip_prefix(text.as_str()) {
            Some(after) => matches(rest, after, text.ends_with('.'), matched),
            None => false,
        },
        Token::Part => {
            let longest = name.find('.').unwrap_or(name.len());
            // the longest first, and at least one character
            (1..=longest)
                .rev()
                .filter(|length| name.is_char_boundary(*length))
                .any(|length| attempt(length, rest, &name[length..], false))
        }
        Token::Components => {
            if !is_start {
                return false;
            }
            // no component at all: the dot of the pattern after it falls away too
            let none = match rest.split_first() {
                Some((Token::Text(text), others)) if text.starts_with('.') && text.len() > 1 => {
                    let mut shortened = vec![Token::Text(text[1..].to_owned())];
                    shortened.extend_from_slice(others);
                    attempt(0, &shortened, name, true)
                }
                _ => attempt(0, rest, name, true),
            };
            if none {
                return true;
            }
            let ends = name.match_indices('.').map(|(position, _)| position).chain([name.len()]);
            ends.filter(|end| *end > 0).any(|end| attempt(end, rest, &name[end..], false))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(from: &str, to: &str, name: &str) -> Option<String> {
        Rule::new(from, to).unwrap().apply(name)
    }

    #[test]
    fn wildcards_of_the_new_name_stand_for_what_those_of_the_old_one_match() {
        for (from, to, name, expected) in [
            ("fc.weight", "head.weight", "fc.weight", Some("head.weight")),
            ("fc.weight", "head.weight", "fc.weights", None),
            ("fc.*", "head.*", "fc.bias", Some("head.bias")),
            ("fc.*", "head.*", "fc.0.bias", None),
            ("**", "backbone.**", "layer1.0.conv1.weight", Some("backbone.layer1.0.conv1.weight")),
            ("model.**", "**", "model.fc.weight", Some("fc.weight")),
            ("h.*.ln_*.**", "blocks.*.norm*.**", "h.11.ln_2.weight", Some("blocks.11.norm2.weight")),
            ("**.gamma", "**.weight", "encoder.norm.gamma", Some("encoder.norm.weight")),
            ("**.gamma", "**.weight", "gamma", Some("weight")),
            ("**.attn.**.w", "**.attention.**.weight", "a.b.attn.q.w", Some("a.b.attention.q.weight")),
            ("**.attn.**.w", "**.attention.**.weight", "attn.w", Some("attention.weight")),
            ("a*c", "x*z", "abbc", Some("xbbz")),
            ("a*c", "x*z", "ab.bc", None),
            ("größe.*", "size.*", "größe.ü", Some("size.ü")),
        ] {
            assert_eq!(renamed(from, to, name).as_deref(), expected, "{from} {to} {name}");
        }
    }

    #[test]
    fn rule_with_other_wildcards_is_refused() {
        for (from, to) in [("h.*", "h"), ("h.*", "h.**"), ("h", "h.*"), ("*.**", "**.*")] {
            let refused = Rule::new(from, to).unwrap_err();
            assert!(refused.starts_with(&format!("`{from}` and `{to}` must have the same wildcards")), "{refused}");
        }
    }
}
