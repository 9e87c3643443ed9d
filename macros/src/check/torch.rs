//! PyTorch's Python in bodies: `nn::Linear(10, 2)`, `F.cross_entropy(…)`, `torch.no_grad()` and `batch.shape[0]`, where the compiler does not
//! know what tch has instead.

use super::tokens::{are_arguments, is, is_word, mentions};
use crate::catalogue::{self, Diagnostic};
use crate::source_file::SourceFile;
use crate::torch_names;
use crate::types::readable_tokens;
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use std::cell::OnceCell;

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
    let is_call = are_arguments(tokens.get(end));
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

/// The attribute of a tensor at this token, such as `shape` in `batch.shape[0]`.
pub(super) fn attribute(tokens: &[TokenTree], place: usize, tensors: &Tensors) -> Option<Mistake> {
    let TokenTree::Ident(name) = &tokens[place] else { return None };
    if are_arguments(tokens.get(place + 1)) || place < 2 || !is(&tokens[place - 1], '.') {
        return None;
    }
    let (_, tensor) = tensors.ending_at(tokens, place - 2)?;
    let form = torch_names::attribute(&tensor, &name.to_string())?;
    let name_of_tensor = format!("tensor.{name}");
    Some((TokenStream::from(tokens[place].clone()), catalogue::name_of_pytorch(name_of_tensor, form)))
}

/// The index of a tensor at this token, such as `batch[0]`.
pub(super) fn index(tokens: &[TokenTree], place: usize, tensors: &Tensors) -> Option<Mistake> {
    let TokenTree::Group(index) = tokens.get(place + 1)? else { return None };
    if index.delimiter() != Delimiter::Bracket || index.stream().is_empty() {
        return None;
    }
    if is_word(&tokens[place], "batch") && tensors.is_tuple() {
        let follows_dot = place.checked_sub(1).is_some_and(|before| is(&tokens[before], '.'));
        let number = index.stream().to_string();
        let is_number = !follows_dot && number.chars().all(|digit| digit.is_ascii_digit());
        return is_number
            .then(|| (tokens[place..=place + 1].iter().cloned().collect(), catalogue::indexed_batch(number)));
    }
    let (start, tensor) = tensors.ending_at(tokens, place)?;
    let index = readable_tokens(index.stream()).replace(" .. ", "..");
    let wrong = tokens[start..=place + 1].iter().cloned().collect();
    Some((wrong, catalogue::indexed_tensor(format!("{tensor}.i({index})"))))
}

/// A layer at this token whose first argument is not the path of its parameters: `nn::linear(64, 10)` or `nn::linear(&vs, 64, 10, …)`.
pub(super) fn layer(tokens: &[TokenTree], place: usize, tensors: &Tensors) -> Option<Mistake> {
    let [TokenTree::Ident(module), one, other, TokenTree::Ident(name), TokenTree::Group(arguments), ..] =
        &tokens[place..]
    else {
        return None;
    };
    let is_of_another = place.checked_sub(1).is_some_and(|before| is(&tokens[before], ':'));
    let is_call = arguments.delimiter() == Delimiter::Parenthesis && is(one, ':') && is(other, ':');
    if module != "nn" || !is_call || is_of_another {
        return None;
    }
    let form = torch_names::layer_function(&name.to_string())?;
    let first: Vec<TokenTree> = arguments.stream().into_iter().take_while(|token| !is(token, ',')).collect();
    let wrong = match first.as_slice() {
        [TokenTree::Literal(_)] => true,
        [TokenTree::Ident(store)] => tensors.is_store(store),
        [borrow, TokenTree::Ident(store)] => is(borrow, '&') && tensors.is_store(store),
        _ => false,
    };
    (wrong && !has_another_meaning("nn"))
        .then(|| (first.into_iter().collect(), catalogue::layer_without_path(name, form)))
}

/// What is certainly a tensor in a method, or a store.
pub(super) struct Tensors {
    /// The variables that are a `VarStore`.
    stores: Vec<String>,
    /// The parameters that are tensors.
    names: Vec<String>,
    /// The type of the parameter `batch`.
    batch: Option<String>,
    /// The fields of a batch that are tensors, as its file tells.
    fields: OnceCell<Vec<String>>,
}

