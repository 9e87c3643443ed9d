use tch::Tensor;

use super::assigned::{Assigned, Named, by_layer};
use super::layer_decay::LayerDecay;
use super::pattern::Pattern;
use super::selector::Selection;
use super::{Algorithm, OptimizerError, Selector};
use crate::messages;

/// Groups of parameters with their own hyperparameters: PyTorch's
/// [per-parameter options](https://docs.pytorch.org/docs/2.13/optim.html#per-parameter-options), with the parameters
/// selected by name or by a predicate.
///
/// A parameter belongs to the first [`Selector`] that chooses it, usually a pattern of names. Parameters that none chooses belong
/// to the group of the algorithm given to [`new`](Self::new); if there is none, they are not optimized.
///
/// ```
/// use tch_lightning::module::Optimizers;
/// use tch_lightning::optim::{Adam, AdamW, ParameterGroups};
///
/// // biases and the scales of layer norms do not decay
/// let adamw = AdamW::new(1e-3);
/// let groups = ParameterGroups::new(adamw).group("**.{bias,norm.weight}", adamw.weight_decay(0.0));
///
/// // nothing with fewer than two dimensions decays, and the head has a larger learning rate
/// let groups = ParameterGroups::new(adamw).group("head.**", AdamW::new(1e-2)).no_decay();
///
/// // one optimizer for each of a GAN's networks
/// let gan: Optimizers = (Adam::new(2e-4).over("generator.**"), Adam::new(1e-4).over("discriminator.**")).into();
/// ```
///
/// [`Optimizer`](super::Optimizer#impl-Display-for-Optimizer) prints a table of the groups, as does
/// [`ModelSummary`](crate::callbacks::ModelSummary).
///
/// # Patterns
/// A pattern matches complete names, component by component, which dots separate:
///
/// | in a pattern | matches |
/// |---|---|
/// | `?` | any one character except a dot |
/// | `*` | any number of characters except dots |
/// | `**` as a component | zero or more components |
/// | `{fc1,fc2}` | either |
/// | `[0-9]`, `[!0-9]` | a character of the range, or one outside it |
///
/// For example, `**.bias` matches every bias, `encoder.**` all of the encoder, and `layers.[0-5].**` the first six layers.
///
/// # Several algorithms
/// [`route`](Self::route) gives parameters to another algorithm, within one optimizer: a run steps, schedules and saves all of them
/// together. Other groups must have the same algorithm, and different ones do not compile:
///
/// ```compile_fail,E0308
/// use tch_lightning::optim::{Adam, ParameterGroups, Sgd};
///
/// ParameterGroups::new(Adam::new(1e-3)).group("**.bias", Sgd::new(0.1));
/// ```
///
/// If the algorithm is chosen at run time, and `A` is [`Algorithm`], creating the optimizer returns an error unless a group is routed.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ParameterGroups<A = Algorithm> {
    /// Without a selector, the group of all parameters that the others do not choose.
    first: (Option<Selector>, A),
    others: Vec<(Selector, A)>,
    layer_decay: Option<LayerDecay>,
    no_decay: bool,
    /// Whether the groups may have different algorithms.
    is_routed: bool,
}

impl<A> ParameterGroups<A> {
    /// Creates groups whose first is that of all parameters that no other group chooses.
    pub fn new(algorithm: A) -> Self {
        Self { first: (None, algorithm), others: Vec::new(), layer_decay: None, no_decay: false, is_routed: false }
    }

    /// Creates groups whose first is that of the parameters that the selector chooses.
    pub(super) fn over(selector: impl Into<Selector>, algorithm: A) -> Self {
        let mut groups = Self::new(algorithm);
        groups.first.0 = Some(selector.into());
        groups
    }

    /// Adds a group of the parameters whose names match the pattern, or that another [`Selector`] chooses, but no earlier group.
    pub fn group(mut self, selector: impl Into<Selector>, algorithm: A) -> Self {
        self.others.push((selector.into(), algorithm));
        self
    }

    /// Adds a group of the parameters for whose name and tensor `selects` returns true, but that no earlier group chooses:
    /// [`group`](Self::group) with a [`Selector`]. Errors and tables show the description.
    ///
    /// ```
    /// use tch_lightning::optim::{ParameterGroups, Sgd};
    ///
    /// let slow = Sgd::new(1e-3);
    /// let groups = ParameterGroups::new(Sgd::new(0.1)).group_where("vectors", |_, tensor| tensor.dim() == 1, slow);
    /// ```
    pub fn group_where(
        self,
        description: impl Into<String>,
        selects: impl Fn(&str, &Tensor) -> bool + Send + Sync + 'static,
        algorithm: A,
    ) -> Self {
        self.group(Selector::new(description, selects), algorithm)
    }

