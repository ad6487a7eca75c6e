//! Arrays with a false position, size or type.

use super::archives::{member, whole};
use super::*;
use crate::zip::{Member, archive};

fn weights() -> Vec<u8> {
    member(&saved("keras"), "model.weights.h5")
}

/// All positions of these bytes.
fn places(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    (0..bytes.len() - wanted.len()).filter(|&at| bytes[at..].starts_with(wanted)).collect()
}

/// Checks that a weight file with changed bytes at one place is refused, alone and within an archive.
#[track_caller]
fn changed(what: &str, at: usize, to: &[u8], words: &str) {
    let mut bytes = weights();
    bytes[at..at + to.len()].copy_from_slice(to);
    refused(what, load_weights("h5", &bytes), words);
    let [metadata, config, _] = whole();
    let file = archive(&[metadata, config, Member::stored("model.weights.h5", &bytes)]);
    refused(what, load(Format::Keras, &file), words);
}

#[test]
fn malformed_hdf5_trees_are_refused() {
    let bytes = weights();
    let (trees, leaves) = (places(&bytes, b"TREE"), places(&bytes, b"SNOD"));
    let (root_tree, root_leaf) = (trees[trees.len() - 1], leaves[leaves.len() - 1]);
    changed("no signature", 0, b"PK", "not an HDF5 file");
    changed("a new superblock", 8, &[2], "superblock version 2");
    changed("short addresses", 13, &[4], "unsupported address size");
    changed("cut off", 40, &u64::MAX.to_le_bytes(), "is truncated");
    changed("no root", 64, &u64::MAX.to_le_bytes(), "exceeds the file");
    changed(
        "a tree within itself",
        root_tree + 32,
        &(root_tree as u64).to_le_bytes(),
        "expected a B-tree of entries",
    );
    changed("nothing in a tree", root_tree + 32, &8u64.to_le_bytes(), "expected a B-tree of entries");
    changed("a soft link", root_leaf + 8 + 16, &2u32.to_le_bytes(), "expected an array, found a link");
    changed("more entries than there are", root_leaf + 6, &u16::MAX.to_le_bytes(), "");
    changed("a name beyond the heap", root_leaf + 8, &u64::MAX.to_le_bytes(), "beyond the heap");
    let root = u64::from_le_bytes(bytes[64..72].try_into().unwrap());
    changed("a group within itself", root_leaf + 16, &root.to_le_bytes(), "cyclic");
}

#[test]
fn arrays_with_false_headers_are_refused() {
    let bytes = weights();
    // The first layout of a contiguous array, and the first float type.
    let space = places(&bytes, &[1, 2, 0, 0, 0, 0, 0, 0])[0];
    let layout = space + places(&bytes[space..], &[8, 0, 24, 0])[0] + 8;
    let float = places(&bytes, &[0x11, 0x20, 31, 0])[0];
    let kind = |at: usize, to: u16, words: &str| changed(words, at - 8, &to.to_le_bytes(), words);
    changed("a shape of terabytes", space + 8, &(1u64 << 40).to_le_bytes(), "an array of shape");
    changed("a shape that overflows", space + 8, &u64::MAX.to_le_bytes(), "");
    changed("33 axes", space + 1, &[33], "an array of 33 axes");
    changed("beyond the file", layout + 2, &(1u64 << 40).to_le_bytes(), "exceed the file");
    changed("nowhere", layout + 2, &u64::MAX.to_le_bytes(), "exceed the file");
    changed("a size of its own", layout + 10, &7u64.to_le_bytes(), "in 7 bytes");
    changed("in chunks", layout + 1, &[2], "a chunked array");
    changed("a new layout", layout, &[4], "unsupported layout");
    changed("big-endian", float + 1, &[0x21], "big-endian");
    changed("texts", float, &[0x13], "texts");
    changed("a compound type", float, &[0x16], "compound");
    changed("of variable length", float, &[0x19], "variable length");
    changed("true and false", float, &[0x18], "enumeration");
    kind(layout, 0x07, "an array stored in other files");
    kind(layout, 0x0b, "with a filter");
    kind(layout, 0x06, "unsupported links");
    kind(layout, 0x00, "neither a group nor an array");
    changed("shared", layout - 4, &[2], "shared with other objects");
}

