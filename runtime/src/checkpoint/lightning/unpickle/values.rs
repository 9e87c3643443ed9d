//! The values of the nodes of a pickle.

use super::super::value::Value;
use super::{Described, Id, Node};
use tch::Tensor;

/// The deepest nesting of values.
const DEEPEST: usize = 200;

/// The memory of a value without its text.
const BYTES_OF_VALUE: usize = 64;

/// The most memory of all values for each byte of the pickle, as it may have one value in many places, and that of any pickle.
const BYTES_FOR_EACH: usize = 256;
const BYTES_FOR_ALL: usize = 1 << 20;

/// Returns the value of a node of a pickle with this number of bytes.
///
/// # Errors
/// If the values take more memory than such a pickle accounts for, or are nested too deep.
pub(super) fn value(
    nodes: &[Node],
    root: Id,
    bytes: usize,
    tensor: &mut dyn FnMut(Described<'_>) -> Result<Tensor, String>,
) -> Result<Value, String> {
    Values { nodes, tensor, left: BYTES_FOR_ALL + BYTES_FOR_EACH * bytes }.value(root, 0)
}

/// Makes values of nodes.
struct Values<'a> {
    nodes: &'a [Node],
    tensor: &'a mut dyn FnMut(Described<'_>) -> Result<Tensor, String>,
    /// The bytes that further values may take.
    left: usize,
}

impl Values<'_> {
    fn value(&mut self, id: Id, depth: usize) -> Result<Value, String> {
        self.take(BYTES_OF_VALUE)?;
        if depth > DEEPEST {
            return Err(format!("its values are nested more than {DEEPEST} deep"));
        }
        let nodes = self.nodes;
        Ok(match &nodes[id] {
            Node::None => Value::None,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(number) => Value::Int(*number),
            Node::Float(number) => Value::Float(*number),
            Node::Text(text) => Value::Text(self.text(text)?),
            Node::List(items) => Value::List(self.all(items, depth)?),
            Node::Tuple(items) => Value::Tuple(self.all(items, depth)?),
            Node::Dict(entries) => Value::Dict(self.entries(entries, depth)?),
            Node::Global(name) => Value::Object(self.text(name)?),
            Node::Made { by, arguments, entries, attributes } => {
                self.made(*by, *arguments, (entries, *attributes), depth)?
            }
            Node::Persistent(_) => Value::Object("a storage".to_owned()),
        })
    }

    fn take(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.left.checked_sub(bytes);
        self.left =
            left.ok_or_else(|| format!("its values take more than {BYTES_FOR_EACH} times the memory of its pickle"))?;
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<String, String> {
        self.take(text.len())?;
        Ok(text.to_owned())
    }

    fn all(&mut self, ids: &[Id], depth: usize) -> Result<Vec<Value>, String> {
        ids.iter().map(|id| self.value(*id, depth + 1)).collect()
    }

    fn entries(&mut self, entries: &[(Id, Id)], depth: usize) -> Result<Vec<(Value, Value)>, String> {
        let entries =
            entries.iter().map(|(key, value)| Ok((self.value(*key, depth + 1)?, self.value(*value, depth + 1)?)));
        entries.collect()
    }

    fn made(
        &mut self,
        by: Id,
        arguments: Id,
        (entries, attributes): (&[(Id, Id)], Option<Id>),
        depth: usize,
    ) -> Result<Value, String> {
        let nodes = self.nodes;
        let by = if let Node::Global(name) = &nodes[by] { name } else { "an object" };
        let items = if let Node::Tuple(items) = &nodes[arguments] { items.as_slice() } else { &[] };
        match (by, items) {
            ("torch._utils._rebuild_tensor_v2", [storage, offset, size, stride, ..]) => {
                let described = described(nodes, [*storage, *offset, *size, *stride]);
                let described =
                    described.ok_or_else(|| "a tensor in its pickle is described incompletely".to_owned())?;
                return Ok(Value::Tensor((self.tensor)(described)?));
            }
            ("torch._utils._rebuild_parameter", [data, ..]) => return self.value(*data, depth + 1),
            _ => {}
        }
        // such as Lightning's `AttributeDict` and `argparse.Namespace`
        let mut all = self.entries(entries, depth)?;
        if let Some(Node::Dict(attributes)) = attributes.map(|attributes| &nodes[attributes]) {
            all.extend(self.entries(attributes, depth)?);
        }
        if all.is_empty() { Ok(Value::Object(self.text(by)?)) } else { Ok(Value::Dict(all)) }
    }
}

/// Returns the description of a tensor: its storage, offset, size and stride.
fn described(nodes: &[Node], [storage, offset, size, stride]: [Id; 4]) -> Option<Described<'_>> {
    let Node::Persistent(identity) = nodes[storage] else { return None };
    let Node::Tuple(parts) = &nodes[identity] else { return None };
    let [kind, class, key, ..] = parts[..] else { return None };
    let (Node::Text(kind), Node::Global(class), Node::Text(key)) = (&nodes[kind], &nodes[class], &nodes[key]) else {
        return None;
    };
    let class = class.rsplit('.').next()?;
    let integers = |id: Id| -> Option<Vec<i64>> {
        let Node::Tuple(items) = &nodes[id] else { return None };
        items.iter().map(|item| if let Node::Int(number) = nodes[*item] { Some(number) } else { None }).collect()
    };
    let Node::Int(offset) = nodes[offset] else { return None };
    (kind == "storage").then_some(Described { class, key, offset, size: integers(size)?, stride: integers(stride)? })
}
