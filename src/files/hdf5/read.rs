//! Reads the tree of groups and the values of its arrays.

use std::collections::{HashMap, HashSet};

use super::super::budget::Budget;
use super::super::input::Input;
use super::attribute::{self, GlobalHeaps};
use super::header::{self, Object};
use super::{Array, DEEPEST, Fault, NOWHERE, Outcome, SIGNATURE, member};
use crate::error::Result;

/// The longest name.
const LONGEST: usize = 255;

/// The state of the walk through the groups.
struct Walk<'a> {
    input: &'a Input<'a>,
    budget: &'a Budget,
    /// The visited groups, to detect cycles.
    met: HashSet<u64>,
    arrays: HashMap<String, Array>,
    /// The names of the attributes to read, and their texts.
    wanted: &'a [&'a str],
    texts: HashMap<String, Vec<String>>,
    heaps: GlobalHeaps,
}

/// The arrays of a file by their paths, and the texts of its groups by `path@name`.
pub(super) type TreeContent = (HashMap<String, Array>, HashMap<String, Vec<String>>);

/// The address and the length of the names of a group.
#[derive(Clone, Copy)]
struct Heap {
    start: u64,
    len: u64,
}

/// Reads the positions of all arrays, without their values, and the attributes of these names of all groups.
pub(super) fn read(input: &Input, name: &str, budget: &Budget, wanted: &[&str]) -> Outcome<TreeContent> {
    let mut head = [0; 24];
    input.read(name, 0, &mut head)?;
    if head[..8] != SIGNATURE {
        return Err(input.damaged(name, "not an HDF5 file").into());
    }
    let extra = match head[8] {
        0 => 0,
        1 => 4,
        version => {
            let problem =
                format!("unsupported superblock version {version}, which h5py writes only with `libver`");
            return Err(Fault::Unsupported { place: name.into(), problem, is_array: false });
        }
    };
    if head[13..15] != [8, 8] || input.number(name, 24 + extra, 8)? != 0 {
        return Err(input.damaged(name, "unsupported address size").into());
    }
    if input.number(name, 40 + extra, 8)? > input.len() {
        return Err(input.damaged(name, "the file is truncated").into());
    }
    let root = input.number(name, 56 + extra + 8, 8)?;
    let (arrays, texts) = (HashMap::new(), HashMap::new());
    let mut walk =
        Walk { input, budget, met: HashSet::new(), arrays, wanted, texts, heaps: GlobalHeaps::default() };
    walk.object("", root, 0)?;
    Ok((walk.arrays, walk.texts))
}

impl Walk<'_> {
    /// Reads the object at this address and its content.
    fn object(&mut self, path: &str, at: u64, depth: usize) -> Outcome<()> {
        let place = if path.is_empty() { "the root group" } else { path };
        match header::read(self.input, place, at)? {
            Object::Array(array) => {
                self.take(path, 2 * (path.len() + 8 * array.shape.len() + size_of::<(String, Array)>()))?;
                self.arrays.insert(path.into(), array);
            }
            Object::Group { tree, names } => {
                self.take(path, 64)?;
                if depth == DEEPEST || !self.met.insert(at) {
                    let problem = "a cyclic or too deeply nested group";
                    return Err(self.input.damaged(place, problem).into());
                }
                if !self.wanted.is_empty() {
                    let (heaps, budget) = (&mut self.heaps, self.budget);
                    for (name, texts) in attribute::texts(self.input, place, at, self.wanted, heaps, budget)?
                    {
                        self.take(path, 2 * (path.len() + name.len() + size_of::<(String, Vec<String>)>()))?;
                        self.texts.insert(format!("{path}@{name}"), texts);
                    }
                }
                let heap = self.heap(place, names)?;
                if tree != NOWHERE {
                    self.node(path, tree, heap, None, depth)?;
                }
            }
        }
        Ok(())
    }

    fn take(&self, path: &str, bytes: usize) -> Result<()> {
        self.budget.take(bytes).map_err(|spent| self.input.spent(path, spent))
    }

    fn heap(&self, place: &str, at: u64) -> Result<Heap> {
        if self.input.number(place, at, 4)? != u64::from(u32::from_le_bytes(*b"HEAP")) {
            return Err(self.input.damaged(place, format!("expected names at byte {at}")));
        }
        let (len, start) = (self.input.number(place, at + 8, 8)?, self.input.number(place, at + 24, 8)?);
        self.input.part(place, start, len)?;
        Ok(Heap { start, len })
    }

    /// Reads a node of the B-tree of a group; each node is one level below its parent.
    fn node(&mut self, path: &str, at: u64, heap: Heap, above: Option<u64>, depth: usize) -> Outcome<()> {
        let input = self.input;
        let fail =
            |problem: &str| Err(input.damaged(path, format!("entries at byte {at}: {problem}")).into());
        let mut head = [0; 8];
        input.read(path, at, &mut head)?;
        if head[..4] == *b"SNOD" {
            return self.entries(path, at, heap, u16::from_le_bytes([head[6], head[7]]), depth);
        }
        let level = u64::from(head[5]);
        if head[..4] != *b"TREE" || head[4] != 0 || above.is_some_and(|above| level >= above) {
            return fail("expected a B-tree of entries");
        }
        let count = u16::from_le_bytes([head[6], head[7]]);
        for i in 0..u64::from(count) {
            self.take(path, 16)?;
            let child = input.number(path, at + 24 + 8 + 16 * i, 8)?;
            self.node(path, child, heap, Some(level), depth)?;
        }
        Ok(())
    }

    /// Reads entries of a group, each with a name and an object.
    fn entries(&mut self, path: &str, at: u64, heap: Heap, count: u16, depth: usize) -> Outcome<()> {
        for i in 0..u64::from(count) {
            let entry = at + 8 + 40 * i;
            let name = self.name(path, heap, self.input.number(path, entry, 8)?)?;
            let inner = member(path, &name);
            if self.input.number(&inner, entry + 16, 4)? == 2 {
                return Err(self.input.damaged(inner, "expected an array, found a link").into());
            }
            if self.arrays.contains_key(&inner) {
                return Err(self.input.damaged(inner, "it occurs twice").into());
            }
            self.object(&inner, self.input.number(&inner, entry + 8, 8)?, depth + 1)?;
        }
        Ok(())
    }

    /// The name at this offset of the heap.
    fn name(&self, path: &str, heap: Heap, offset: u64) -> Result<String> {
        let fail = |problem| self.input.damaged(path, problem);
        let left = heap.len.checked_sub(offset).ok_or_else(|| fail("a name beyond the heap"))?;
        let mut buffer = [0; LONGEST + 1];
        let buffer = &mut buffer[..left.min(LONGEST as u64 + 1) as usize];
        self.input.read(path, heap.start + offset, buffer)?;
        let end =
            buffer.iter().position(|&byte| byte == 0).ok_or_else(|| fail("a name without a terminator"))?;
        match std::str::from_utf8(&buffer[..end]) {
            Ok(name) if !name.is_empty() && !name.contains('/') => Ok(name.into()),
            _ => Err(fail("an invalid name")),
        }
    }
}
