//! A reader of pickles that runs no code: it builds the plain values and the tensors that `torch.save` writes, and knows any other
//! object by the name of its class alone.
//!
//! [The opcodes](https://github.com/python/cpython/blob/3.13/Lib/pickletools.py).

mod values;

use super::value::Value;
use std::collections::HashMap;
use tch::Tensor;

/// A description of a tensor, whose elements are in a storage.
pub(super) struct Described<'a> {
    /// The class of the storage, such as `FloatStorage`.
    pub(super) class: &'a str,
    /// The name of the storage in the file.
    pub(super) key: &'a str,
    pub(super) offset: i64,
    pub(super) size: Vec<i64>,
    pub(super) stride: Vec<i64>,
}

/// Returns the value of a pickle. `tensor` returns the tensor of a description.
///
/// # Errors
/// What is wrong with the pickle.
pub(super) fn unpickle(
    bytes: &[u8],
    tensor: &mut dyn FnMut(Described<'_>) -> Result<Tensor, String>,
) -> Result<Value, String> {
    let mut machine =
        Machine { bytes, position: 0, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    let root = machine.run()?;
    values::value(&machine.nodes, root, bytes.len(), tensor)
}

/// The index of a node.
type Id = usize;

/// A value under construction, which others may refer to already.
enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function, as `module.name`.
    Global(String),
    /// The result of a call, or an object of a class.
    Made {
        by: Id,
        arguments: Id,
        entries: Vec<(Id, Id)>,
        attributes: Option<Id>,
    },
    /// A reference to something outside of the pickle.
    Persistent(Id),
}

/// The classes that are dictionaries.
const DICTS: [&str; 3] = ["collections.OrderedDict", "collections.defaultdict", "builtins.dict"];

struct Machine<'a> {
    bytes: &'a [u8],
    position: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let opcode = self.byte()?;
            match opcode {
                b'.' => return self.pop(),
                // PROTO and FRAME, which only announce
                0x80 => _ = self.byte()?,
                0x95 => _ = self.take(8)?,
                b'(' => self.marks.push(self.stack.len()),
                b'0' => _ = self.pop()?,
                b'1' => _ = self.pop_to_mark()?,
                b'2' => {
                    let last = self.last()?;
                    self.stack.push(last);
                }
                b'N' => self.push(Node::None),
                0x88 => self.push(Node::Bool(true)),
                0x89 => self.push(Node::Bool(false)),
                b'J' | b'K' | b'M' | 0x8a => self.integer(opcode)?,
                b'G' => {
                    let number = f64::from_be_bytes(self.array()?);
                    self.push(Node::Float(number));
                }
                b'X' | 0x8c | 0x8d | b'U' | b'T' | b'C' | b'B' | 0x8e => self.text(opcode)?,
                b']' => self.push(Node::List(Vec::new())),
                b'}' => self.push(Node::Dict(Vec::new())),
                // sets are read as lists
                0x8f => self.push(Node::List(Vec::new())),
                b')' => self.push(Node::Tuple(Vec::new())),
                0x85..=0x87 => {
                    let start = self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or_else(empty)?;
                    let items = self.stack.split_off(start);
                    self.push(Node::Tuple(items));
                }
                b't' | b'l' | 0x91 => {
                    let items = self.pop_to_mark()?;
                    self.push(if opcode == b'l' { Node::List(items) } else { Node::Tuple(items) });
                }
                b'd' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Dict(pairs(&items)?));
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(&[item])?;
                }
                b'e' | 0x90 => {
                    let items = self.pop_to_mark()?;
                    self.append(&items)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(&[key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.set(&items)?;
                }
                b'q' | b'r' | 0x94 => self.remember(opcode)?,
                b'h' | b'j' => self.recall(opcode)?,
                b'c' | 0x93 => self.global(opcode)?,
                b'R' | 0x81 | 0x92 => self.make(opcode)?,
                b'b' => self.build()?,
                b'Q' => {
                    let identity = self.pop()?;
                    self.push(Node::Persistent(identity));
                }
                other => {
                    return Err(format!("its pickle has the opcode {other:#04x}, which no file of `torch.save` has"));
                }
            }
        }
    }

    fn integer(&mut self, opcode: u8) -> Result<(), String> {
        let number = match opcode {
            b'J' => i32::from_le_bytes(self.array()?).into(),
            b'K' => self.byte()?.into(),
            b'M' => u16::from_le_bytes(self.array()?).into(),
            _ => {
                let length = self.byte()?.into();
                let bytes = self.take(length)?;
                if bytes.len() > 8 {
                    // a random state of Python's, which nothing here needs
                    self.push(Node::None);
                    return Ok(());
                }
                let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
                let mut whole = [fill; 8];
                whole[..bytes.len()].copy_from_slice(bytes);
                i64::from_le_bytes(whole)
            }
        };
        self.push(Node::Int(number));
        Ok(())
    }

    fn text(&mut self, opcode: u8) -> Result<(), String> {
        let length = match opcode {
            0x8c | b'U' | b'C' => u64::from(self.byte()?),
            0x8d | 0x8e => u64::from_le_bytes(self.array()?),
            _ => u32::from_le_bytes(self.array()?).into(),
        };
        let bytes = self.take(usize::try_from(length).map_err(|_| cut())?)?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.push(Node::Text(text));
        Ok(())
    }

    fn append(&mut self, items: &[Id]) -> Result<(), String> {
        let list = self.last()?;
        match &mut self.nodes[list] {
            Node::List(known) => known.extend(items),
            // of a class that is a list
            Node::Made { .. } => {}
            _ => return Err("its pickle appends to what is not a list".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Result<(), String> {
        let dict = self.last()?;
        let added = pairs(items)?;
        match &mut self.nodes[dict] {
            Node::Dict(entries) | Node::Made { entries, .. } => entries.extend(added),
            _ => return Err("its pickle sets the items of what is not a dictionary".to_owned()),
        }
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Result<(), String> {
        let index = match opcode {
            b'q' => self.byte()?.into(),
            b'r' => u32::from_le_bytes(self.array()?),
            _ => u32::try_from(self.memo.len()).map_err(|_| cut())?,
        };
        let last = self.last()?;
        self.memo.insert(index, last);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), String> {
        let index = if opcode == b'h' { self.byte()?.into() } else { u32::from_le_bytes(self.array()?) };
        let id =
            self.memo.get(&index).ok_or_else(|| "its pickle refers to a value that it does not have".to_owned())?;
        self.stack.push(*id);
        Ok(())
    }

    fn global(&mut self, opcode: u8) -> Result<(), String> {
        let name = if opcode == b'c' {
            format!("{}.{}", self.line()?, self.line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (&self.nodes[module], &self.nodes[name]) {
                (Node::Text(module), Node::Text(name)) => format!("{module}.{name}"),
                _ => return Err("its pickle names a class by what is not a text".to_owned()),
            }
        };
        self.push(Node::Global(name));
        Ok(())
    }

    /// Calls a function, or makes an object of a class: nothing is run.
    fn make(&mut self, opcode: u8) -> Result<(), String> {
        if opcode == 0x92 {
            // the arguments by name
            self.pop()?;
        }
        let (arguments, by) = (self.pop()?, self.pop()?);
        let is_dict = matches!(&self.nodes[by], Node::Global(name) if DICTS.contains(&name.as_str()));
        let (entries, attributes) = (Vec::new(), None);
        self.push(if is_dict { Node::Dict(entries) } else { Node::Made { by, arguments, entries, attributes } });
        Ok(())
    }

    /// Sets the attributes of an object: those of a dictionary, such as `_metadata` of a `state_dict`, are of no use here.
    fn build(&mut self) -> Result<(), String> {
        let state = self.pop()?;
        let object = self.last()?;
        if let Node::Made { attributes, .. } = &mut self.nodes[object] {
            *attributes = Some(state);
        }
        Ok(())
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.stack.pop().ok_or_else(empty)
    }

    fn last(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(empty)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len()).ok_or_else(empty)?;
        Ok(self.stack.split_off(mark))
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], String> {
        self.take(LENGTH)?.try_into().map_err(|_| cut())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let bytes = self.bytes.get(self.position..).and_then(|rest| rest.get(..length)).ok_or_else(cut)?;
        self.position += length;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.position..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(cut)?;
        self.position += length + 1;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, String> {
    let (pairs, rest) = items.as_chunks::<2>();
    if rest.is_empty() { Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()) } else { Err(empty()) }
}

fn empty() -> String {
    "its pickle takes more from its stack than there is".to_owned()
}

fn cut() -> String {
    "its pickle ends too early".to_owned()
}
