//! Writes the tree of groups: all headers first, then the values of all arrays in the same order.

use super::{ATTRIBUTE, DATASPACE, DATATYPE, LAYOUT, NOWHERE, Number, SIGNATURE, SYMBOL_TABLE};

/// A group or an array to write.
#[derive(Debug)]
pub(crate) struct Group {
    /// The attribute `name`.
    name: String,
    /// The groups within it, in the order in which they were added.
    groups: Vec<(String, Group)>,
    /// Its arrays, whose values follow those of the groups.
    arrays: Vec<(String, Number, Vec<usize>)>,
}

impl Group {
    pub(crate) fn new(name: &str) -> Self {
        Group { name: name.into(), groups: Vec::new(), arrays: Vec::new() }
    }

    /// Returns the group at this path, and creates it with this `name` if it is missing.
    pub(crate) fn at(&mut self, path: &str, name: &str) -> &mut Group {
        let mut group = self;
        for part in path.split('/') {
            let known = group.groups.iter().position(|(known, _)| known == part);
            let place = known.unwrap_or_else(|| {
                group.groups.push((part.into(), Group::new("")));
                group.groups.len() - 1
            });
            group = &mut group.groups[place].1;
        }
        group.name = name.into();
        group
    }

    /// Adds an array, whose values follow those of the earlier arrays of the group.
    pub(crate) fn array(&mut self, name: &str, number: Number, shape: &[usize]) {
        self.arrays.push((name.into(), number, shape.to_vec()));
    }

    /// The most entries of a group.
    fn widest(&self) -> usize {
        let inner = self.groups.iter().map(|(_, group)| group.widest()).max();
        inner.unwrap_or(0).max(self.groups.len() + self.arrays.len())
    }
}

/// The file without the values.
#[derive(Debug)]
pub(crate) struct Hdf5Writer {
    bytes: Vec<u8>,
    /// Half the number of entries in a leaf of the B-tree, and the number of leaves of the root.
    leaf: usize,
    /// The address of the values of the next array.
    data: u64,
}

impl Hdf5Writer {
    pub(crate) fn new(root: &Group) -> Self {
        let half = (root.widest() as f64).sqrt().ceil() as usize;
        let leaf = half.div_ceil(2).max(4);
        // The first pass measures the headers, the second one places the arrays after them.
        let first = Hdf5Writer { bytes: Vec::new(), leaf, data: 0 }.written(root);
        let data = (first.bytes.len() as u64).next_multiple_of(8);
        let mut writer = Hdf5Writer { bytes: Vec::new(), leaf, data }.written(root);
        writer.bytes.resize(data as usize, 0);
        let end = writer.data.to_le_bytes();
        writer.bytes[40..48].copy_from_slice(&end);
        writer
    }

    /// Returns everything before the values, which follow without a gap.
    pub(crate) fn head(&self) -> &[u8] {
        &self.bytes
    }

    fn written(mut self, root: &Group) -> Self {
        self.bytes.extend(SIGNATURE);
        // Versions, and eight bytes per address and length.
        self.bytes.extend([0, 0, 0, 0, 0, 8, 8, 0]);
        self.two(self.leaf);
        self.two(self.leaf.max(16));
        self.four(0);
        [0, NOWHERE, 0, NOWHERE].into_iter().for_each(|address| self.eight(address));
        let place = self.bytes.len();
        self.bytes.resize(place + 40, 0);
        let (header, tree, heap) = self.group(root);
        let entry = [&0u64.to_le_bytes()[..], &header.to_le_bytes(), &1u64.to_le_bytes()].concat();
        self.bytes[place..place + 24].copy_from_slice(&entry);
        self.bytes[place + 24..place + 32].copy_from_slice(&tree.to_le_bytes());
        self.bytes[place + 32..place + 40].copy_from_slice(&heap.to_le_bytes());
        self
    }

    fn two(&mut self, number: usize) {
        self.bytes.extend((number as u16).to_le_bytes());
    }

    fn four(&mut self, number: usize) {
        self.bytes.extend((number as u32).to_le_bytes());
    }

