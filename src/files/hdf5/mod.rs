//! HDF5 files of weights as Keras writes them: nested groups and contiguous arrays.
//!
//! HDF5 has many more features: links to other files, chunked and external arrays, filters, custom types. A full reader can
//! be made to open other files or to allocate as much as the file claims, and the crate `hdf5-pure` copies each array, which
//! exceeds the memory limit of twice the size of the file and 1 MiB. This reader supports what `h5py` writes by default
//! (superblock version 0, symbol tables, contiguous arrays of plain numbers) and streams the values. It leaves newer
//! superblocks, chunks and filters to `hdf5-pure` if the feature `hdf5` is on, and returns an error that names any other
//! feature.
//!
//! # References
//! The HDF Group, *HDF5 File Format Specification Version 3.0*.

mod attribute;
#[cfg(feature = "hdf5")]
mod fallback;
mod header;
mod number;
mod read;
mod tree;
mod write;

pub(crate) use tree::Tree;
pub(crate) use write::{Group, Hdf5Writer};

use super::array::{Array, Number};
use crate::error::Error;

/// What was read of a plain file.
type Outcome<T> = std::result::Result<T, Fault>;

/// Why the reader of plain files gives up.
enum Fault {
    Damaged(Error),
    /// A feature that only the full reader supports.
    Unsupported {
        place: String,
        problem: String,
        is_array: bool,
    },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Damaged(error)
    }
}

/// The deepest nesting of groups.
const DEEPEST: usize = 24;
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

/// The path of a member of a group.
fn member(group: &str, name: &str) -> String {
    match name {
        // The name of the layers in the first files of Keras 3.
        "_layer_checkpoint_dependencies" if group.is_empty() => "layers".into(),
        name if group.is_empty() => name.into(),
        name => format!("{group}/{name}"),
    }
}

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
        let writer = Hdf5Writer::new(&root);
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

    #[test]
    fn floats_of_16_bits_are_read() {
        let mut root = Group::new("model");
        root.at("half", "half").array("0", Number::F16, &[2]);
        root.at("brain", "brain").array("0", Number::Bf16, &[2]);
        let mut bytes = Hdf5Writer::new(&root).head().to_vec();
        // 1 and −2.
        let numbers: [(&str, [u16; 2]); 2] = [("half/0", [0x3c00, 0xc000]), ("brain/0", [0x3f80, 0xc000])];
        bytes.extend(numbers.iter().flat_map(|(_, bits)| bits).flat_map(|bits| bits.to_le_bytes()));
        let input = Input::bytes("x.h5", &bytes[..]);
        let tree = Tree::read(&input, "x.h5", &Budget::of(input.len())).unwrap();
        for (path, _) in numbers {
            let mut values = [0f32; 2];
            tree.get(path).unwrap().fill(&input, path, &mut values).unwrap();
            assert_eq!(values, [1.0, -2.0], "{path}");
            #[cfg(feature = "hdf5")]
            {
                use crate::files::hdf5_library;
                let file = hdf5_library::from_bytes(bytes.clone()).unwrap();
                let dataset = file.dataset(path).unwrap();
                assert_eq!(hdf5_library::numbers(&dataset, None).unwrap(), [1.0, -2.0], "{path}");
                assert_eq!(hdf5_library::numbers(&dataset, Some((1, 1))).unwrap(), [-2.0], "{path}");
            }
        }
    }
}
