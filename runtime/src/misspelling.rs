//! Suggests the known name that a misspelled one resembles.

/// The similarity (Jaro-Winkler, 0 to 1) from which a name counts as a misspelling of another.
const LEAST_LIKENESS: f64 = 0.7;

/// Returns the known name that resembles this one most, if one does.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // names of one or two letters resemble all others
    let known: Vec<&str> = known.into_iter().filter(|known| known.len() > 2 && name.len() > 2).collect();
    // the likeness of short names is small
    if let Some(nearest) = known.iter().find(|known| strsim::damerau_levenshtein(name, known) == 1) {
        return Some(nearest);
    }
    let likeness = |known: &str| strsim::jaro_winkler(name, known);
    let nearest = known.into_iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    nearest.filter(|nearest| likeness(nearest) >= LEAST_LIKENESS)
}

/// Returns the mistake for an unknown key, with the most similar key or else all keys.
pub(crate) fn unknown_key(path: &str, key: &str, known_keys: &[String]) -> String {
    match nearest(key, known_keys.iter().map(String::as_str)) {
        Some(nearest) => format!("`{path}` is unknown: write `{nearest}`"),
        None if known_keys.is_empty() => format!("`{path}` is unknown: no keys are allowed here"),
        None => format!("`{path}` is unknown: the keys are {}", known_keys.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_a_similar_one_or_none() {
        let names = ["sgd", "adam", "adamw"];
        assert_eq!(nearest("sdg", names), Some("sgd"));
        assert_eq!(nearest("adma", names), Some("adam"));
        assert_eq!(nearest("lion", names), None);
        assert_eq!(nearest("nope", ["n"]), None);
        assert_eq!(nearest("b", ["a", "bx"]), None);
    }
}