    /// Divides each group in two: parameters with fewer than two dimensions, such as biases and the scales of norms, have no weight
    /// decay. This is the usual rule for transformers.
    ///
    /// ```
    /// use tch::{Device, Kind, Tensor};
    /// use tch_lightning::optim::{AdamW, Optimizer};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let parameter = |name: &str, shape: &[i64]| {
    ///     (name.to_owned(), Tensor::zeros(shape, (Kind::Float, Device::Cpu)).set_requires_grad(true))
    /// };
    /// let parameters = vec![parameter("fc.weight", &[3, 2]), parameter("fc.bias", &[3])];
    /// let optimizer = Optimizer::new(AdamW::new(3e-4).weight_decay(0.1).no_decay(), parameters)?;
    ///
    /// let decay = |group: usize| optimizer.groups()[group].algorithm().weight_decay();
    /// assert_eq!((decay(0), decay(1)), (Some(0.1), Some(0.0)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn no_decay(self) -> Self {
        Self { no_decay: true, ..self }
    }

    /// Divides each group by layers, with learning rates that decay from the last layer to the first, for fine-tuning: that of a
    /// layer is `layer_decay` times that of the layer above it, as in timm and BEiT.
    ///
    /// The patterns are those of the layers, from the input to the output. In a pattern, `#` is a number, with a layer for each.
    /// Parameters that no pattern matches, usually those of the head, are the last layer, with the whole learning rate.
    ///
    /// ```
    /// use tch_lightning::optim::AdamW;
    ///
    /// // of a ViT with 12 blocks: 1e-3 for the head and the last norm, 7.5e-4 for the last block, down to 2.4e-5 for the embeddings
    /// let layers = ["{cls_token,pos_embed,patch_embed.**}", "blocks.#.**"];
    /// let groups = AdamW::new(1e-3).layer_decay(0.75, layers).no_decay();
    /// ```
    pub fn layer_decay<P: Into<String>>(self, layer_decay: f64, layers: impl IntoIterator<Item = P>) -> Self {
        Self { layer_decay: Some(LayerDecay::new(layer_decay, layers)), ..self }
    }

    /// The algorithms of the groups, in the order of [`Optimizer::groups`](super::Optimizer::groups), before
    /// [`layer_decay`](Self::layer_decay) and [`no_decay`](Self::no_decay) divide them.
    pub fn algorithms(&self) -> impl Iterator<Item = &A> {
        std::iter::once(&self.first.1).chain(self.others.iter().map(|(_, algorithm)| algorithm))
    }

    /// Converts the algorithms.
    fn map<B>(self, mut convert: impl FnMut(A) -> B) -> ParameterGroups<B> {
        let Self { first: (selector, first), others, layer_decay, no_decay, is_routed } = self;
        ParameterGroups {
            first: (selector, convert(first)),
            others: others.into_iter().map(|(selector, algorithm)| (selector, convert(algorithm))).collect(),
            layer_decay,
            no_decay,
            is_routed,
        }
    }
}

impl<A: Into<Algorithm>> ParameterGroups<A> {
    /// Adds a group with another algorithm, of the parameters that the selector chooses, but no earlier group. All are one optimizer,
    /// with one step, one entry in checkpoints, and the same schedulers. L-BFGS, which steps over all parameters together, cannot be
    /// one of them.
    ///
    /// ```
    /// use tch_lightning::optim::{AdamW, Muon, ParameterGroups, Selector};
    ///
    /// // Muon for the matrices of the hidden layers, and AdamW for embeddings, the head, norms and biases
    /// let hidden = Selector::new("hidden matrices", |name, tensor| name.starts_with("blocks.") && tensor.dim() == 2);
    /// let groups = ParameterGroups::new(AdamW::new(3e-4)).route(hidden, Muon::new(0.02)).no_decay();
    ///
    /// // the same by patterns alone, in which the first that matches decides
    /// let groups = Muon::new(0.02).over("blocks.**.weight").route("**", AdamW::new(3e-4));
    /// ```
    pub fn route(self, selector: impl Into<Selector>, algorithm: impl Into<Algorithm>) -> ParameterGroups {
        let groups = self.map(Into::into).group(selector, algorithm.into());
        ParameterGroups { is_routed: true, ..groups }
    }
}

