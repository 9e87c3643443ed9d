//! PyTorch's Python in bodies: `nn::Linear(10, 2)`, `F.cross_entropy(…)`, `torch.no_grad()` and `batch.shape[0]`, where the compiler does not
//! know what tch has instead.

use crate::catalogue::{self, Diagnostic};
use crate::source_file::SourceFile;
use crate::torch_names;
use crate::types::readable_tokens;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// A name of PyTorch, and its tokens.
type Mistake = (TokenStream, Diagnostic);

/// Returns the mistake that begins at this token, if it is a path of PyTorch.
pub(super) fn path(tokens: &[TokenTree], place: usize) -> Option<Mistake> {
    let TokenTree::Ident(head) = &tokens[place] else { return None };
    let is_of_another = place.checked_sub(1).is_some_and(|before| is(&tokens[before], '.') || is(&tokens[before], ':'));
    let head = head.to_string();
    if is_of_another || !["nn", "F", "optim", "torch"].contains(&head.as_str()) {
        return None;
    }
    let (names, end) = names_after(tokens, place + 1);
    let is_call =
        matches!(tokens.get(end), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    // a struct of the module, of which Python calls the class
    let is_class = is_call && (names.len() == 1 || names.len() == 2 && names[1] == "new");
    let form = match head.as_str() {
        "nn" if is_class => torch_names::layer(&names[0])?.to_owned(),
        "optim" if is_class => torch_names::optimizer(&names[0])?.to_owned(),
        "F" if is_call && names.len() == 1 => torch_names::functional(&names[0]),
        "torch" => torch_names::function(&names)?,
        _ => return None,
    };
    if has_another_meaning(&head) {
        return None;
    }
    let name = format!("{head}.{}", names.join(".").trim_end_matches(".new"));
    let wrong = tokens[place..end].iter().cloned().collect();
    Some((wrong, catalogue::name_of_pytorch(name, form)))
}

/// The names that follow after `.` or `::`, and where they end.
fn names_after(tokens: &[TokenTree], mut place: usize) -> (Vec<String>, usize) {
    let mut names = Vec::new();
    loop {
        let rest = &tokens[place..];
        let (name, length) = match rest {
            [dot, TokenTree::Ident(name), ..] if is(dot, '.') => (name, 2),
            [one, other, TokenTree::Ident(name), ..] if is(one, ':') && is(other, ':') => (name, 3),
            _ => return (names, place),
        };
        names.push(name.to_string());
        place += length;
    }
}

/// Whether the name may be something else in this file than what Python imports under it.
fn has_another_meaning(head: &str) -> bool {
    let Some(file) = SourceFile::of(Span::call_site()) else { return true };
    // `nn` of the prelude is tch's
    if head == "nn" { !file.has_nn_of_tch() } else { file.defines(head) }
}

/// The attribute of a tensor at this token, such as `shape` in `batch.shape[0]`. `tensors` are the names of variables.
pub(super) fn attribute(tokens: &[TokenTree], place: usize, tensors: &[String]) -> Option<Mistake> {
    let TokenTree::Ident(name) = &tokens[place] else { return None };
    let [.., TokenTree::Ident(owner), dot] = &tokens[..place] else { return None };
    let is_of_another = place.checked_sub(3).is_some_and(|before| is(&tokens[before], '.'));
    let is_called =
        matches!(tokens.get(place + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    if is_of_another || is_called || !is(dot, '.') || !tensors.iter().any(|tensor| owner == tensor) {
        return None;
    }
    let form = torch_names::attribute(&owner.to_string(), &name.to_string())?;
    let name_of_tensor = format!("tensor.{name}");
    Some((TokenStream::from(tokens[place].clone()), catalogue::name_of_pytorch(name_of_tensor, form)))
}

/// The parameters of a signature that are tensors.
pub(super) fn tensors(signature: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = signature.into_iter().collect();
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => found.extend(tensors(group.stream())),
            TokenTree::Ident(name) if tokens.get(place + 1).is_some_and(|colon| is(colon, ':')) => {
                let ty: TokenStream = tokens[place + 2..].iter().take_while(|token| !is(token, ',')).cloned().collect();
                if ["Tensor", "&Tensor", "&mut Tensor"].contains(&readable_tokens(ty).as_str()) {
                    found.push(name.to_string());
                }
            }
            _ => {}
        }
    }
    found
}

fn is(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}