    fn eight(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn here(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Writes a group after its content; returns the addresses of its header, its B-tree and its names.
    fn group(&mut self, group: &Group) -> (u64, u64, u64) {
        // The name and the header address, and for a group also the addresses of its B-tree and names.
        type Written<'a> = (&'a str, u64, Option<(u64, u64)>);
        let mut entries: Vec<Written> = Vec::new();
        for (name, inner) in &group.groups {
            let (header, tree, heap) = self.group(inner);
            entries.push((name, header, Some((tree, heap))));
        }
        for (name, number, shape) in &group.arrays {
            entries.push((name, self.array(*number, shape), None));
        }
        entries.sort_unstable_by_key(|(name, ..)| *name);
        let mut names = vec![0; 8];
        let offsets: Vec<usize> = entries
            .iter()
            .map(|(name, ..)| {
                let offset = names.len();
                names.extend(name.as_bytes());
                names.resize((names.len() + 1).next_multiple_of(8), 0);
                offset
            })
            .collect();
        let heap = self.heap(&names);
        let (leaf, width) = (2 * self.leaf, 2 * self.leaf.max(16));
        let mut leaves = Vec::new();
        for (entries, offsets) in entries.chunks(leaf).zip(offsets.chunks(leaf)) {
            leaves.push((self.here(), offsets[offsets.len() - 1]));
            self.bytes.extend(b"SNOD\x01\x00");
            self.two(entries.len());
            for ((_, header, inner), offset) in entries.iter().zip(offsets) {
                let (tree, heap) = inner.unwrap_or_default();
                self.eight(*offset as u64);
                self.eight(*header);
                self.eight(u64::from(inner.is_some()));
                self.eight(tree);
                self.eight(heap);
            }
            self.bytes.resize(self.bytes.len() + 40 * (leaf - entries.len()), 0);
        }
        let tree = self.here();
        self.bytes.extend(b"TREE\x00\x00");
        self.two(leaves.len());
        [NOWHERE, NOWHERE, 0].into_iter().for_each(|number| self.eight(number));
        for (address, last) in &leaves {
            self.eight(*address);
            self.eight(*last as u64);
        }
        self.bytes.resize(self.bytes.len() + 16 * (width - leaves.len()), 0);
        let table = [tree.to_le_bytes(), heap.to_le_bytes()].concat();
        let mut messages = vec![(SYMBOL_TABLE, table)];
        if !group.name.is_empty() {
            messages.push((ATTRIBUTE, name_attribute(&group.name)));
        }
        (self.header(&messages), tree, heap)
    }

    /// Concatenated names.
    fn heap(&mut self, names: &[u8]) -> u64 {
        let at = self.here();
        self.bytes.extend(b"HEAP\x00\x00\x00\x00");
        self.eight(names.len() as u64);
        // No free space, encoded as 1.
        self.eight(1);
        self.eight(at + 32);
        self.bytes.extend(names);
        at
    }

    fn array(&mut self, number: Number, shape: &[usize]) -> u64 {
        let mut space = vec![1, shape.len() as u8, 0, 0, 0, 0, 0, 0];
        shape.iter().for_each(|&size| space.extend((size as u64).to_le_bytes()));
        let bytes = shape.iter().product::<usize>() * number.size();
        let mut layout = vec![3, 1];
        layout.extend(if bytes == 0 { NOWHERE } else { self.data }.to_le_bytes());
        layout.extend((bytes as u64).to_le_bytes());
        self.data += bytes as u64;
        // Allocated early, without a fill value: 2, 2, 1 and size 0.
        let fill = vec![2, 2, 1, 1, 0, 0, 0, 0];
        self.header(&[(DATASPACE, space), (DATATYPE, number.message()), (0x05, fill), (LAYOUT, layout)])
    }

    /// A header with these messages.
    fn header(&mut self, messages: &[(u16, Vec<u8>)]) -> u64 {
        let at = self.here();
        let size = |message: &[u8]| message.len().next_multiple_of(8);
        let len: usize = messages.iter().map(|(_, message)| 8 + size(message)).sum();
        self.bytes.extend([1, 0]);
        self.two(messages.len());
        self.four(1);
        self.four(len);
        self.four(0);
        for (kind, message) in messages {
            self.two((*kind).into());
            self.two(size(message));
            // The type of an array never changes.
            self.four(usize::from(*kind == DATATYPE));
            self.bytes.extend(message);
            self.bytes.resize(self.bytes.len() + size(message) - message.len(), 0);
        }
        at
    }
}

/// The attribute `name`: a text of fixed length.
fn name_attribute(name: &str) -> Vec<u8> {
    // At most 255 bytes, cut at a character boundary.
    let end = (0..=name.len().min(255)).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    let bytes = &name.as_bytes()[..end];
    // A text in UTF-8, padded with zeros.
    let kind = [&[0x13, 0x11, 0, 0][..], &(bytes.len() as u32).to_le_bytes()].concat();
    let space = [1, 0, 0, 0, 0, 0, 0, 0];
    let mut message = vec![1, 0, 5, 0, 8, 0, 8, 0];
    message.extend(b"name\0\0\0\0");
    message.extend(kind);
    message.extend(space);
    message.extend(bytes);
    message
}