impl ParameterGroups {
    /// Whether the groups may have different algorithms.
    pub(super) fn is_routed(&self) -> bool {
        self.is_routed
    }

    /// Assigns the parameters to the algorithms. The group of those that no selector chooses may be empty.
    pub(super) fn divide(self, parameters: Named) -> Result<Vec<Assigned>, OptimizerError> {
        let (selector, algorithm) = self.first;
        let optimizer = algorithm.name();
        let mut division = Division::new(optimizer, parameters)?;
        let names = division.names.clone();
        let first = selector.map(|selector| division.take(selector)).transpose()?;
        let mut groups = Vec::new();
        for (selector, algorithm) in self.others {
            let (selection, parameters) = division.take(selector)?;
            groups.push(Assigned { selection, algorithm, parameters });
        }
        let (selection, parameters) = first.unwrap_or_else(|| {
            let selection = if groups.is_empty() { "all parameters" } else { "all others" };
            (selection.to_owned(), division.left)
        });
        groups.insert(0, Assigned { selection, algorithm, parameters });
        if let Some(layer_decay) = self.layer_decay {
            groups = by_layer(&layer_decay, optimizer, &names, groups)?;
        }
        Ok(if self.no_decay { groups.into_iter().flat_map(Assigned::by_decay).collect() } else { groups })
    }
}

/// The parameters that are not assigned to a group yet.
struct Division {
    optimizer: &'static str,
    names: Vec<String>,
    left: Named,
}

impl Division {
    fn new(optimizer: &'static str, parameters: Named) -> Result<Self, OptimizerError> {
        if parameters.is_empty() {
            return Err(OptimizerError::NoParameters { optimizer });
        }
        let names = parameters.iter().map(|(name, _)| name.clone()).collect();
        Ok(Self { optimizer, names, left: parameters })
    }

    /// Removes the parameters that the selector chooses, and returns them with its description.
    fn take(&mut self, selector: Selector) -> Result<(String, Named), OptimizerError> {
        let optimizer = self.optimizer;
        let pattern = match selector.0 {
            Selection::Pattern(pattern) => pattern,
            Selection::Predicate { description, selects } => {
                let taken = self.partition(|name, tensor| selects(name, tensor));
                return if taken.is_empty() {
                    Err(OptimizerError::NothingSelected { optimizer, description })
                } else {
                    Ok((description, taken))
                };
            }
        };
        let matcher = Pattern::new(optimizer, &pattern)?;
        let taken = self.partition(|name, _| matcher.matches(name));
        if !taken.is_empty() {
            // the same patterns may be for several modules, so it is not an error
            for alternative in matcher.unmatched(&self.names) {
                messages::warning!(
                    "{optimizer}: no parameter name matches `{alternative}`, of the pattern `{pattern}`"
                );
            }
            return Ok((pattern, taken));
        }
        if self.names.iter().any(|name| matcher.matches(name)) {
            return Err(OptimizerError::ShadowedPattern { optimizer, pattern });
        }
        Err(OptimizerError::UnmatchedPattern { optimizer, pattern, parameters: std::mem::take(&mut self.names) })
    }

    fn partition(&mut self, selects: impl Fn(&str, &Tensor) -> bool) -> Named {
        let left = std::mem::take(&mut self.left).into_iter();
        let (taken, left): (Named, Named) = left.partition(|(name, tensor)| selects(name, tensor));
        self.left = left;
        taken
    }
}

/// Conversion into the argument of [`Optimizer::new`](super::Optimizer::new): an algorithm for all parameters, or
/// [`ParameterGroups`]. Sealed: convert a type of your own into an [`Algorithm`] instead.
pub trait IntoParameterGroups: sealed::Sealed {
    /// Converts this value into groups.
    fn into_parameter_groups(self) -> ParameterGroups;
}

mod sealed {
    pub trait Sealed {}
}

impl<A: Into<Algorithm>> sealed::Sealed for A {}
impl<A: Into<Algorithm>> sealed::Sealed for ParameterGroups<A> {}

impl<A: Into<Algorithm>> IntoParameterGroups for A {
    fn into_parameter_groups(self) -> ParameterGroups {
        ParameterGroups::new(self.into())
    }
}

impl<A: Into<Algorithm>> IntoParameterGroups for ParameterGroups<A> {
    fn into_parameter_groups(self) -> ParameterGroups {
        self.map(Into::into)
    }
}
