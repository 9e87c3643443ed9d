use tch::{Kind, Tensor};

/// The module's layers with their tensors. It describes the structure of the module, but not the order of its operators, which is
/// ordinary Rust code that libtorch cannot trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Graph {
    /// The layers, in the order of their first tensors; parameters come before buffers.
    pub layers: Vec<GraphLayer>,
}

/// A layer: the tensors whose paths in the module's `VarStore` differ only in the last component.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphLayer {
    /// The path of the layer, such as `encoder.conv1`; empty for tensors of the root.
    pub name: String,
    /// Its tensors.
    pub tensors: Vec<GraphTensor>,
}

/// A parameter or a buffer of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphTensor {
    /// The last part of its path, such as `weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<i64>,
    /// Its dtype.
    pub kind: Kind,
    /// Whether it is trained.
    pub requires_grad: bool,
}

impl GraphTensor {
    /// Returns the number of its elements.
    pub(crate) fn elements(&self) -> u64 {
        self.shape.iter().product::<i64>().unsigned_abs()
    }

    /// Returns the number of bytes of its elements.
    pub(crate) fn bytes(&self) -> u64 {
        self.elements() * self.kind.elt_size_in_bytes() as u64
    }
}

impl Graph {
    /// Returns the layers of tensors by their paths.
    pub(crate) fn of<'a>(tensors: impl Iterator<Item = &'a (String, Tensor)>) -> Self {
        let mut layers: Vec<GraphLayer> = Vec::new();
        for (path, tensor) in tensors {
            let (layer, name) = path.rsplit_once('.').unwrap_or(("", path));
            let tensor = GraphTensor {
                name: name.to_owned(),
                shape: tensor.size(),
                kind: tensor.kind(),
                requires_grad: tensor.requires_grad(),
            };
            match layers.iter_mut().find(|known| known.name == layer) {
                Some(known) => known.tensors.push(tensor),
                None => layers.push(GraphLayer { name: layer.to_owned(), tensors: vec![tensor] }),
            }
        }
        Self { layers }
    }
}