impl Tensors {
    /// Reads the parameters of a signature. Those that the body binds again may be something else there.
    pub(super) fn of(signature: TokenStream, body: &TokenStream) -> Self {
        let mut tensors = Self { stores: Vec::new(), names: Vec::new(), batch: None, fields: OnceCell::new() };
        tensors.read(signature);
        tensors.read_stores(body);
        tensors.names.retain(|name| !binds(body, name));
        tensors.batch = tensors.batch.filter(|_| !binds(body, "batch"));
        tensors
    }

    fn read(&mut self, signature: TokenStream) {
        let tokens: Vec<TokenTree> = signature.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Ident(name) if tokens.get(place + 1).is_some_and(|colon| is(colon, ':')) => {
                    let ty = tokens[place + 2..].iter().take_while(|token| !is(token, ',')).cloned();
                    let ty = readable_tokens(ty.collect());
                    match ty.trim_start_matches('&').trim_start_matches("mut ") {
                        "Tensor" => self.names.push(name.to_string()),
                        batch if name == "batch" => self.batch = Some(batch.to_owned()),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads each `let vs = nn::VarStore::new(…)`.
    fn read_stores(&mut self, body: &TokenStream) {
        let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
        for six in tokens.windows(6) {
            if let [TokenTree::Ident(name), equals, TokenTree::Ident(module), _, _, TokenTree::Ident(ty)] = six
                && is(equals, '=')
                && module == "nn"
                && ty == "VarStore"
            {
                self.stores.push(name.to_string());
            }
        }
        self.stores.retain(|store| bindings(body, store) == 1);
    }

    /// Whether `batch` is a tuple.
    pub(super) fn is_tuple(&self) -> bool {
        self.batch.as_ref().is_some_and(|ty| ty.starts_with('('))
    }

    fn is_store(&self, name: &Ident) -> bool {
        self.stores.iter().any(|store| name == store)
    }

    /// Returns where the tensor begins that ends at this token, and its form: `images`, or `batch.images`.
    pub(super) fn ending_at(&self, tokens: &[TokenTree], end: usize) -> Option<(usize, String)> {
        let TokenTree::Ident(name) = &tokens[end] else { return None };
        let follows = |place: usize| place.checked_sub(1).is_some_and(|before| is(&tokens[before], '.'));
        if !follows(end) {
            return self.names.iter().any(|tensor| name == tensor).then(|| (end, name.to_string()));
        }
        let start = end.checked_sub(2)?;
        let is_batch = matches!(&tokens[start], TokenTree::Ident(owner) if owner == "batch") && !follows(start);
        (is_batch && self.has_field(&name.to_string())).then(|| (start, format!("batch.{name}")))
    }

    fn has_field(&self, name: &str) -> bool {
        let read = || SourceFile::of(Span::call_site())?.tensors_of(self.batch.as_ref()?);
        self.fields.get_or_init(|| read().unwrap_or_default()).iter().any(|field| field == name)
    }
}

/// Whether a pattern in the code has this name.
pub(super) fn binds(code: &TokenStream, name: &str) -> bool {
    bindings(code, name) > 0
}

/// The number of patterns in the code with this name: of `let`, `for`, a closure or an arm of `match`.
pub(super) fn bindings(code: &TokenStream, name: &str) -> usize {
    let tokens: Vec<TokenTree> = code.clone().into_iter().collect();
    let until = |start: usize, is_end: &dyn Fn(&TokenTree) -> bool| {
        let pattern = tokens[start..].iter().take_while(|token| !is_end(token)).cloned().collect();
        usize::from(mentions(&pattern, name))
    };
    let bindings = tokens.iter().enumerate().map(|(place, token)| match token {
        TokenTree::Group(group) => bindings(&group.stream(), name),
        keyword if is_word(keyword, "let") => until(place + 1, &|token| is(token, '=') || is(token, ';')),
        keyword if is_word(keyword, "for") => until(place + 1, &|token| is_word(token, "in")),
        bar if is(bar, '|') => until(place + 1, &|token| is(token, '|')),
        arrow if is(arrow, '>') && place > 0 && is(&tokens[place - 1], '=') => {
            let pattern = tokens[..place].iter().rev().take_while(|token| !is(token, ',')).cloned().collect();
            usize::from(mentions(&pattern, name))
        }
        _ => 0,
    });
    bindings.sum()
}
