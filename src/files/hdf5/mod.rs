//! HDF5 files of weights as Keras writes them: nested groups and contiguous arrays.
//!
//! HDF5 has many more features: links to other files, chunked and external arrays, filters, custom types. A full reader can
//! be made to open other files or to allocate as much as the file claims, and the crate `hdf5-pure` copies each array, which
//! exceeds the memory limit of twice the size of the file and 1 MiB. This reader supports what `h5py` writes by default
//! (superblock version 0, symbol tables, contiguous arrays of plain numbers), streams the values, and returns an error that
//! names any other feature.
//!
//! # References
//! The HDF Group, *HDF5 File Format Specification Version 3.0*.

mod header;
mod number;
mod read;
mod write;

pub(crate) use read::Tree;
pub(crate) use write::{Group, Writer};

use super::array::{Array, Number};

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// The undefined address.
const NOWHERE: u64 = u64::MAX;
/// The supported header messages.
const DATASPACE: u16 = 0x01;
const DATATYPE: u16 = 0x03;
const LAYOUT: u16 = 0x08;
const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
const SYMBOL_TABLE: u16 = 0x11;

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::input::Input;
    use super::*;

    fn written() -> Vec<u8> {
        let mut root = Group::new("model");
        for i in 0..100 {
            let group = root.at(&format!("layers/dense_{i}/vars"), &format!("F{i}"));
            group.array("0", Number::F32, &[2, i + 1]);
        }
        root.at("optimizer/vars", "adam").array("0", Number::I32, &[]);
        let writer = Writer::new(&root);
        let mut bytes = writer.head().to_vec();
        for i in 0..100u32 {
            (0..2 * (i + 1)).for_each(|k| bytes.extend(((i * 1000 + k) as f32).to_le_bytes()));
        }
        bytes.extend(7i32.to_le_bytes());
        bytes
    }

    #[test]
    fn written_files_read_back() {
        let bytes = written();
        let input = Input::bytes("x.h5", &bytes[..]);
        let tree = Tree::read(&input, "x.h5", &Budget::of(input.len())).unwrap();
        let array = tree.get("layers/dense_41/vars/0").unwrap();
        assert_eq!(array.shape, [2, 42]);
        let mut values = vec![0f32; 84];
        array.fill(&input, "x", &mut values).unwrap();
        assert_eq!((values[0], values[83]), (41000.0, 41083.0));
        let mut step = [0f64];
        tree.get("optimizer/vars/0").unwrap().fill(&input, "x", &mut step).unwrap();
        assert_eq!(step, [7.0]);
    }
}
