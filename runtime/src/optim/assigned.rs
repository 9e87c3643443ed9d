//! The parameters of one group to be, which rules divide further.

use std::collections::{BTreeMap, HashMap};

use tch::Tensor;

use super::layer_decay::LayerDecay;
use super::{Algorithm, OptimizerError};
use crate::counted::counted;

/// Parameters with their names.
pub(super) type Named = Vec<(String, Tensor)>;

/// The parameters of a group, with their algorithm.
pub(super) struct Assigned {
    /// The description of what chose the parameters.
    pub(super) selection: String,
    pub(super) algorithm: Algorithm,
    pub(super) parameters: Named,
}

impl Assigned {
    /// Divides the group into the parameters that decay and those with fewer than two dimensions, which do not.
    pub(super) fn by_decay(self) -> Vec<Self> {
        let Self { selection, algorithm, parameters } = self;
        let (decayed, others): (Named, Named) = parameters.into_iter().partition(|(_, tensor)| tensor.dim() >= 2);
        if others.is_empty() {
            return vec![Self { selection, algorithm, parameters: decayed }];
        }
        let others = Self {
            selection: format!("{selection}, below 2 dimensions"),
            algorithm: algorithm.clone().without_weight_decay(),
            parameters: others,
        };
        if decayed.is_empty() {
            return vec![others];
        }
        vec![Self { selection: format!("{selection}, 2 dimensions or more"), algorithm, parameters: decayed }, others]
    }

    /// Divides the group by the depths of the parameters' layers, from the first layer to the last.
    fn by_depth(self, layer_decay: &LayerDecay, depths: &HashMap<&str, u32>) -> Vec<Self> {
        let Self { selection, algorithm, parameters } = self;
        let mut layers = BTreeMap::<u32, Named>::new();
        for (name, tensor) in parameters {
            let depth = depths.get(name.as_str()).copied().unwrap_or_default();
            layers.entry(depth).or_default().push((name, tensor));
        }
        let layer = |(depth, parameters): (u32, Named)| {
            let mut algorithm = algorithm.clone();
            algorithm.set_lr(algorithm.lr() * layer_decay.factor(depth));
            let below = match depth {
                0 => "last layer".to_owned(),
                depth => format!("{} below the last", counted(depth as usize, "layer")),
            };
            Self { selection: format!("{selection}, {below}"), algorithm, parameters }
        };
        layers.into_iter().rev().map(layer).collect()
    }
}

/// Divides each group by layers. `names` are those of all parameters.
pub(super) fn by_layer(
    layer_decay: &LayerDecay,
    optimizer: &'static str,
    names: &[String],
    groups: Vec<Assigned>,
) -> Result<Vec<Assigned>, OptimizerError> {
    let depths = layer_decay.depths(optimizer, names)?;
    let depths: HashMap<&str, u32> = names.iter().map(String::as_str).zip(depths).collect();
    let divided: Vec<Assigned> = groups.into_iter().flat_map(|group| group.by_depth(layer_decay, &depths)).collect();
    Ok(divided)
}