#[test]
fn non_finite_weights_are_refused_unless_allowed() {
    let mut model = model();
    let mut kernel = model.weight("F1/kernel").unwrap().to_owned();
    kernel[[1, 1]] = f32::NAN;
    model.set_weight("F1/kernel", &kernel).unwrap();
    for (end, format) in [("keras", Format::Keras), ("safetensors", Format::SafeTensors)] {
        let path = file(end);
        model.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        refused(end, load(format, &bytes), "found NaN at index 5");
        let loaded = Loader::new().allow_non_finite(true).load_bytes(format, &bytes).unwrap();
        assert!(loaded.weight("F1/kernel").unwrap()[[1, 1]].is_nan());
    }
    for end in ["npz", "safetensors", "weights.h5"] {
        let path = file(end);
        model.save_weights(&path).unwrap();
        refused(end, load_weights(end, &std::fs::read(&path).unwrap()), "found NaN at index 5");
    }
}

#[test]
fn missing_and_surplus_weights_are_listed() {
    let other = |name: &str| {
        let mut model = Sequential::new().input([6]).add(Dense::new(4).name(name));
        model.build().unwrap();
        model
    };
    let path = file("safetensors");
    other("F1").save_weights(&path).unwrap();
    refused("missing", other("F2").load_weights(&path), "F1/kernel");
    let file_of_one = file("keras");
    other("F1").save(&file_of_one).unwrap();
    let h5 = member(&std::fs::read(&file_of_one).unwrap(), "model.weights.h5");
    refused("of one layer", load_weights("h5", &h5), "missing weights: ");
}

/// A `.safetensors` file with this header, and this many bytes of numbers.
fn tensors(header: &str, bytes: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; bytes]].concat()
}

#[test]
fn safetensors_files_with_false_headers_are_refused() {
    let read = |bytes: &[u8]| load_weights("safetensors", bytes);
    for len in [0, 1, 99_999_999, 1 << 63, u64::MAX] {
        let bytes = [&len.to_le_bytes()[..], b"{}"].concat();
        refused("a length", read(&bytes), "its header");
    }
    let one = |about: &str| format!("{{\"a\":{{{about}}}}}");
    for (what, header, bytes, words) in [
        ("no brace", " {}".to_string(), 0, "does not begin with"),
        ("no object", "[]".into(), 0, "does not begin with"),
        ("metadata of numbers", "{\"__metadata__\":{\"a\":1}}".into(), 0, "metadata that is not texts"),
        ("a type", one(r#""dtype":"F4","shape":[1],"data_offsets":[0,1]"#), 1, "U32, found F4"),
        ("no type", one(r#""dtype":4,"shape":[1],"data_offsets":[0,4]"#), 4, "numbers of 4"),
        ("reversed", one(r#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#), 4, "at the bytes [4, 0]"),
        ("past the end", one(r#""dtype":"F32","shape":[2],"data_offsets":[0,8]"#), 4, "exceed the file"),
        ("an overflowing shape", one(r#""dtype":"F32","shape":[4194305,4194305,211106198978564],"data_offsets":[0,4]"#), 4, "a shape of"),
        ("negative", one(r#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#), 4, "whole numbers"),
        ("a gap", one(r#""dtype":"F32","shape":[1],"data_offsets":[4,8]"#), 8, "leave a gap"),
        ("bytes left", one(r#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#), 8, "the numbers end at"),
        ("overlapping", r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#.into(), 12, "overlap"),
        ("twice", r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.into(), 4, "occurs twice"),
        ("no checksum", "{\"__metadata__\":{\"cornu.config\":\"{}\"}}".into(), 0, "without a checksum"),
    ] {
        refused(what, read(&tensors(&header, bytes)), words);
    }
    let many: Vec<String> = (0..100_000)
        .map(|i| format!(r#""{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    refused("many", read(&tensors(&format!("{{{}}}", many.join(",")), 0)), "");
    refused("weights alone", load(Format::SafeTensors, &tensors("{}", 0)), "weights without a model");
}

#[test]
fn npy_files_with_false_headers_are_refused() {
    let npy = |header: &str| {
        [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat()
    };
    for (what, bytes, words) in [
        ("nothing", Vec::new(), "not a .npy file"),
        (
            "a pickle",
            npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
            "expected numbers of '<f4'",
        ),
        (
            "big-endian",
            npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }"),
            "expected numbers of '<f4'",
        ),
        (
            "bytes",
            npy("{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }"),
            "F1/kernel.npy: expected numbers of '<f4'",
        ),
        (
            "terabytes",
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"),
            "its length does not match",
        ),
        (
            "an overflowing shape",
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 4), }"),
            "its length does not match",
        ),
        ("negative", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"), "an invalid shape"),
        ("columns", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }"), "Fortran order"),
        ("no shape", npy("{'descr': '<f4', 'fortran_order': False, }"), "without `shape`"),
        ("a long header", b"\x93NUMPY\x02\0\xff\xff\xff\xff".to_vec(), "more than 10,000 bytes"),
    ] {
        refused(what, load_weights("npz", &archive(&[Member::stored("F1/kernel.npy", &bytes)])), words);
    }
}
